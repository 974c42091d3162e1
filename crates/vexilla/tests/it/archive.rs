//! Starts from an archive, saves into it, and archives that several share.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use vexilla::{Client, Config, Context, ExportPolicy, FlagFilter, MemoryArchive, Reason, Revision};
use vexilla_domain::{
    ArchiveError, ArchiveErrorKind, Archived, FlagArchive, FlagSource, Strictness,
};

use crate::scripted::{Answer, Scripted, constraint, flag};

fn reason(client: &Client, key: &str) -> Reason {
    client.local().evaluate(key, &Context::new("u").with("country", "US")).reason
}

async fn start(source: &Arc<Scripted>, archive: Arc<dyn FlagArchive>) -> Client {
    Client::new(source.parts().with_archive(archive), Config::default()).await.unwrap()
}

/// Saves these flags as a client of the same source would have.
async fn archived(flags: &[&str]) -> Arc<MemoryArchive> {
    let archive = Arc::new(MemoryArchive::new());
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, flags);
    let client = start(&source, archive.clone()).await;
    client.stop().await;
    archive
}

#[tokio::test]
async fn a_start_needs_no_source_and_goes_on_with_it_when_it_is_back() {
    let archive = archived(&[&flag(1, "a", "")]).await;
    let source = Scripted::new(Strictness::AsStored);
    source.advance(Duration::from_secs(3600));
    source.then(Answer::Fails);
    let client = start(&source, archive.clone()).await;
    let evaluation = client.evaluate("a", &Context::new("u")).await;
    assert_eq!((evaluation.reason, evaluation.freshness.stale), (Reason::Static, true));
    let stats = client.stats();
    assert_eq!(&*stats.origin, "memory, of a script");
    assert_eq!(stats.age, Some(Duration::from_secs(3600)), "as old as its last confirmation");
    assert_eq!((stats.revision, stats.max_snapshot_id), (Revision { epoch: 0, sequence: 1 }, 5));
    assert!(client.readiness().is_ready());

    source.then_numbered(6, &[&flag(2, "b", "")]);
    source.then(Answer::Unchanged);
    // The source is asked in the background too: who comes first sees it fail.
    while client.refresh().await.is_err() {}
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::NotFound, Reason::Static));
    client.stop().await;
    let stats = client.stats();
    assert_eq!((&*stats.origin, stats.stale), ("a script", false));
    assert!(stats.revision.sequence > 1, "revisions go on where they were");
    let saved = archive.load().await.unwrap().unwrap();
    assert_eq!((saved.revision, saved.marker.max_snapshot_id), (stats.revision, Some(6)));
}

#[tokio::test]
async fn what_was_not_served_when_it_was_archived_comes_back_after_a_restart() {
    let archive = Arc::new(MemoryArchive::new());
    let flags = [
        flag(1, "a", ""),
        flag(2, "broken", &constraint("p", "LE", "1")),
        flag(3, "off", "").replace("\"Enabled\":true", "\"Enabled\":false"),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, &flags);
    let mut config = Config::default();
    config.filter = FlagFilter::default().with_only_enabled();
    let parts = source.parts().with_archive(archive.clone());
    let client = Client::new(parts, config).await.unwrap();
    assert_eq!(
        (reason(&client, "broken"), reason(&client, "off")),
        (Reason::Error, Reason::Filtered)
    );
    client.stop().await;

    // The same source, nothing changed there; the filter is another.
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, &flags);
    let client = start(&source, archive).await;
    client.refresh().await.unwrap();
    assert_eq!(
        (reason(&client, "broken"), reason(&client, "off")),
        (Reason::Error, Reason::Disabled)
    );
    assert_eq!((reason(&client, "a"), client.stats().quarantined), (Reason::Static, 1));
}

#[tokio::test]
async fn flags_of_another_source_are_not_served() {
    #[derive(Debug)]
    struct Other(Arc<MemoryArchive>);
    #[async_trait]
    impl FlagArchive for Other {
        async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
            let loaded = self.0.load().await?;
            Ok(loaded.map(|it| Archived { source: "somebody else".into(), ..it }))
        }
        async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
            self.0.save(flags).await
        }
        fn describe(&self) -> String {
            "other".to_owned()
        }
    }
    let archive = archived(&[&flag(1, "a", "")]).await;
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(3, &[&flag(2, "b", "")]);
    let client = start(&source, Arc::new(Other(archive.clone()))).await;
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::NotFound, Reason::Static));
    client.stop().await;
    let saved = archive.load().await.unwrap().unwrap();
    assert_eq!(&*saved.source, "a script", "and are replaced by those of this one");
}

