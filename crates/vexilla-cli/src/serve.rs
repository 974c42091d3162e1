//! `vexilla serve`: load the flags, open the ports, answer until told to end.

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::Notify;
use vexilla::{BoundServer, BreakerConfig, Client, ExportPolicy, Sidecar, StartError, Stats};

use crate::archive;
use crate::args::{ServeArgs, SourceArgs};
use crate::config::Configuration;
use crate::error::CommandError;
use crate::output::print;
use crate::reload::Live;
use crate::servers::{self, place};
use crate::settings::{Access, Section as _, Settings, Wrong, otlp};
use crate::sharing;
use crate::signals::{Hangups, Signals};
use crate::source::of_serve as source;
use crate::telemetry::{Running, Served};

pub(crate) async fn run(
    args: &ServeArgs,
    configuration: &Configuration,
    running: &Running,
) -> Result<ExitCode, CommandError> {
    let settings = &configuration.loaded.settings;
    if args.print_config {
        let otlp = settings.telemetry.otlp(&configuration.environment.otel);
        let text = configuration.loaded.print() + &otlp::print(&otlp, &settings.origins);
        return print(text).map(|()| ExitCode::SUCCESS);
    }
    let source = source(settings)?;
    // They are there until everything else has ended.
    let workers = settings.sidecar.workers();
    let workers =
        workers.map_err(|source| CommandError::System { what: "start threads", source })?;
    let (mut signals, hangups) = (Signals::new()?, Hangups::new()?);
    let access = settings.flagr.access(&settings.origins)?;
    let (client, sidecar, bound) = tokio::select! {
        started = start(&source, configuration, running, &access) => started?,
        () = signals.next() => return Ok(ExitCode::SUCCESS), // nobody is being served yet
    };
    print(loaded(&client.stats()))?;
    let speaks_tls = settings.sidecar_listener.tls_certificate.is_some();
    print(format!("listening on {}\n", place(bound.address(), speaks_tls)))?;
    for (name, address, listener) in [
        ("admin", client.admin_address(), &settings.admin_listener),
        ("webhook", client.webhook_address(), &settings.webhook_listener),
    ] {
        if let Some(address) = address {
            let speaks_tls = listener.tls_certificate.is_some();
            print(format!("{name} on {}\n", place(address, speaks_tls)))?;
        }
    }

    let bound = match &workers {
        Some(workers) => bound.on(workers),
        None => bound,
    };
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let mut serving = pin!(async {
        let cut =
            bound.serve(async move { stopped.notified().await }, settings.sidecar.drain).await;
        if cut > 0 {
            tracing::warn!(connections = cut, "requests took too long to finish and were cut off");
        }
        client.stop().await;
    });
    let live = Live {
        client: client.clone(),
        sidecar,
        access,
        level: running.level.clone(),
        outside: configuration.outside.clone(),
        in_force: configuration.loaded.effective.clone(),
    };
    tokio::select! {
        () = &mut serving => {}
        () = live.reload_at(hangups) => {}
        () = signals.next() => {
            client.announce_stop();
            stop.notify_one();
            tokio::select! {
                () = serving => {}
                () = signals.next() => return Ok(ExitCode::FAILURE), // told twice: at once
            }
        }
    }
    if let Some(workers) = workers {
        workers.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is shown of it: metrics where the admin API listens, and what OpenTelemetry's variables ask for.
pub(crate) fn shown(configuration: &Configuration) -> Served {
    let settings = &configuration.loaded.settings;
    let found = settings.telemetry.otlp(&configuration.environment.otel);
    let (otlp, ignored) = (found.settings, found.ignored);
    let prometheus = settings.telemetry.prometheus && settings.admin.listen.is_some();
    let is_seen = prometheus || otlp.metrics.is_some();
    let flags = if is_seen { settings.telemetry.flags } else { 0 };
    Served { flags, prometheus, otlp, ignored }
}

async fn start(
    source: &SourceArgs,
    configuration: &Configuration,
    running: &Running,
    access: &Access,
) -> Result<(Client, Sidecar, BoundServer), CommandError> {
    let settings = &configuration.loaded.settings;
    let origins = &settings.origins;
    let listener = settings.sidecar_listener.config("sidecar.listener", origins)?;
    let sidecar = settings.sidecar.config(listener);

    let mut breaker = BreakerConfig::default();
    settings.breaker.apply(&mut breaker);
    let archive = archive::open(settings, configuration.environment.cache_dir.as_deref())?;
    let mut config = settings.client()?;
    config.export = ExportPolicy::Keep;
    config.exposures.spool =
        settings.exposures.folder(archive.as_ref().and_then(|it| it.folder.clone()));
    if config.exposures.spool.is_none() && are_to_be_spooled(settings) {
        tracing::warn!(
            "exposures wait in memory, and are lost with the process: there is no folder for them"
        );
    }
    let mut builder = source.builder(settings, access)?.config(config).breaker(breaker);
    if let Some(interval) = settings.refresh.interval {
        builder = builder.refresh_interval(interval);
    }
    if let Some(opened) = archive {
        builder = builder.archive(opened.archive);
    }
    builder = sharing::apply(settings, builder)?;
    builder = servers::wanted(builder, settings)?;
    if let Some(telemetry) = &running.telemetry {
        builder = builder.telemetry(telemetry.clone());
    }
    let client = builder.start().await.map_err(|error| match error {
        StartError::Spool(error) => {
            let path = "exposures.spool";
            Wrong::new(&origins.of_setting(path), path, error).into()
        }
        error => servers::failed(settings, source, error),
    })?;
    let sidecar = client.sidecar(sidecar);
    let bound = sidecar.clone().listen(&settings.sidecar.listen).await;
    let bound = bound.map_err(|it| servers::unopened(settings, "sidecar", it))?;
    Ok((client, sidecar, bound))
}

/// Whether exposures would wait in a folder if there were one: Flagr takes them, and nobody asked for memory.
fn are_to_be_spooled(settings: &Settings) -> bool {
    let no_archive = settings.archive.dir.as_ref().is_some_and(|it| it.as_os_str() == "off");
    settings.flagr.url.is_some() && settings.exposures.spool.is_none() && !no_archive
}

/// `loaded 4 flags from file examples/shop.json`
fn loaded(stats: &Stats) -> String {
    let flags = if stats.flags == 1 { "flag" } else { "flags" };
    let quarantined = match stats.quarantined {
        0 => String::new(),
        some => format!(", {some} in quarantine"),
    };
    format!("loaded {} {flags} from {}{quarantined}\n", stats.flags, stats.origin)
}
