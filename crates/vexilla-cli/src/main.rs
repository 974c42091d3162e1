//! The `vexilla` command: [`args`] says what it understands, each command has its file, [`config`] reads the environment,
//! [`log`] and [`output`] are its two voices.

mod archive;
mod args;
mod check;
mod completions;
mod config;
mod decide;
mod error;
mod eval;
mod explain;
mod export;
mod health;
mod log;
mod man;
mod output;
#[cfg(test)]
mod packaging;
mod serve;
mod servers;
mod sharing;
mod signals;
mod source;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::args::{Cli, Command};
use crate::config::Environment;
use crate::error::CommandError;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            output::report(&error);
            error.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, CommandError> {
    let environment = Environment::read()?;
    log::start(cli.log, &environment);
    let runtime =
        Runtime::new().map_err(|source| CommandError::System { what: "start threads", source })?;
    let code = runtime.block_on(execute(cli.command, &environment));
    // A thread that still waits for a file does not hold up the end.
    runtime.shutdown_background();
    code
}

async fn execute(command: Command, environment: &Environment) -> Result<ExitCode, CommandError> {
    match command {
        Command::Serve(args) => serve::run(args, environment).await,
        Command::Eval(args) => eval::run(args, environment).await,
        Command::Explain(args) => explain::run(args, environment).await,
        Command::Check(args) => check::run(args, environment).await,
        Command::Verify(args) => verify::command(args, environment).await,
        Command::Export(args) => export::run(args, environment).await,
        Command::Health(args) => health::run(args).await,
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
