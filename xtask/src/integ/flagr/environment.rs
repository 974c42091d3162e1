//! What a Flagr is told when it starts. Everything is told by its environment, so that a published port and the network
//! of the host work alike.

use std::path::Path;

/// The file of its database, in its folder.
const DATABASE: &str = "flagr.sqlite";

/// The file of its flags in eval-only mode.
pub(crate) const FLAGS: &str = "flags.json";

/// How a scenario wants its Flagr.
#[derive(Debug, Default, Clone)]
pub(crate) struct Start {
    /// More settings than those that every Flagr of ours has.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// Its web prefix, `/flagr`.
    pub(crate) prefix: &'static str,
    /// What it asks for, as a value of `Authorization`.
    pub(crate) authorization: Option<&'static str>,
    /// The flags of one in eval-only mode.
    pub(crate) flags: Option<String>,
}

impl Start {
    /// The variables for a Flagr that listens here and finds its files in this folder of its own.
    pub(super) fn environment(&self, host: &str, port: u16, folder: &Path) -> Vec<(&str, String)> {
        let file = |name| folder.join(name).display().to_string();
        let (driver, source) = match self.flags {
            Some(_) => ("json_file", file(FLAGS)),
            None => ("sqlite3", file(DATABASE)),
        };
        let mut environment = vec![
            ("HOST", host.to_owned()),
            ("PORT", port.to_string()),
            ("FLAGR_DB_DBDRIVER", driver.to_owned()),
            ("FLAGR_DB_DBCONNECTIONSTR", source),
            ("FLAGR_EVALCACHE_REFRESHINTERVAL", "100ms".to_owned()),
            ("FLAGR_EVAL_LOGGING_ENABLED", "false".to_owned()),
            ("FLAGR_MIDDLEWARE_VERBOSE_LOGGER_ENABLED", "false".to_owned()),
        ];
        if !self.prefix.is_empty() {
            environment.push(("FLAGR_WEB_PREFIX", self.prefix.to_owned()));
        }
        environment.extend(self.settings.iter().map(|(name, value)| (*name, value.clone())));
        environment
    }
}

#[cfg(test)]
mod tests;