#[tokio::test]
async fn the_last_good_version_of_a_bad_flag_outlives_a_restart() {
    let archive = Arc::new(MemoryArchive::new());
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, &[&flag(1, "a", &constraint("country", "EQ", "\"US\""))]);
    let bad = flag(1, "a", &constraint("country", "EQ", "US"));
    source.then_numbered(6, &[&bad, &flag(2, "b", "")]);
    let client = start(&source, archive.clone()).await;
    client.refresh().await.unwrap();
    assert_eq!(reason(&client, "a"), Reason::TargetingMatch);
    client.stop().await;

    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Fails);
    let client = start(&source, archive).await;
    assert_eq!(
        (reason(&client, "a"), reason(&client, "b")),
        (Reason::TargetingMatch, Reason::Static)
    );
}

/// An archive that fails when it is told to, and that somebody else may hold.
#[derive(Debug, Default)]
struct Shared {
    inner: Mutex<Arc<MemoryArchive>>,
    fails: AtomicBool,
    followed: AtomicBool,
    news: Notify,
    saves: Mutex<Vec<Revision>>,
}

impl Shared {
    fn inner(&self) -> Arc<MemoryArchive> {
        Arc::clone(&self.inner.lock().unwrap())
    }

    fn lose_everything(&self) {
        *self.inner.lock().unwrap() = Arc::default();
        self.news.notify_one();
    }

    /// The revision that is in there, once there is one.
    async fn revision(&self) -> Revision {
        loop {
            match self.load().await.unwrap() {
                Some(archived) => return archived.revision,
                None => tokio::task::yield_now().await,
            }
        }
    }
}

#[async_trait]
impl FlagArchive for Shared {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        self.inner().load().await
    }

    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(ArchiveError::new(ArchiveErrorKind::Unavailable, "the disk is full"));
        }
        self.saves.lock().unwrap().push(flags.revision);
        self.inner().save(flags).await
    }

    fn describe(&self) -> String {
        "shared".to_owned()
    }

    async fn changed(&self) {
        self.news.notified().await;
    }

    async fn leads(&self) -> bool {
        !self.followed.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_save_that_fails_is_told_and_made_up_for() {
    let archive = Arc::new(Shared::default());
    archive.fails.store(true, Ordering::Relaxed);
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, &[&flag(1, "a", "")]);
    source.then(Answer::Unchanged);
    let client = start(&source, archive.clone()).await;
    assert_eq!(reason(&client, "a"), Reason::Static, "serving goes on");
    let failure = Some("the disk is full");
    assert_eq!(client.stats().archive_error.as_deref(), failure);
    assert_eq!(client.stats().archives[0].error.as_deref(), failure);
    archive.fails.store(false, Ordering::Relaxed);
    client.refresh().await.unwrap();
    client.stop().await;
    assert_eq!(archive.saves.lock().unwrap().len(), 1);
    assert_eq!(client.stats().archive_error, None);
    assert_eq!(client.stats().archives[0].error, None);
}

#[tokio::test]
async fn one_asks_the_source_and_the_others_follow() {
    let archive = Arc::new(Shared::default());
    let leader_source = Scripted::new(Strictness::AsStored);
    leader_source.then_numbered(5, &[&flag(1, "a", "")]);
    // It leads all the time, and hears no news, of which there is one at a time.
    let leader = start(&leader_source, Hidden::of(&archive, false)).await;

    archive.followed.store(true, Ordering::Relaxed);
    let source = Scripted::new(Strictness::AsStored);
    let follower = start(&source, archive.clone()).await;
    assert_eq!(reason(&follower, "a"), Reason::Static);
    let fetches = || source.fetches.load(Ordering::Relaxed);

    let mut changes = follower.subscribe();
    leader_source.then_numbered(6, &[&flag(2, "b", "")]);
    leader.refresh().await.unwrap();
    // It is saved after those who wait are answered, and once more when the dates of its flags are known.
    while follower.stats().revision != leader.stats().revision {
        archive.news.notify_one();
        tokio::task::yield_now().await;
    }
    assert_eq!(changes.next().await.unwrap().added, [Box::<str>::from("b")]);
    assert_eq!(fetches(), 0, "the follower asked nobody");

    // The one who asked is gone: everybody asks for itself.
    archive.followed.store(false, Ordering::Relaxed);
    source.then_numbered(7, &[&flag(3, "c", "")]);
    while follower.refresh().await.is_err() {} // the script begins with a failure
    assert!(fetches() > 0);
    assert_eq!(reason(&follower, "c"), Reason::Static);
}

