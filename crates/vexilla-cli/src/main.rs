//! The `vexilla` command: [`args`] says what it understands, each command has its file, [`config`] reads the environment, [`settings`] all settings,
//! [`log`] and [`output`] are its two voices.

mod archive;
mod args;
mod check;
mod config;
mod decide;
mod error;
mod eval;
mod explain;
mod export;
mod health;
mod log;
mod output;
mod reload;
mod serve;
mod servers;
mod settings;
mod sharing;
mod signals;
mod source;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;
use vexilla_telemetry::LogLevel;

use crate::args::{Cli, Command, ConfigReferenceArgs};
use crate::config::{Configuration, Environment};
use crate::error::CommandError;
use crate::output::print;

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
    let configuration = Configuration::read(&cli, Environment::read())?;
    let level = log::start(&configuration.loaded.settings.log, configuration.environment.color);
    let runtime =
        Runtime::new().map_err(|source| CommandError::System { what: "start threads", source })?;
    let code = runtime.block_on(execute(cli.command, &configuration, &level));
    // A thread that still waits for a file does not hold up the end.
    runtime.shutdown_background();
    code
}

async fn execute(
    command: Command,
    configuration: &Configuration,
    level: &LogLevel,
) -> Result<ExitCode, CommandError> {
    let settings = &configuration.loaded.settings;
    match command {
        Command::Serve(args) => serve::run(&args, configuration, level).await,
        Command::Eval(args) => eval::run(args, settings).await,
        Command::Explain(args) => explain::run(args, settings).await,
        Command::Check(args) => check::run(args, settings).await,
        Command::Verify(args) => verify::command(args, settings).await,
        Command::Export(args) => export::run(args, settings).await,
        Command::Health(args) => health::run(args).await,
        Command::ConfigReference(args) => reference(&args),
    }
}

fn reference(args: &ConfigReferenceArgs) -> Result<ExitCode, CommandError> {
    let text =
        if args.example { settings::reference::example() } else { settings::reference::markdown() };
    print(text).map(|()| ExitCode::SUCCESS)
}
