//! What the command line understands.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::value::RawValue;
use vexilla_domain::Value;
use vexilla_domain::json::{Numbers, read_value};

/// Decides Flagr's feature flags next to the code that asks, with exactly Flagr's answer.
///
/// Exit status: 0 done, 1 failed, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "vexilla", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What is logged to standard error; stronger than the environment variable `VEXILLA_LOG` [default: warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log: Option<LogLevel>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer Flagr's evaluation requests, as a sidecar
    Serve(ServeArgs),
    /// Evaluate one flag
    Eval(EvalArgs),
    /// Say why a flag comes out as it does: segment by segment, constraint by constraint, bucket and ranges
    Explain(DecideArgs),
    /// Find what Flagr would refuse: 0 nothing, 1 errors
    Check(CheckArgs),
    /// Write a Flagr's flags as a file that `--flags` takes
    Export(ExportArgs),
    /// Ask a running sidecar whether it lives, for container health checks: 0 yes, 1 no
    Health(HealthArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:18100")]
    pub(crate) listen: SocketAddr,
    /// How often to ask whether the flags changed: `30s`, `5m` [default: 5m for a Flagr, 1s for a file]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub(crate) refresh_interval: Option<Duration>,
}

/// Where flags come from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SourceArgs {
    /// Take flags from the Flagr at this address: `http://localhost:18000`
    #[arg(long, value_name = "URL")]
    pub(crate) flagr: Option<String>,
    /// Take flags from a file: Flagr's eval-cache export, or its REST list
    #[arg(long, value_name = "FILE")]
    pub(crate) flags: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(flatten)]
    pub(crate) question: DecideArgs,
    /// Add Flagr's log of each segment that was tried
    #[arg(long)]
    pub(crate) debug: bool,
}

/// Which flag, for whom.
#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The flag's key, or its id
    #[arg(value_name = "FLAG")]
    pub(crate) flag: String,
    /// Whom to decide for; without it a random one, each time another
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) entity_id: String,
    /// What kind of entity it is
    #[arg(long, value_name = "TYPE", default_value = "", hide_default_value = true)]
    pub(crate) entity_type: String,
    /// What is known about the entity, as JSON: `{"country":"US"}`
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub(crate) context: Option<Value>,
    /// One thing that is known: `country=US`; the value is JSON if it reads as such, otherwise a text
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, Value)>,
    /// How to print the outcome
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) sources: CheckSources,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct CheckSources {
    /// Check the flags of the Flagr at this address
    #[arg(long, value_name = "URL")]
    pub(crate) flagr: Option<String>,
    /// Check these files
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Take flags from the Flagr at this address: `http://localhost:18000`
    #[arg(long, value_name = "URL")]
    pub(crate) flagr: String,
    /// Where to write; replaced whole or not at all [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// The sidecar's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:18100")]
    pub(crate) url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

fn interval(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than zero".to_owned()),
        Ok(interval) => Ok(interval),
        Err(error) => Err(error.to_string()),
    }
}

fn json(text: &str) -> Result<Value, String> {
    let raw = serde_json::from_str::<&RawValue>(text).map_err(|error| error.to_string())?;
    read_value(raw, Numbers::AsWritten).map_err(|error| error.to_string())
}

fn assignment(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        None | Some(("", _)) => Err("is not of the form KEY=VALUE".to_owned()),
        Some((key, value)) => Ok((key.to_owned(), json(value).unwrap_or_else(|_| value.into()))),
    }
}

#[cfg(test)]
mod tests;
