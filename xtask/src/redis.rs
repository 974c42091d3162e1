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
    if cfg!(target_os = "linux") {
        println!("installing the package {PROGRAM}, which the tests of the Redis archive start");
        for arguments in [&["update", "--quiet"][..], &["install", "--yes", "--quiet", PROGRAM]] {
            if run(&mut apt(arguments, is_root(), answers("sudo"))).is_err() {
                break;
            }
        }
    }
    ensure!(
        is_there(),
        "{PROGRAM} is missing, which the tests of the Redis archive start: {}",
        how()
    );
    Ok(())
}

/// A call of apt-get as root: by sudo, which must not ask for a password, where somebody else runs this.
///
/// Debian starts a service with its package, but not in the runlevel of a single user. `env` says so, since sudo hands
/// on no variables.
fn apt(arguments: &[&str], is_root: bool, has_sudo: bool) -> Command {
    let mut words = Vec::new();
    if !is_root && has_sudo {
        words.extend(["sudo", "-n"]);
    }
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"]);
    words.extend(arguments);
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(Stdio::null());
    command
}

/// What the reader does about it.
const fn how() -> &'static str {
    if cfg!(target_os = "macos") {
        "`brew install redis` brings it"
    } else if cfg!(windows) {
        "there is none for Windows; `.github/workflows/ci.yml` shows the tests that run without it"
    } else {
        "`sudo apt-get install redis-server` brings it, or the package `redis` of another distribution"
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    id.is_ok_and(|it| it.stdout.trim_ascii() == b"0")
}

fn is_there() -> bool {
    answers(PROGRAM)
}

/// Whether this program is there, as its version shows.
fn answers(program: &str) -> bool {
    let mut version = Command::new(program);
    version.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|it| it.success())
}

#[cfg(test)]
mod tests {
    //! As whom packages are installed.

    use super::apt;

    #[test]
    fn sudo_is_for_those_who_are_not_root_and_have_it() {
        let program = |is_root, has_sudo| {
            let command = apt(&["update"], is_root, has_sudo);
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            words.map(|it| it.to_str().unwrap()).collect::<Vec<_>>().join(" ")
        };
        let plain = "env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get update";
        assert_eq!(program(true, true), plain);
        assert_eq!(program(true, false), plain);
        assert_eq!(program(false, false), plain);
        assert_eq!(program(false, true), format!("sudo -n {plain}"));
    }
}
