//! `vexilla serve --print-config`: what each setting is, and where that comes from.

use std::fmt::Write;

use super::kind::{REDACTED, Shown};
use super::{Loaded, parts};

impl Loaded {
    /// As a file that gives the same configuration, secrets apart.
    pub(crate) fn print(&self) -> String {
        let mut text = String::new();
        let mut effective = self.effective.iter();
        for part in parts() {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}[{}]", part.name); // writing to memory does not fail
            for (setting, it) in part.settings.iter().zip(effective.by_ref()) {
                let (key, origin) = (setting.key(), &it.origin);
                let _ = match &it.shown {
                    Shown::Toml(value) | Shown::File { path: value, .. } => {
                        writeln!(text, "{key} = {value} # {origin}")
                    }
                    Shown::Hidden(_) => writeln!(text, "# {key} = \"{REDACTED}\" # {origin}"),
                    Shown::Unset => {
                        writeln!(text, "# {key} = # {origin}: {}", setting.default_text())
                    }
                };
            }
        }
        text
    }
}