#[tokio::test]
async fn a_later_revision_of_somebody_else_is_followed_or_passed() {
    let archive = Arc::new(Shared::default());
    let (here, there) = (Scripted::new(Strictness::AsStored), Scripted::new(Strictness::AsStored));
    here.then_numbered(5, &[&flag(1, "a", "")]);
    let ours = start(&here, archive.clone()).await;
    there.then_numbered(5, &[&flag(1, "a", "")]);
    let theirs = start(&there, archive.clone()).await;
    for number in 6..10 {
        there.then_numbered(number, &[&flag(number, "new", "")]);
    }
    while theirs.stats().max_snapshot_id < 9 {
        theirs.refresh().await.unwrap();
    }
    theirs.stop().await; // with everything saved
    // Ours sees an older state of the source, late: what they have archived is newer.
    here.then_numbered(6, &[&flag(6, "new", "")]);
    let mut changes = ours.subscribe();
    ours.refresh().await.unwrap();
    while ours.stats().max_snapshot_id < 9 {
        changes.next().await.unwrap();
    }
    assert_eq!(ours.stats().revision, theirs.stats().revision);

    // And then a newer one, which gets a revision behind theirs.
    here.then_numbered(20, &[&flag(20, "newest", "")]);
    ours.refresh().await.unwrap();
    assert!(theirs.stats().revision < ours.stats().revision);
    let _: &dyn FlagSource = &*here;
}

async fn what_was_lost_is_saved_again(export: ExportPolicy, expected: u64) {
    let archive = Arc::new(Shared::default());
    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Same(5, format!("[{}]", flag(1, "a", ""))));
    let mut config = Config::default();
    config.export = export;
    let parts = source.parts().with_archive(archive.clone());
    let client = Client::new(parts, config).await.unwrap();
    assert_eq!(archive.revision().await.sequence, 1);

    archive.lose_everything();
    assert_eq!(archive.revision().await.sequence, expected);
    let archived = archive.load().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&archived.document).contains(r#""Key":"a""#));
    assert_eq!(archived.marker.max_snapshot_id, Some(5));
    client.stop().await;
}

#[tokio::test]
async fn a_shared_archive_that_lost_its_flags_is_filled_again_from_the_document() {
    what_was_lost_is_saved_again(ExportPolicy::Keep, 1).await;
}

#[tokio::test]
async fn a_shared_archive_that_lost_its_flags_is_filled_again_from_the_source() {
    // Nobody here has the definitions any more: they are read again, and so are a publication of their own.
    what_was_lost_is_saved_again(ExportPolicy::Drop, 2).await;
}

#[tokio::test]
async fn who_follows_fills_nothing() {
    let archive = Arc::new(Shared::default());
    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Same(5, format!("[{}]", flag(1, "a", ""))));
    let client = start(&source, archive.clone()).await;
    archive.followed.store(true, Ordering::Relaxed);
    archive.lose_everything();
    client.refresh().await.unwrap();
    client.refresh().await.unwrap();
    assert!(archive.load().await.unwrap().is_none());
    assert!(source.fetches.load(Ordering::Relaxed) > 1, "it asks for itself meanwhile");
}

/// While all ask for themselves they count alike.
#[tokio::test]
async fn the_same_revision_of_other_flags_is_not_taken_for_ones_own() {
    let archive = Arc::new(Shared::default());
    let there = Scripted::new(Strictness::AsStored);
    there.then_numbered(6, &[&flag(2, "b", "")]);
    start(&there, archive.clone()).await.stop().await;

    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, &[&flag(1, "a", "")]);
    source.then_numbered(7, &[&flag(3, "c", "")]);
    source.then(Answer::Unchanged);
    let hidden = Hidden::of(&archive, true);
    let follower = start(&source, hidden.clone()).await;
    let revision = archive.load().await.unwrap().unwrap().revision;
    assert_eq!((follower.stats().revision, reason(&follower, "a")), (revision, Reason::Static));
    hidden.is_away.store(false, Ordering::Relaxed);
    hidden.follows.store(true, Ordering::Relaxed);
    follower.refresh().await.unwrap();
    assert_eq!(reason(&follower, "c"), Reason::Static, "it asked for itself");
}

/// One's own view of an archive: it cannot be reached for a while, tells no news, and leads until told otherwise.
#[derive(Debug)]
struct Hidden {
    archive: Arc<Shared>,
    is_away: AtomicBool,
    follows: AtomicBool,
}

impl Hidden {
    fn of(archive: &Arc<Shared>, is_away: bool) -> Arc<Self> {
        Arc::new(Self {
            archive: Arc::clone(archive),
            is_away: AtomicBool::new(is_away),
            follows: AtomicBool::new(false),
        })
    }

    fn reach(&self) -> Result<&Shared, ArchiveError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(ArchiveError::new(ArchiveErrorKind::Unavailable, "it is hidden"));
        }
        Ok(&self.archive)
    }
}

#[async_trait]
impl FlagArchive for Hidden {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        self.reach()?.load().await
    }

    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        self.reach()?.save(flags).await
    }

    fn describe(&self) -> String {
        "hidden".to_owned()
    }

    async fn leads(&self) -> bool {
        !self.follows.load(Ordering::Relaxed)
    }
}
