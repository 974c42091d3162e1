//! The environment, read once.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::filter::Targets;

use crate::error::CommandError;

const LOG: &str = "VEXILLA_LOG";
const NO_COLOR: &str = "NO_COLOR";

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Environment {
    /// What to log: a level, or levels by module as in `warn,vexilla=debug`.
    pub(crate) log: Option<Targets>,
    /// Whether logs may be coloured.
    pub(crate) color: bool,
}

impl Environment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub(crate) fn read() -> Result<Self, CommandError> {
        let log = env::var_os(LOG).filter(|it| !it.is_empty());
        let log = log.map(|it| it.to_string_lossy().parse()).transpose();
        Ok(Self {
            log: log.map_err(|error| CommandError::At {
                place: format!("environment variable {LOG}"),
                source: Box::new(error),
            })?,
            color: io::stderr().is_terminal()
                && env::var_os(NO_COLOR).is_none_or(|it| it.is_empty()),
        })
    }
}
