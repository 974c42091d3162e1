//! What the command line understands.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde_json::value::RawValue;
use vexilla::ListenAddress;
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
    /// Decide generated cases here and in Flagr, and print every difference: 0 none, 1 some, 2 it cannot be said
    Verify(VerifyArgs),
    /// Write a Flagr's flags as a file that `--flags` takes
    Export(ExportArgs),
    /// Ask a running sidecar whether it lives, for container health checks: 0 yes, 1 no
    Health(HealthArgs),
    /// Write a shell's completions: `vexilla completions bash > /etc/bash_completion.d/vexilla`
    Completions(CompletionsArgs),
    /// Write the man page, or one for each command
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Where to listen: an address with a port, of which 0 takes a free one, or `unix:/run/vexilla.sock`
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:18100")]
    pub(crate) listen: ListenAddress,
    #[command(flatten)]
    pub(crate) servers: ServerArgs,
    /// Who decides flags in which an entity's bucket takes part: partial rollouts and several variants. Both give the same
    /// answers; a Flagr that is asked counts them [default: remote for a Flagr; a file is always decided here]
    #[arg(long, value_name = "WHO", conflicts_with = "flags")]
    pub(crate) rollouts: Option<Rollouts>,
    /// Where to keep the last good flags, so that a restart needs no Flagr; `off` keeps none [default: a folder for this
    /// Flagr in the user's cache folder; none for a file]
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sharing: SharingArgs,
    /// How often to ask whether the flags changed: `30s`, `5m` [default: 5m for a Flagr, 1s for a file]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub(crate) refresh_interval: Option<Duration>,
}

/// The servers beside the sidecar, and what the sidecar is to others.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Where the admin API listens, or `off`. Elsewhere than on this machine it needs a token, in the environment variable
    /// `VEXILLA_ADMIN_TOKEN`
    #[arg(long, value_name = "ADDR|off", default_value = ADMIN)]
    pub(crate) admin_listen: Place,
    /// Where Flagr's notifications are taken, or `off`. Elsewhere than on this machine it needs a secret, in
    /// `VEXILLA_WEBHOOK_HEADER` (`Name: value`, which Flagr sends) or `VEXILLA_WEBHOOK_SECRET` (for signed notices)
    /// [default: 127.0.0.1:18001 for a Flagr; off for a file]
    #[arg(long, value_name = "ADDR|off")]
    pub(crate) webhook_listen: Option<Place>,
    /// Pass on to Flagr what is not answered here, so that its UI and its other clients work through the sidecar. It is
    /// asked with the caller's credentials
    #[arg(long, conflicts_with = "flags")]
    pub(crate) pass_through: bool,
    /// What all paths of the sidecar begin with, as Flagr's `FLAGR_WEB_PREFIX`: `/flags`
    #[arg(long, value_name = "PATH", value_parser = prefix, default_value = "", hide_default_value = true)]
    pub(crate) web_prefix: String,
}

/// Where the admin API listens by default.
const ADMIN: &str = "127.0.0.1:19000";

/// An address to listen on, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Off,
    At(ListenAddress),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "off" => Ok(Self::Off),
            Ok(address) => Ok(Self::At(address)),
            Err(error) => Err(format!("{error}, nor `off`")),
        }
    }
}

/// What is shared with others, and what is kept of Flagr's answers.
#[derive(Debug, Args)]
pub(crate) struct SharingArgs {
    /// Share the flags with all sidecars of this Redis or Valkey, of which one asks Flagr: `redis://host:6379/0`, or
    /// `rediss://` for TLS. The environment variable `VEXILLA_REDIS_PASSWORD` keeps its password out of sight
    #[arg(long, value_name = "URL", conflicts_with = "flags")]
    pub(crate) redis: Option<PrivateUrl>,
    /// What the keys in Redis begin with; sidecars of different Flagrs need different ones
    #[arg(long, value_name = "TEXT", default_value = "vexilla:", requires = "redis")]
    pub(crate) redis_prefix: String,
    /// Ask Flagr for each evaluation that is its to decide, so that it counts all of them; otherwise its answer to the same
    /// question is good for 10 seconds
    #[arg(long)]
    pub(crate) no_remote_cache: bool,
}

/// An address that may hold a password: it is not printed.
#[derive(Clone)]
pub(crate) struct PrivateUrl(pub(crate) String);

/// Takes any text: an error of the argument parser would print it.
impl From<String> for PrivateUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for PrivateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
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
    /// Who decides flags in which an entity's bucket takes part, or whose evaluations Flagr records; `remote` asks Flagr as
    /// a service would, and Flagr may record it
    #[arg(long, value_name = "WHO", default_value = "local")]
    pub(crate) rollouts: Rollouts,
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
pub(crate) struct VerifyArgs {
    /// The Flagr to compare with; it is only read
    #[arg(long, value_name = "URL")]
    pub(crate) flagr: String,
    /// How many cases
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) cases: u64,
    /// Which cases; the same number gives the same ones for the same flags
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many cases Flagr is asked in a second at most [default: as many as it answers]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// Ask for flags too whose evaluations Flagr records: each case is a record
    #[arg(long)]
    pub(crate) include_recorded: bool,
    /// Where a reproduction of each difference is written
    #[arg(long, value_name = "DIR", default_value = "vexilla-differences")]
    pub(crate) out: PathBuf,
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

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder [default: the page of `vexilla`, to standard output]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rollouts {
    /// Flagr; the rules held here while it cannot be asked
    Remote,
    /// The rules held here, with Flagr's buckets
    Local,
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

fn prefix(text: &str) -> Result<String, String> {
    let bare = text.trim_end_matches('/');
    if !bare.is_empty() && !bare.starts_with('/') {
        return Err("must begin with a slash".to_owned());
    }
    Ok(bare.to_owned())
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
