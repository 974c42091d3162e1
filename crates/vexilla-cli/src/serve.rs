//! `vexilla serve`: load the flags, open the ports, answer until told to end.

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use vexilla::{BoundServer, Client, ExportPolicy, ListenAddress, SidecarConfig, Stats};

use crate::archive;
use crate::args::{Place, ServeArgs};
use crate::config::{Environment, WrongVariable};
use crate::error::CommandError;
use crate::output::print;
use crate::servers;
use crate::sharing;
use crate::signals::Signals;
use crate::telemetry::{Running, SHOWN_FLAGS, Served};

/// How long running requests have to finish once the end was asked for.
const DRAIN: Duration = Duration::from_secs(10);

pub(crate) async fn run(
    args: ServeArgs,
    environment: &Environment,
    running: &Running,
) -> Result<ExitCode, CommandError> {
    let mut signals = Signals::new()?;
    let (client, sidecar) = tokio::select! {
        started = start(&args, environment, running) => started?,
        () = signals.next() => return Ok(ExitCode::SUCCESS), // nobody is being served yet
    };
    print(loaded(&client.stats()))?;
    print(format!("listening on {}\n", place(sidecar.address())))?;
    for (name, address) in
        [("admin", client.admin_address()), ("webhook", client.webhook_address())]
    {
        if let Some(address) = address {
            print(format!("{name} on {}\n", place(address)))?;
        }
    }

    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let mut serving = pin!(async {
        let cut = sidecar.serve(async move { stopped.notified().await }, DRAIN).await;
        if cut > 0 {
            tracing::warn!(connections = cut, "requests took too long to finish and were cut off");
        }
        client.stop().await;
    });
    tokio::select! {
        () = &mut serving => {}
        () = signals.next() => {
            stop.notify_one();
            tokio::select! {
                () = serving => {}
                () = signals.next() => return Ok(ExitCode::FAILURE), // told twice: at once
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is shown of it: metrics where the admin API listens, and what OpenTelemetry's variables ask for.
pub(crate) fn shown(args: &ServeArgs, environment: &Environment) -> Result<Served, CommandError> {
    let otlp = environment.otlp.clone().map_err(WrongVariable::into_error)?;
    let prometheus = args.servers.admin_listen != Place::Off;
    let is_seen = prometheus || otlp.metrics.is_some();
    Ok(Served { flags: if is_seen { SHOWN_FLAGS } else { 0 }, prometheus, otlp })
}

async fn start(
    args: &ServeArgs,
    environment: &Environment,
    running: &Running,
) -> Result<(Client, BoundServer), CommandError> {
    let mut builder = args.source.builder(environment).export(ExportPolicy::Keep);
    if let Some(interval) = args.refresh_interval {
        builder = builder.refresh_interval(interval);
    }
    if let Some(rollouts) = args.rollouts {
        builder = builder.rollouts(rollouts.into());
    }
    if let Some(archive) = archive::open(args, environment)? {
        builder = builder.archive(archive);
    }
    builder = sharing::apply(&args.sharing, environment, builder)?;
    builder = servers::wanted(builder, args, environment);
    if let Some(telemetry) = &running.telemetry {
        builder = builder.telemetry(telemetry.clone());
    }
    let client = builder.start().await.map_err(|error| servers::failed(args, error))?;
    let mut config = SidecarConfig::default();
    config.pass_through = args.servers.pass_through;
    config.web_prefix.clone_from(&args.servers.web_prefix);
    let sidecar = client.sidecar(config).listen(&args.listen).await?;
    Ok((client, sidecar))
}

/// `http://127.0.0.1:18100`, or `unix:/run/vexilla.sock`
fn place(address: &ListenAddress) -> String {
    match address {
        ListenAddress::Tcp(address) => format!("http://{address}"),
        ListenAddress::Unix(_) => address.to_string(),
    }
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
