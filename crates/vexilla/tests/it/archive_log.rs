//! What the log says of an archive that fails.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use vexilla::{Client, Config, MemoryArchive};
use vexilla_domain::{ArchiveError, ArchiveErrorKind, Archived, FlagArchive, Strictness};

use crate::scripted::{Answer, Scripted, flag};

/// Takes nothing while it is told to fail.
#[derive(Debug, Default)]
struct Failing {
    inner: MemoryArchive,
    fails: AtomicBool,
}

#[async_trait]
impl FlagArchive for Failing {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        self.inner.load().await
    }

    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(ArchiveError::new(ArchiveErrorKind::Unavailable, "the disk is full"));
        }
        self.inner.save(flags).await
    }

    fn describe(&self) -> String {
        "a full disk".to_owned()
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn saves_that_go_on_failing_are_told_once_and_again_when_they_are_well() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let subscriber = subscriber.without_time().with_ansi(false).with_target(false).finish();
    // This thread's alone, and all tasks of the test run on it.
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let archive = Arc::new(Failing::default());
    archive.fails.store(true, Ordering::Relaxed);
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, &[&flag(1, "a", "")]);
    for _ in 0..4 {
        source.then(Answer::Unchanged);
    }
    let client = Client::new(source.parts().with_archive(archive.clone()), Config::default());
    let client = client.await.unwrap();
    for _ in 0..3 {
        client.refresh().await.unwrap(); // the save of the one before has failed by then
    }
    archive.fails.store(false, Ordering::Relaxed);
    client.refresh().await.unwrap();
    client.stop().await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // Between both stand the spans.
    let level = |it: &str| it.split(' ').next().unwrap().to_owned();
    let told = log.lines().filter_map(|it| it.trim().split_once(" the flags "));
    let told: Vec<_> = told.map(|(before, told)| (level(before), told)).collect();
    assert_eq!(
        told,
        [
            ("WARN".to_owned(), "cannot be archived in a full disk: the disk is full"),
            ("INFO".to_owned(), "are archived again in a full disk"),
        ]
    );
}
