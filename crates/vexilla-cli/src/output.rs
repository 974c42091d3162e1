//! What goes to the terminal: results to standard output, one line per error to standard error.

use std::error::Error;
use std::io::{self, Write};

use vexilla_domain::with_causes;

use crate::error::CommandError;

/// Prints a result. A reader that has seen enough and went away is no error.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::Write { place: "standard output".to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// Prints an error with what caused it, in one line.
pub(crate) fn report(error: &dyn Error) {
    say("error", error);
}

/// Prints in the same way what a command gets along without.
pub(crate) fn warn(error: &dyn Error) {
    say("warning", error);
}

fn say(what: &str, error: &dyn Error) {
    let line = format!("{what}: {}\n", with_causes(error));
    let _ = io::stderr().write_all(line.as_bytes()); // nowhere is left to say it
}
