//! `vexilla health`: whether a sidecar answers.

use std::process::ExitCode;
use std::time::Duration;

use vexilla::{FlagrConfig, ListenAddress, RefreshError};
use vexilla_domain::FlagSource;
use vexilla_server::probe;

use crate::args::HealthArgs;
use crate::error::CommandError;
use crate::output::print;
use crate::servers::place;
use crate::settings::Settings;
use crate::source::{at, flagr};

/// How long the answer may take; a container's own limit should be longer.
const TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) async fn run(args: HealthArgs, settings: &Settings) -> Result<ExitCode, CommandError> {
    match args.url {
        None => configured(settings, &settings.sidecar.listen).await?,
        Some(url) => match url.parse() {
            Ok(socket @ ListenAddress::Unix(_)) => configured(settings, &socket).await?,
            _ => at_url(url).await?,
        },
    }
    print("OK\n").map(|()| ExitCode::SUCCESS)
}

/// Asks the sidecar that the settings describe, as `serve` reads them, at this address. That of a Unix socket says nothing
/// of TLS and prefix.
async fn configured(settings: &Settings, address: &ListenAddress) -> Result<(), CommandError> {
    let listener = settings.sidecar_listener.config("sidecar.listener", &settings.origins)?;
    let tls = listener.tls.as_ref();
    let asked = probe(address, tls, &settings.sidecar.web_prefix, TIMEOUT).await;
    asked.map_err(|error| at(place(address, tls.is_some()), error))
}

async fn at_url(url: String) -> Result<(), CommandError> {
    let mut config = FlagrConfig::new(&url);
    config.timeout = TIMEOUT;
    let sidecar = flagr(config)?; // it answers this as a Flagr does
    sidecar.health().await.map_err(|error| at(url, RefreshError::from(error)))
}
