//! What the binary that is handed out weighs, and what it costs while nobody asks it anything.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::idle::resident;
use super::row;
use super::servers::flags;
use crate::bench::Row;
use crate::integ::Vexilla;
use crate::wait::Interrupt;

/// What it may weigh.
const SIZE: f64 = 20_000_000.0;

/// What it may take of memory with 100 flags.
const MEMORY: f64 = 15_000_000.0;

/// How many percent of a processor it may take, with a refresh every five seconds.
const CPU: f64 = 0.1;

/// Measures this binary, which is left alone for so long.
pub(super) fn rows(
    program: &Path,
    folder: &Path,
    idle_for: Duration,
    interrupt: &Interrupt,
) -> Result<Vec<Row>> {
    let size = fs::metadata(program)
        .with_context(|| format!("cannot look at {}", program.display()))?
        .len();
    let mut rows = vec![row::of_few("the stripped binary", "bytes", real(size), SIZE)];

    fs::create_dir_all(folder)?;
    let flagr = flagr(flags(100)?.to_text()?)?;
    let archive = folder.join("archive").display().to_string();
    let arguments = [
        "--flagr",
        flagr.as_str(),
        "--archive",
        archive.as_str(),
        "--refresh-interval",
        "5s",
        "--admin-listen",
        "127.0.0.1:0",
        "--webhook-listen",
        "127.0.0.1:0",
    ];
    let ours = Vexilla::start(program, &arguments, &[], &folder.join("vexilla.log"), interrupt)?;
    // What a start leaves to be done is no part of being idle.
    interrupt.rest(Duration::from_secs(2))?;
    let before = used(ours.id());
    interrupt.rest(idle_for)?;
    match (before, used(ours.id()), resident(ours.id())) {
        (Some(before), Some(after), Some(memory)) => {
            let percent =
                100.0 * after.saturating_sub(before).as_secs_f64() / idle_for.as_secs_f64();
            let work = "resident memory of an idle sidecar with 100 flags";
            rows.push(row::of_few(work, "bytes", real(memory), MEMORY));
            let work = format!("an idle sidecar over {} s", idle_for.as_secs());
            rows.push(row::of_few(work, "% of a processor", percent, CPU));
        }
        _ => println!("what an idle process takes is not known on this system"),
    }
    Ok(rows)
}

/// The address of something that answers as a Flagr does in which nothing changes, until this program ends.
fn flagr(flags: String) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let flags = flags.clone();
            thread::spawn(move || answer(stream, &flags));
        }
    });
    Ok(format!("http://{address}"))
}

fn answer(mut stream: TcpStream, flags: &str) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(request) = lines.next().transpose()? {
        for line in lines.by_ref() {
            if line?.is_empty() {
                break;
            }
        }
        let body = if request.contains("/max_id") { r#"{"maxID":1}"# } else { flags };
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        write!(stream, "{head} {}\r\n\r\n{body}", body.len())?;
    }
    Ok(())
}

/// How long the threads of a process have been running on processors, all together.
fn used(id: u32) -> Option<Duration> {
    let mut used = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{id}/task")).ok()? {
        // A thread that ends meanwhile did nothing of note.
        let Ok(text) = fs::read_to_string(task.ok()?.path().join("schedstat")) else { continue };
        used += Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?);
    }
    Some(used)
}

#[expect(clippy::cast_precision_loss, reason = "no count of bytes here comes near 2^53")]
fn real(bytes: u64) -> f64 {
    bytes as f64
}
