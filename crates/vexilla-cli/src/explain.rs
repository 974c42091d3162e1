//! `vexilla explain`: why a flag comes out as it does.

mod json;
pub(crate) mod text;

use std::process::ExitCode;

use crate::args::{DecideArgs, Format, Rollouts};
use crate::decide::errors;
use crate::error::CommandError;
use crate::output::print;
use crate::settings::Settings;

pub(crate) async fn run(args: DecideArgs, settings: &Settings) -> Result<ExitCode, CommandError> {
    let context = args.context()?;
    // The explanation is of the rules here; whether Flagr would be asked is said as a service would do it.
    let client = args.start(Rollouts::Remote, settings).await?;
    let explanation = client.explain(&args.flag, &context);
    let errors = explanation.as_ref().map(|it| errors(&client, &it.evaluation)).unwrap_or_default();
    let stats = client.stats();
    match args.format {
        Format::Json => print(json::write(&args.flag, explanation.as_ref(), &errors, &stats))?,
        Format::Text => print(text::write(&args.flag, explanation.as_ref(), &errors, &stats))?,
    }
    client.stop().await;
    Ok(ExitCode::SUCCESS)
}
