//! `vexilla health`: whether a sidecar answers.

use std::process::ExitCode;
use std::time::Duration;

use vexilla::{FlagrConfig, RefreshError};
use vexilla_domain::FlagSource;

use crate::args::HealthArgs;
use crate::error::CommandError;
use crate::output::print;
use crate::source::{at, flagr};

/// How long the answer may take; a container's own limit should be longer.
const TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) async fn run(args: HealthArgs) -> Result<ExitCode, CommandError> {
    let mut config = FlagrConfig::new(&args.url);
    config.timeout = TIMEOUT;
    let sidecar = flagr(config)?; // it answers this as a Flagr does
    match sidecar.health().await {
        Ok(()) => print("OK\n").map(|()| ExitCode::SUCCESS),
        Err(error) => Err(at(args.url, RefreshError::from(error))),
    }
}
