//! `vexilla man`: the pages for `man`.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Cli, ManArgs};
use crate::error::CommandError;
use crate::output::print;

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode, CommandError> {
    match &args.out {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(unwritten(folder))?;
            clap_mangen::generate_to(Cli::command(), folder).map_err(unwritten(folder))?;
        }
        None => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(unwritten(Path::new("standard output")))?;
            print(page)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn unwritten(place: &Path) -> impl FnOnce(std::io::Error) -> CommandError {
    let place = place.display().to_string();
    move |source| CommandError::Write { place, source }
}
