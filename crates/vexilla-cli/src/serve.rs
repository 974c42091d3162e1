//! `vexilla serve`: load the flags, open the port, answer until told to end.

use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use tokio::sync::Notify;
use vexilla::{Client, ExportPolicy, Stats};
use vexilla_server::{BoundSidecar, SidecarConfig};

use crate::args::ServeArgs;
use crate::error::CommandError;
use crate::output::print;
use crate::signals::Signals;

/// How long running requests have to finish once the end was asked for.
const DRAIN: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: ServeArgs) -> Result<ExitCode, CommandError> {
    let mut signals = Signals::new()?;
    let (client, sidecar) = tokio::select! {
        started = start(&args) => started?,
        () = signals.next() => return Ok(ExitCode::SUCCESS), // nobody is being served yet
    };
    print(loaded(&client.stats()))?;
    print(format!("listening on http://{}\n", sidecar.local_addr()))?;

    let stop = Notify::new();
    let mut serving = pin!(sidecar.serve(stop.notified(), DRAIN));
    let cut = tokio::select! {
        cut = &mut serving => cut,
        () = signals.next() => {
            stop.notify_one();
            tokio::select! {
                cut = serving => cut,
                () = signals.next() => return Ok(ExitCode::FAILURE), // told twice: at once
            }
        }
    };
    if cut > 0 {
        tracing::warn!(connections = cut, "requests took too long to finish and were cut off");
    }
    client.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn start(args: &ServeArgs) -> Result<(Client, BoundSidecar), CommandError> {
    let mut builder = args.source.builder().export(ExportPolicy::Keep);
    if let Some(interval) = args.refresh_interval {
        builder = builder.refresh_interval(interval);
    }
    let client = builder.start().await.map_err(|error| args.source.failed(error))?;
    let sidecar = client.sidecar(SidecarConfig::default()).bind(args.listen).await?;
    Ok((client, sidecar))
}

/// `loaded 4 flags from file examples/shop.json`
fn loaded(stats: &Stats) -> String {
    let flags = if stats.flags == 1 { "flag" } else { "flags" };
    let quarantined = match stats.quarantined {
        0 => String::new(),
        some => format!(", {some} in quarantine"),
    };
    format!("loaded {} {flags} from {}{quarantined}\n", stats.flags, stats.source)
}
