//! When the source confirmed the flags: over a restart, and from the one that asks it to those that follow.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use vexilla::{
    Client, Config, Context, DiskArchive, DiskConfig, ExportPolicy, MemoryArchive, Reason,
    Refreshed, Revision,
};
use vexilla_domain::{
    ArchiveError, ArchiveErrorKind, Archived, Confirmation, FlagArchive, Strictness,
};

use crate::refresh::settle;
use crate::scripted::{Answer, Scripted, constraint, flag};

const INTERVAL: Duration = Duration::from_secs(100);
const MOST: Duration = Duration::from_secs(600);

/// What one client sees of an archive that several share.
#[derive(Debug)]
struct Member {
    shared: Arc<MemoryArchive>,
    leads: AtomicBool,
    loads: AtomicU64,
}

impl Member {
    fn of(shared: &Arc<MemoryArchive>, leads: bool) -> Arc<Self> {
        Arc::new(Self { shared: Arc::clone(shared), leads: leads.into(), loads: AtomicU64::new(0) })
    }
}

#[async_trait]
impl FlagArchive for Member {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.shared.load().await
    }

    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        self.shared.save(flags).await
    }

    async fn confirm(&self, confirmation: &Confirmation) -> Result<bool, ArchiveError> {
        self.shared.confirm(confirmation).await
    }

    async fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        self.shared.held().await
    }

    fn describe(&self) -> String {
        "shared".to_owned()
    }

    async fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }
}

fn config() -> Config {
    let mut config = Config::default();
    config.refresh_interval = INTERVAL;
    config.max_staleness = Some(MOST);
    config
}

async fn start(source: &Arc<Scripted>, archive: Arc<dyn FlagArchive>) -> Client {
    Client::new(source.parts().with_archive(archive), config()).await.unwrap()
}

fn reason(client: &Client) -> Reason {
    client.local().evaluate("a", &Context::new("u")).reason
}

/// A source that has had one flag for long.
fn source() -> Arc<Scripted> {
    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Same(5, format!("[{}]", flag(1, "a", ""))));
    source
}

/// A leader and a follower, with what each sees.
struct Fleet {
    sources: [Arc<Scripted>; 2],
    clients: [Client; 2],
    follower: Arc<Member>,
}

impl Fleet {
    async fn start() -> Self {
        let shared = Arc::new(MemoryArchive::new());
        let sources = [source(), source()];
        let leader = start(&sources[0], Member::of(&shared, true)).await;
        let follower = Member::of(&shared, false);
        let other = start(&sources[1], follower.clone()).await;
        settle().await;
        Self { sources, clients: [leader, other], follower }
    }

    /// Lets time pass, for clocks and timers.
    async fn pass(&self, time: Duration) {
        for source in &self.sources {
            source.advance(time);
        }
        tokio::time::advance(time).await;
        settle().await;
    }

    fn both<T>(&self, of: impl Fn(&Client) -> T) -> [T; 2] {
        self.clients.each_ref().map(of)
    }
}

