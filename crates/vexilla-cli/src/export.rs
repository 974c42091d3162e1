//! `vexilla export`: a Flagr's flags as a file.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tempfile::Builder;
use vexilla_domain::json::write_flags;

use crate::args::ExportArgs;
use crate::error::CommandError;
use crate::output::print;
use crate::settings::Settings;
use crate::source::{config, fetch_flagr, flagr};

pub(crate) async fn run(args: ExportArgs, settings: &Settings) -> Result<ExitCode, CommandError> {
    let source = flagr(config(&args.flagr, settings)?)?;
    let fetched = fetch_flagr(&source).await?;
    for problem in &fetched.problems {
        tracing::warn!("{problem}; the flag is left out");
    }
    let mut document = write_flags(&fetched.flags);
    document.push(b'\n');
    match args.output {
        None => print(document)?,
        Some(path) => replace(&path, &document)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts a file in place whole: who reads meanwhile sees the old one or the new one.
fn replace(path: &Path, content: &[u8]) -> Result<(), CommandError> {
    let place = || path.display().to_string();
    // What a link points to is replaced, not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|it| !it.is_file()) {
        return Err(CommandError::NotAFile { place: place() });
    }
    write_beside(&target, content).map_err(|source| CommandError::Write { place: place(), source })
}

/// Writes to a file in the same folder, which then takes the target's name.
fn write_beside(target: &Path, content: &[u8]) -> io::Result<()> {
    let folder = target.parent().filter(|it| *it != Path::new("")).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(".vexilla-");
    #[cfg(unix)]
    {
        // As for any new file: the process's umask takes away what is not wanted.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(target)?;
    Ok(())
}
