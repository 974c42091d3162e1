//! `vexilla completions`: what a shell completes.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::error::CommandError;
use crate::output::print;

pub(crate) fn run(args: &CompletionsArgs) -> Result<ExitCode, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "vexilla", &mut script);
    print(script).map(|()| ExitCode::SUCCESS)
}