#[tokio::test(start_paused = true)]
async fn who_follows_stays_as_fresh_as_who_asks_and_reads_the_flags_once() {
    let fleet = Fleet::start().await;
    assert_eq!(fleet.both(|it| it.stats().stale), [false, false], "from the start");
    for _ in 0..40 {
        fleet.pass(INTERVAL / 2).await;
        assert_eq!(fleet.both(reason), [Reason::Static; 2]);
        assert_eq!(fleet.both(|it| it.stats().stale), [false, false]);
        assert!(fleet.clients[1].stats().age.unwrap() <= INTERVAL * 3);
    }
    assert_eq!(fleet.follower.loads.load(Ordering::Relaxed), 1);
    assert_eq!(fleet.sources[1].fetches.load(Ordering::Relaxed), 0, "it asked nobody");
    assert_eq!(fleet.both(|it| it.stats().revision.sequence), [1, 1], "nothing is announced");

    // A change is read.
    fleet.sources[0].then_numbered(6, &[&flag(1, "a", &constraint("x", "EQ", "1"))]);
    fleet.sources[0].then(Answer::Unchanged);
    fleet.clients[0].refresh().await.unwrap();
    while fleet.both(reason) != [Reason::NoMatch; 2] {
        fleet.pass(INTERVAL / 2).await;
    }
    assert_eq!(fleet.follower.loads.load(Ordering::Relaxed), 2);
    for _ in 0..20 {
        fleet.pass(INTERVAL / 2).await;
        assert_eq!(fleet.both(reason), [Reason::NoMatch; 2]);
    }
    assert_eq!(fleet.follower.loads.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn without_the_source_both_get_stale_and_expire_and_both_come_back() {
    let fleet = Fleet::start().await;
    for _ in 0..10 {
        fleet.pass(INTERVAL / 2).await;
    }
    fleet.clients[1].refresh().await.unwrap(); // the first answer of its script
    for source in &fleet.sources {
        source.then(Answer::Fails);
    }
    let mut staled = [None::<i32>; 2];
    let mut expired = [None::<i32>; 2];
    for step in 0..24 {
        fleet.pass(INTERVAL / 2).await;
        for (at, client) in fleet.clients.iter().enumerate() {
            if client.stats().stale {
                staled[at].get_or_insert(step);
            }
            if reason(client) == Reason::Fallback {
                expired[at].get_or_insert(step);
            }
        }
    }
    let [leader, follower] = staled.map(Option::unwrap);
    assert!(leader <= follower && follower <= leader + 8, "stale in {leader} and {follower}");
    let [leader, follower] = expired.map(Option::unwrap);
    assert!(leader.abs_diff(follower) <= 2_u32, "expired in {leader} and {follower}");
    // The last look was an interval ago at most, and its jitter.
    assert!(9 <= leader, "not before its time, but in {leader}");

    fleet.sources[0].then(Answer::Unchanged);
    for _ in 0..6 {
        fleet.pass(INTERVAL / 2).await;
    }
    assert_eq!(fleet.both(reason), [Reason::Static; 2]);
    assert_eq!(fleet.both(|it| it.stats().stale), [false, false]);
}

#[tokio::test(start_paused = true)]
async fn who_begins_to_follow_flags_that_nobody_confirms_is_stale() {
    let shared = Arc::new(MemoryArchive::new());
    start(&source(), Member::of(&shared, true)).await.stop().await;
    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Fails);
    source.advance(INTERVAL * 3);
    let client = start(&source, Member::of(&shared, false)).await;
    settle().await;
    assert_eq!((reason(&client), client.stats().stale), (Reason::Static, true));
    assert_eq!(client.stats().age, Some(INTERVAL * 3));
    // And when somebody does, it is not.
    let confirmation = shared.held().await.unwrap().unwrap();
    let refreshed_at_ms = confirmation.refreshed_at_ms + 290_000;
    let confirmation = Confirmation { refreshed_at_ms, ..confirmation };
    assert!(shared.confirm(&confirmation).await.unwrap());
    tokio::time::advance(INTERVAL * 2).await; // its own clock stands still
    settle().await;
    assert_eq!((client.stats().age, client.stats().stale), (Some(INTERVAL / 10), false));
}

#[tokio::test(start_paused = true)]
async fn who_follows_asks_for_itself_where_the_leader_has_no_answer_any_more() {
    let fleet = Fleet::start().await;
    // The first look compiles, in a thread that knows nothing of paused time.
    fleet.clients[1].refresh().await.unwrap();
    let before = fleet.sources[1].fetches.load(Ordering::Relaxed);
    fleet.sources[0].then(Answer::Fails);
    for _ in 0..20 {
        fleet.pass(INTERVAL / 2).await;
    }
    assert!(fleet.sources[1].fetches.load(Ordering::Relaxed) > before);
    assert!(!fleet.clients[1].stats().stale);
    assert!(fleet.clients[1].stats().age.unwrap() <= INTERVAL * 4);
    // Who leads has no answer, and nobody here takes its place.
    assert_eq!(fleet.both(reason), [Reason::Fallback, Reason::Static]);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_is_still_to_come_is_now_and_no_later() {
    let shared = Arc::new(MemoryArchive::new());
    start(&source(), Member::of(&shared, true)).await.stop().await;
    let confirmation = shared.held().await.unwrap().unwrap();
    let lie = Confirmation { refreshed_at_ms: u64::MAX, ..confirmation };
    assert!(shared.confirm(&lie).await.unwrap());
    for leads in [false, true] {
        let source = Scripted::new(Strictness::AsStored);
        source.then(Answer::Fails);
        let client = start(&source, Member::of(&shared, leads)).await;
        assert_eq!(client.stats().age, Some(Duration::ZERO));
        let pass = async |time| {
            source.advance(time);
            tokio::time::advance(time).await;
            settle().await;
        };
        pass(Duration::from_secs(599)).await;
        assert_eq!(reason(&client), Reason::Static);
        assert_eq!(client.stats().age, Some(Duration::from_secs(599)));
        pass(Duration::from_secs(2)).await;
        assert_eq!(reason(&client), Reason::Fallback, "it lives no longer for the lie");
        client.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn rules_get_too_old_while_the_source_hangs() {
    let source = source();
    let client = source.client(config()).await;
    settle().await;
    source.then(Answer::Wait);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.refresh().await }
    });
    settle().await;
    tokio::time::advance(Duration::from_secs(599)).await;
    settle().await;
    assert_eq!(reason(&client), Reason::Static);
    tokio::time::advance(Duration::from_secs(2)).await;
    settle().await;
    assert_eq!(reason(&client), Reason::Fallback);
    source.gate.add_permits(1000);
    waiting.await.unwrap().unwrap();
    assert_eq!(reason(&client), Reason::Static);
}

/// The archive in a folder, as soon as the one before has let go of it: what was on its way there goes on to its end.
async fn disk(folder: &Path) -> Arc<dyn FlagArchive> {
    loop {
        match DiskArchive::open(folder, DiskConfig::default()) {
            Ok(archive) => return Arc::new(archive),
            Err(error) => assert_eq!(error.kind(), ArchiveErrorKind::Locked, "{error}"),
        }
        tokio::task::yield_now().await;
    }
}

fn generations(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).map(|it| it.map(|it| it.unwrap().path()));
    entries
        .into_iter()
        .flatten()
        .filter(|it| it.extension().is_some_and(|it| it == "flags"))
        .count()
}

