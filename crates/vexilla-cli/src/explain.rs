//! `vexilla explain`: why a flag comes out as it does.

mod json;
mod text;

use std::process::ExitCode;

use crate::args::{DecideArgs, Format};
use crate::decide::errors;
use crate::error::CommandError;
use crate::output::print;

pub(crate) async fn run(args: DecideArgs) -> Result<ExitCode, CommandError> {
    let context = args.context()?;
    let client = args.start().await?;
    let explanation = client.explain(&args.flag, &context);
    let errors = explanation.as_ref().map(|it| errors(&client, &it.evaluation)).unwrap_or_default();
    match args.format {
        Format::Json => print(json::write(&args.flag, explanation.as_ref(), &errors))?,
        Format::Text => print(text::write(&args.flag, explanation.as_ref(), &errors))?,
    }
    client.stop().await;
    Ok(ExitCode::SUCCESS)
}
