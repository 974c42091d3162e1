//! What the command line understands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde_json::value::RawValue;
use vexilla_domain::Value;
use vexilla_domain::json::{Numbers, read_value};

use crate::settings::flags::Flags;

/// Decides Flagr's feature flags next to the code that asks, with exactly Flagr's answer.
///
/// Exit status: 0 done, 1 failed, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "vexilla", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// The configuration file, which weighs less than the environment and the other options; also the environment variable
    /// `VEXILLA_CONFIG`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What is logged to standard error: `off`, `error`, `warn`, `info`, `debug` or `trace`, also by module as in
    /// `warn,vexilla=debug`; stronger than the environment variable `VEXILLA_LOG` [default: warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    /// How it is logged: `text` or `json` [default: text]
    #[arg(long, global = true, value_name = "FORMAT", hide_short_help = true)]
    pub(crate) log_format: Option<String>,
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
    /// Print the reference of all settings of `serve`
    #[command(hide = true)]
    ConfigReference(ConfigReferenceArgs),
}

impl Cli {
    /// What the command line sets.
    pub(crate) fn flags(&self) -> Flags {
        let mut flags = match &self.command {
            Command::Serve(args) => args.flags.clone(),
            _ => Flags::default(),
        };
        let archived = match &self.command {
            Command::Eval(args) => Some(&args.question.source.archived),
            Command::Explain(args) => Some(&args.source.archived),
            Command::Check(args) => Some(&args.sources.archived),
            _ => None,
        };
        if let Some(ArchivedArgs { redis, redis_prefix, .. }) = archived {
            flags.set("redis", "redis.url", redis.as_deref());
            flags.set("redis-prefix", "redis.key_prefix", redis_prefix.as_deref());
        }
        flags.set("log", "log.level", self.log.as_deref());
        flags.set("log-format", "log.format", self.log_format.as_deref());
        flags
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// Print what each setting is and where that comes from, as a file that gives the same configuration; then end.
    /// Secrets are not printed
    #[arg(long)]
    pub(crate) print_config: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigReferenceArgs {
    /// Print the file with every setting instead
    #[arg(long)]
    pub(crate) example: bool,
}

/// Where flags come from.
#[derive(Debug, Args)]
#[group(required = true, multiple = true, args = ["flagr", "flags", "archive", "redis"])]
pub(crate) struct SourceArgs {
    /// Take flags from the Flagr at this address: `http://localhost:18000`
    #[arg(long, value_name = "URL", conflicts_with_all = ["flags", "archive", "redis"])]
    pub(crate) flagr: Option<String>,
    /// Take flags from a file: Flagr's eval-cache export, or its REST list
    #[arg(long, value_name = "FILE", conflicts_with_all = ["archive", "redis"])]
    pub(crate) flags: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) archived: ArchivedArgs,
}

/// Archives that flags are read from, whoever writes them. Where both are named, the newest flags count.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ArchivedArgs {
    /// Take flags from this folder of a sidecar's or a client's archive, as they were saved there last; it may be in use
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<PathBuf>,
    /// Take flags from this Redis or Valkey, as the sidecars share them there: `redis://host:6379/0`; the environment
    /// variable `VEXILLA_REDIS_PASSWORD` may hold its password
    #[arg(long, value_name = "URL")]
    pub(crate) redis: Option<String>,
    /// What the keys there begin with [default: vexilla:]
    #[arg(long, value_name = "TEXT", requires = "redis")]
    pub(crate) redis_prefix: Option<String>,
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
#[group(required = true, multiple = true, args = ["flagr", "files", "archive", "redis"])]
pub(crate) struct CheckSources {
    /// Check the flags of the Flagr at this address
    #[arg(long, value_name = "URL", conflicts_with_all = ["files", "archive", "redis"])]
    pub(crate) flagr: Option<String>,
    /// Check these files
    #[arg(value_name = "FILE", conflicts_with_all = ["archive", "redis"])]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) archived: ArchivedArgs,
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
    /// How many cases Flagr is asked in a second at most, a hundred of them in a request; 0: as many as it answers
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) rate: u32,
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
    /// The sidecar's address: `http://…`, or `unix:` and a path [default: where `serve` listens with the same configuration]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
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
