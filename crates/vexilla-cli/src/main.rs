//! The `vexilla` command: [`args`] says what it understands, each command has its file, [`config`] reads the environment,
//! [`settings`] all settings, [`telemetry`] and [`output`] are its two voices.

mod archive;
mod archived;
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
mod man;
mod output;
#[cfg(test)]
mod packaging;
mod reload;
mod serve;
mod servers;
mod settings;
mod sharing;
mod signals;
mod source;
mod telemetry;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::args::{Cli, Command, ConfigReferenceArgs};
use crate::config::{Configuration, Environment};
use crate::error::CommandError;
use crate::output::print;
use crate::telemetry::Running;

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
    let logged = &configuration.loaded.settings.log;
    let settings = telemetry::Settings {
        log: logged.level.filter(),
        format: logged.written(configuration.environment.color),
        served: match &cli.command {
            Command::Serve(args) if !args.print_config => Some(serve::shown(&configuration)),
            _ => None,
        },
    };
    let runtime =
        Runtime::new().map_err(|source| CommandError::System { what: "start threads", source })?;
    let code = runtime.block_on(async {
        let running = telemetry::start(settings)?;
        let code = execute(cli.command, &configuration, &running).await;
        running.end().await;
        code
    });
    // A thread that still waits for a file does not hold up the end.
    runtime.shutdown_background();
    code
}

async fn execute(
    command: Command,
    configuration: &Configuration,
    running: &Running,
) -> Result<ExitCode, CommandError> {
    let settings = &configuration.loaded.settings;
    match command {
        Command::Serve(args) => serve::run(&args, configuration, running).await,
        Command::Eval(args) => eval::run(args, settings).await,
        Command::Explain(args) => explain::run(args, settings).await,
        Command::Check(args) => check::run(args, settings).await,
        // 1 says that answers differ, so whatever keeps them from being compared is 2.
        Command::Verify(args) => verify::command(args, settings).await.or_else(|error| {
            output::report(&error);
            Ok(ExitCode::from(2))
        }),
        Command::Export(args) => export::run(args, settings).await,
        Command::Health(args) => health::run(args, settings).await,
        Command::ConfigReference(args) => reference(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

fn reference(args: &ConfigReferenceArgs) -> Result<ExitCode, CommandError> {
    let text =
        if args.example { settings::reference::example() } else { settings::reference::markdown() };
    print(text).map(|()| ExitCode::SUCCESS)
}
