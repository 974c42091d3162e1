//! The Redis that tests start: the real one, of the system's packages.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::command::run;

const PROGRAM: &str = "redis-server";

/// Installs the server where it is missing and this may be done; no service is started.
pub(crate) fn install() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    println!("installing the package {PROGRAM}, which the tests of the Redis archive start");
    for arguments in [&["update", "--quiet"][..], &["install", "--yes", "--quiet", PROGRAM]] {
        let mut apt = Command::new("apt-get");
        // Debian starts a service with its package, but not in the runlevel of a single user.
        let apt = apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
        if run(apt).is_err() {
            break;
        }
    }
    ensure!(is_there(), "{PROGRAM} is missing and could not be installed: install it, as root");
    Ok(())
}

fn is_there() -> bool {
    let mut version = Command::new(PROGRAM);
    let version = version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|it| it.success())
}