#[tokio::test]
async fn a_restart_in_an_outage_goes_on_from_the_last_confirmation() {
    let folder = tempfile::tempdir().unwrap();
    let day = Duration::from_secs(24 * 3600);
    let source_before = source();
    let client = start(&source_before, disk(folder.path()).await).await;
    source_before.advance(day);
    client.refresh().await.unwrap();
    client.stop().await;
    drop(client);
    assert_eq!(generations(folder.path()), 1);

    let check = async |later: Duration, expected: Reason| {
        let source = Scripted::new(Strictness::AsStored);
        source.advance(day + later);
        source.then(Answer::Fails);
        let client = start(&source, disk(folder.path()).await).await;
        assert_eq!((client.stats().age, reason(&client)), (Some(later), expected));
        assert!(client.stats().stale);
        client.stop().await;
    };
    check(Duration::from_secs(60), Reason::Static).await;
    check(MOST, Reason::Fallback).await;
    // Without it they are a day old.
    fs::write(folder.path().join("confirmed"), "damaged").unwrap();
    let source = Scripted::new(Strictness::AsStored);
    source.advance(day);
    source.then(Answer::Fails);
    let client = start(&source, disk(folder.path()).await).await;
    assert_eq!((client.stats().age, reason(&client)), (Some(day), Reason::Fallback));
}

#[tokio::test]
async fn a_restart_with_unchanged_flags_writes_and_announces_nothing() {
    for export in [ExportPolicy::Keep, ExportPolicy::Drop] {
        let folder = tempfile::tempdir().unwrap();
        for restart in 0..4 {
            let source = source();
            let mut config = config();
            config.export = export;
            let parts = source.parts().with_archive(disk(folder.path()).await);
            let client = Client::new(parts, config).await.unwrap();
            let mut changes = client.subscribe();
            assert_eq!(client.refresh().await.unwrap(), Refreshed::Unchanged);
            let stats = client.stats();
            assert_eq!(stats.revision, Revision { epoch: 0, sequence: 1 }, "restart {restart}");
            assert_eq!((&*stats.origin, stats.stale), ("a script", false));
            client.stop().await;
            drop(client);
            assert_eq!(changes.next().await, None);
            assert_eq!(generations(folder.path()), 1, "restart {restart}");
        }
        // What did change is written.
        let changed = Scripted::new(Strictness::AsStored);
        changed.then(Answer::Same(6, format!("[{},{}]", flag(1, "a", ""), flag(2, "b", ""))));
        let client = start(&changed, disk(folder.path()).await).await;
        client.refresh().await.unwrap();
        assert_eq!(client.stats().revision.sequence, 2);
        client.stop().await;
        assert_eq!(generations(folder.path()), 2);
    }
}

#[tokio::test]
async fn a_folder_that_is_removed_while_running_is_filled_again() {
    for export in [ExportPolicy::Keep, ExportPolicy::Drop] {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("archive");
        let source = source();
        let mut config = config();
        config.export = export;
        let parts = source.parts().with_archive(disk(&folder).await);
        let client = Client::new(parts, config).await.unwrap();
        let until = async |holds: &dyn Fn() -> bool| {
            let refreshing = async {
                while !holds() {
                    client.refresh().await.unwrap();
                }
            };
            tokio::time::timeout(Duration::from_secs(60), refreshing).await.unwrap();
        };
        let is_written = || generations(&folder) > 0;
        until(&is_written).await;
        // Something may be written there at this moment.
        while fs::remove_dir_all(&folder).is_err() {}
        until(&is_written).await;
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let _ = fs::remove_file(entry.path());
        }
        until(&is_written).await;

        // It cannot be made again: that is reported, until it can.
        while fs::write(&folder, "a file is in the way").is_err() {
            let _ = fs::remove_dir_all(&folder);
        }
        until(&|| client.stats().archive_error.is_some()).await;
        assert_eq!(reason(&client), Reason::Static, "serving goes on");
        fs::remove_file(&folder).unwrap();
        until(&|| is_written() && client.stats().archive_error.is_none()).await;
        client.stop().await;
        let archived = DiskArchive::peek(&folder, DiskConfig::default()).unwrap().unwrap();
        assert!(String::from_utf8_lossy(&archived.document).contains(r#""Key":"a""#));
    }
}
