//! The archive: the same files give the same bytes, wherever and whenever it is made.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// Packs all files of a folder, under a folder of that name, into an archive that is laid beside them. Only `program` can
/// be run.
pub(super) fn pack(folder: &Path, name: &str, program: &str) -> Result<PathBuf> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort_unstable();

    let archive = folder.join(format!("{name}.tar.gz"));
    let written = File::create(&archive).with_context(|| format!("{}", archive.display()))?;
    let mut tar = Builder::new(GzEncoder::new(written, Compression::best()));
    for file in files {
        let content = fs::read(&file).with_context(|| format!("{}", file.display()))?;
        let inside = file.strip_prefix(folder)?;
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(if inside == Path::new(program) { 0o755 } else { 0o644 });
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, Path::new(name).join(inside), content.as_slice())?;
    }
    tar.into_inner()?.finish()?;
    Ok(archive)
}

/// Writes `SHA256SUMS`, as `sha256sum --check` reads it, and gives its text.
pub(super) fn checksums(folder: &Path, files: &[&Path]) -> Result<String> {
    let mut lines = String::new();
    for file in files {
        let content = fs::read(file).with_context(|| format!("{}", file.display()))?;
        for byte in Sha256::digest(content) {
            write!(lines, "{byte:02x}")?;
        }
        writeln!(lines, "  {}", file.strip_prefix(folder)?.display())?;
    }
    fs::write(folder.join("SHA256SUMS"), &lines)?;
    Ok(lines)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
