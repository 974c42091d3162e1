//! How much memory a process takes, asked of a process of its own.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

/// Asks this program something in a process of its own: with the name of the question and a folder as its arguments.
pub fn ask(question: &str, folder: &Path) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    let mut child = command.arg(question).arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut answer = String::new();
    child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert!(child.wait().unwrap().success());
    answer.trim_end().to_owned()
}

/// The bytes of this process that are in memory.
pub fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
