//! A budget of memory: which flags exist, and what comes out of them, is the same as without one.

// tidy: long because its cases share one archive, one source, and what counts reads of bodies.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use vexilla::{
    CacheConfig, Client, Config, Context, DiskArchive, DiskConfig, ExportPolicy, FileSource,
    MemoryArchive, Parts, Reason, Refreshed,
};
use vexilla_domain::json::{read_flags, write_flags};
use vexilla_domain::{
    ArchiveError, ArchiveErrorKind, Archived, Batch, Debug, Engine, Flag, FlagArchive, FlagId,
    FlagRef, FlagState, FlagTest, Marker, Operator, Revision, Strictness,
};

use crate::scripted::{Answer, Scripted, constraint, flag};

/// An archive that does what a test says.
#[derive(Debug)]
struct Tampered {
    inner: MemoryArchive,
    /// Loads of single flags.
    loads: AtomicU64,
    /// What each of them waits for.
    gate: Semaphore,
    is_gone: AtomicBool,
    /// It gives this flag, whatever was asked for.
    lie: Mutex<Option<Flag>>,
}

impl Tampered {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryArchive::new(),
            loads: AtomicU64::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            is_gone: AtomicBool::new(false),
            lie: Mutex::default(),
        })
    }

    fn error() -> ArchiveError {
        ArchiveError::new(ArchiveErrorKind::Corrupt, "the test says so")
    }
}

#[async_trait]
impl FlagArchive for Tampered {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(Self::error());
        }
        self.inner.load().await
    }

    async fn save(&self, flags: &Archived) -> Result<(), ArchiveError> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(Self::error());
        }
        self.inner.save(flags).await
    }

    async fn load_flag(
        &self,
        id: FlagId,
        is_wanted: FlagTest<'_>,
    ) -> Result<Option<Flag>, ArchiveError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.gate.acquire().await.unwrap().forget();
        if let Some(lie) = &*self.lie.lock().unwrap() {
            return Ok(Some(lie.clone()));
        }
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(Self::error());
        }
        self.inner.load_flag(id, is_wanted).await
    }

    fn describe(&self) -> String {
        "a test".to_owned()
    }
}

async fn client(source: &Arc<Scripted>, archive: Arc<dyn FlagArchive>, budget: u64) -> Client {
    let parts = source.parts().with_archive(archive);
    let parts = parts.with_memory_budget(&CacheConfig::with_budget(budget)).unwrap();
    let mut config = Config::default();
    config.export = ExportPolicy::Keep;
    config.miss_timeout = Duration::from_secs(60);
    Client::new(parts, config).await.unwrap()
}

fn reason(client: &Client, key: &str) -> Reason {
    client.local().evaluate(key, &Context::new("u").with("country", "US")).reason
}

fn read(flag: &str) -> Flag {
    read_flags(format!("[{flag}]").as_bytes()).unwrap().flags.remove(0)
}

/// So small that nothing is ever held.
const NOTHING: u64 = 1;

const PLENTY: u64 = 1 << 20;

#[tokio::test]
async fn a_budget_needs_an_archive() {
    let source = Scripted::new(Strictness::AsStored);
    let parts = source.parts().with_memory_budget(&CacheConfig::with_budget(PLENTY)).unwrap();
    let error = Client::new(parts, Config::default()).await.unwrap_err().to_string();
    assert!(error.contains("memory_budget") && error.contains("needs an archive"), "{error}");
}

#[tokio::test]
async fn what_is_not_held_is_loaded_once_for_all_who_miss_it() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", "")]);
    let archive = Tampered::new();
    let client = client(&source, archive.clone(), NOTHING).await;
    assert_eq!(archive.loads.load(Ordering::Relaxed), 0);

    archive.gate.forget_permits(Semaphore::MAX_PERMITS);
    let ctx = Context::new("u");
    let all = futures_of(20, || client.evaluate("a", &ctx));
    let open = async { archive.gate.add_permits(20) };
    let (answers, ()) = tokio::join!(all, open);
    assert!(answers.iter().all(|it| it.reason == Reason::Static && it.variant_key() == Some("on")));
    assert_eq!(archive.loads.load(Ordering::Relaxed), 1);
    client.stop().await;
}

async fn futures_of<T, F: Future<Output = T>>(count: usize, make: impl Fn() -> F) -> Vec<T> {
    let mut waiting: Vec<_> = (0..count).map(|_| Box::pin(make())).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, done) in waiting.iter_mut().zip(&mut done).filter(|it| it.1.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(cx) {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_call_that_does_not_wait_says_so_and_has_it_loaded() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", ""), &flag(2, "b", "")]);
    let archive = Tampered::new();
    client(&source, archive.clone(), PLENTY).await.stop().await;
    // A start from the archive holds what fits too: here nothing does yet.
    let small = client(&source, archive.clone(), NOTHING).await;
    assert_eq!(reason(&small, "a"), Reason::NeedsRemote);
    assert_eq!(small.flag("a").evaluate(&Context::new("u")).reason, Reason::NeedsRemote);
    let explanation = small.explain("a", &Context::new("u")).unwrap();
    assert_eq!(explanation.evaluation.reason, Reason::NeedsRemote);
    assert_eq!(reason(&small, "no-such-flag"), Reason::NotFound);
    small.stop().await;

    let large = client(&source, archive.clone(), PLENTY).await;
    while [reason(&large, "a"), reason(&large, "b")] != [Reason::Static; 2] {
        yield_now().await;
    }
    let handle = large.flag("b");
    assert_eq!(handle.evaluate(&Context::new("u")).reason, Reason::Static);
    let counts = large.stats().bodies.unwrap();
    assert!(counts.entries == 2 && counts.bytes > 0 && counts.hits > 0, "{counts:?}");
    large.stop().await;
}

#[tokio::test]
async fn with_archive_and_source_gone_nothing_expires() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", "")]);
    let archive = Tampered::new();
    let client = client(&source, archive.clone(), PLENTY).await;
    let ctx = Context::new("u");
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::Static);
    let loads = archive.loads.load(Ordering::Relaxed);

    archive.is_gone.store(true, Ordering::Relaxed);
    source.then(Answer::Fails);
    for _ in 0..3 {
        source.advance(Duration::from_secs(24 * 3600));
        assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::Static);
        assert_eq!(reason(&client, "a"), Reason::Static);
    }
    assert!(loads < archive.loads.load(Ordering::Relaxed), "it was tried");
    client.stop().await;
}

#[tokio::test]
async fn an_archive_that_lies_or_fails_is_not_believed() {
    let source = Scripted::new(Strictness::AsStored);
    let newer = flag(1, "a", &constraint("country", "EQ", "\"US\""));
    let older = read(&flag(1, "a", ""));
    source.then_flags(&[&newer]);
    let archive = Tampered::new();
    let client = client(&source, archive.clone(), NOTHING).await;
    let ctx = Context::new("u").with("country", "US");
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::TargetingMatch);

    // Where nobody has it, that is not "no such flag".
    *archive.lie.lock().unwrap() = Some(older.clone());
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::Fallback);
    source.knows(1, FlagState::Found(Box::new(older)));
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::Fallback, "the source is behind");
    let many = client.evaluate_many(&["a", "none"], &ctx).await;
    assert_eq!((many[0].reason, many[1].reason), (Reason::Fallback, Reason::NotFound));

    source.knows(1, FlagState::Found(Box::new(read(&newer))));
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::TargetingMatch);
    archive.lie.lock().unwrap().take();
    archive.is_gone.store(true, Ordering::Relaxed);
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::TargetingMatch);
    client.stop().await;
}

#[tokio::test]
async fn a_change_is_never_answered_by_what_was_before() {
    let source = Scripted::new(Strictness::AsStored);
    let archive = Tampered::new();
    source.then_numbered(1, &[&flag(1, "a", "")]);
    let client = client(&source, archive.clone(), PLENTY).await;
    let ctx = Context::new("u").with("country", "US");
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::Static);

    // It cannot be archived: what is there is older than what is served.
    archive.is_gone.store(true, Ordering::Relaxed);
    let newer = flag(1, "a", &constraint("country", "EQ", "\"US\""));
    source.then_numbered(2, &[&newer]);
    client.refresh().await.unwrap();
    archive.is_gone.store(false, Ordering::Relaxed);
    let answer = client.evaluate("a", &ctx).await.reason;
    assert!(matches!(answer, Reason::TargetingMatch | Reason::Fallback), "{answer}");
    source.knows(1, FlagState::Found(Box::new(read(&newer))));
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::TargetingMatch);

    // The next look archives it, though nothing changed since.
    client.refresh().await.unwrap();
    source.knows(1, FlagState::Unknown);
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::TargetingMatch);
    let archived = archive.load().await.unwrap().unwrap();
    assert_eq!(archived.revision, client.stats().revision);
    client.stop().await;
}

/// What somebody else has archived is served then, and nothing of what was found before it.
#[tokio::test]
async fn what_is_superseded_is_not_shown() {
    let source = Scripted::new(Strictness::AsStored);
    let archive = Tampered::new();
    source.then_numbered(1, &[&flag(1, "a", "")]);
    let client = client(&source, archive.clone(), PLENTY).await;
    let mut changes = client.subscribe();

    let held = archive.load().await.unwrap().unwrap();
    let mut document = write_flags(&[read(&flag(2, "b", ""))]);
    document.push(b'\n');
    let marker = Marker { max_snapshot_id: Some(9), content: 9 };
    let revision = Revision { sequence: held.revision.sequence + 10, ..held.revision };
    let theirs = Archived { document: document.into(), marker, revision, ..held };
    archive.save(&theirs).await.unwrap();
    source.then_numbered(2, &[&flag(1, "a", &constraint("country", "EQ", "\"US\""))]);
    // What was taken over is compared with the source soon.
    source.then_numbered(10, &[&flag(2, "b", ""), &flag(3, "c", "")]);
    assert_eq!(client.refresh().await.unwrap(), Refreshed::Published(revision));
    let (loads, ctx) = (archive.loads.load(Ordering::Relaxed), Context::new("u"));
    assert_eq!(client.evaluate("b", &ctx).await.reason, Reason::Static);
    assert_eq!(archive.loads.load(Ordering::Relaxed), loads, "its body stayed");
    assert_eq!(client.evaluate("a", &ctx).await.reason, Reason::NotFound);

    client.refresh().await.unwrap();
    let told = [changes.next().await.unwrap(), changes.next().await.unwrap()];
    assert_eq!(told[0].removed, [Box::<str>::from("a")]);
    assert_eq!(told[0].revision, revision);
    assert!(revision < told[1].revision && told[1].removed.is_empty(), "{told:?}");
    client.stop().await;
}

/// A file gives no single flag: what is served meanwhile is read from the archive alone, from before the change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_a_file_leaves_nobody_without_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    let write = |version: u32| {
        let value = format!("\"version {version}\"");
        let constraint = constraint("country", "EQ", &value);
        let flags: Vec<_> = (1..=4).map(|id| flag(id, &format!("f{id}"), &constraint)).collect();
        let new = folder.path().join("new");
        std::fs::write(&new, format!("{{\"Flags\":[{}]}}", flags.join(","))).unwrap();
        std::fs::rename(new, &path).unwrap();
    };
    write(0);
    let archive = DiskArchive::open(folder.path().join("archive"), DiskConfig::default()).unwrap();
    let parts = Parts::new(Arc::new(FileSource::new(&path))).with_archive(Arc::new(archive));
    let parts = parts.with_memory_budget(&CacheConfig::with_budget(NOTHING)).unwrap();
    let mut config = Config::default();
    config.refresh_interval = Duration::from_secs(3600);
    config.miss_timeout = Duration::from_secs(60);
    let client = Client::new(parts, config).await.unwrap();

    let (rounds, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let asking = tokio::spawn({
        let (client, rounds, done) = (client.clone(), Arc::clone(&rounds), Arc::clone(&done));
        async move {
            let ctx = Context::new("u").with("country", "US");
            while !done.load(Ordering::Relaxed) {
                for key in ["f1", "f2", "f3", "f4"] {
                    let reason = client.evaluate(key, &ctx).await.reason;
                    assert_ne!(reason, Reason::Fallback, "{key}");
                }
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    for version in 1..=50 {
        write(version);
        assert!(matches!(client.refresh().await.unwrap(), Refreshed::Published(_)));
        // Each call meets one change at most.
        let before = rounds.load(Ordering::Relaxed);
        while rounds.load(Ordering::Relaxed) < before + 2 && !asking.is_finished() {
            yield_now().await;
        }
    }
    done.store(true, Ordering::Relaxed);
    asking.await.unwrap();
    client.stop().await;
}

#[tokio::test]
async fn a_flag_that_was_deleted_meanwhile_leads_to_a_look() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_numbered(5, &[&flag(1, "a", ""), &flag(2, "b", "")]);
    source.then(Answer::Unchanged);
    let archive = Tampered::new();
    let client = client(&source, archive.clone(), NOTHING).await;
    let mut changes = client.subscribe();
    archive.is_gone.store(true, Ordering::Relaxed);
    source.knows(1, FlagState::Gone { id: FlagId(1), newest: 6 });
    assert_eq!(client.evaluate("a", &Context::new("u")).await.reason, Reason::Fallback);
    assert_eq!(changes.next().await.unwrap().removed, [Box::<str>::from("a")]);
    assert_eq!(client.evaluate("a", &Context::new("u")).await.reason, Reason::NotFound);
    client.stop().await;
}

/// Flags with a constraint and two variants, some of them disabled or without segments.
fn flags(count: u64) -> String {
    let flag = |n: u64| {
        let id = n + 1;
        let (enabled, segments) = (n % 50 != 3, n % 50 != 4);
        let segment = format!(
            r#"{{"ID":{id},"RolloutPercent":100,
            "Constraints":[{{"ID":{id},"Property":"n","Operator":"LT","Value":"{}"}}],
            "Distributions":[{{"ID":{id},"VariantKey":"a","Percent":40}},{{"ID":{},"VariantKey":"b","Percent":60}}]}}"#,
            n % 100,
            id + count
        );
        format!(
            r#"{{"ID":{id},"Key":"flag-{n}","Enabled":{enabled},"SnapshotID":{id},
            "Variants":[{{"ID":{id},"Key":"a"}},{{"ID":{},"Key":"b"}}],"Segments":[{}]}}"#,
            id + count,
            if segments { segment.as_str() } else { "" }
        )
    };
    let flags: Vec<String> = (0..count).map(flag).collect();
    format!("[{}]", flags.join(","))
}

#[tokio::test]
async fn a_million_answers_are_those_of_a_client_without_a_budget() {
    const FLAGS: u64 = 1_000;
    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Same(1, flags(FLAGS)));
    let folder = tempfile::tempdir().unwrap();
    let archive = Arc::new(DiskArchive::open(folder.path(), DiskConfig::default()).unwrap());
    // A body of these takes about a kilobyte.
    let bounded = client(&source, archive, FLAGS / 10 * 1024).await;
    let unbounded = source.client(Config::default()).await;

    let weight = |n: u64| f64::from(u32::try_from(n).unwrap() + 1).powf(-1.6);
    let total: f64 = (0..FLAGS).map(weight).sum();
    let mut ends = Vec::new();
    (0..FLAGS).fold(0.0, |sum, n| {
        ends.push(sum + weight(n) / total);
        sum + weight(n) / total
    });
    let mut random = fastrand::Rng::with_seed(7);
    let keys: Vec<String> = (0..FLAGS).map(|n| format!("flag-{}", n * 7 % FLAGS)).collect();
    let contexts: Vec<Context> =
        (0..200).map(|n| Context::new(format!("user-{n}")).with("n", n % 100)).collect();
    for _ in 0..1_000_000 {
        let point = random.f64();
        let key = &keys[ends.partition_point(|end| *end < point).min(keys.len() - 1)];
        let ctx = &contexts[random.usize(..contexts.len())];
        let same = bounded.evaluate_with(key, ctx, |answer| {
            unbounded.local().evaluate_with(key, ctx, |wanted| {
                assert_eq!(
                    (answer.reason, answer.variant_key(), answer.segment_id, answer.source),
                    (wanted.reason, wanted.variant_key(), wanted.segment_id, wanted.source),
                    "{key} {ctx:?}"
                );
            });
        });
        same.await;
    }
    let counts = bounded.stats().bodies.unwrap();
    assert!(counts.entries < FLAGS / 5, "{counts:?}");
    assert!(counts.misses > 10_000 && counts.hits > counts.misses, "{counts:?}");
    bounded.stop().await;
    unbounded.stop().await;
}

#[tokio::test]
async fn servers_see_the_same_flags() {
    let source = Scripted::new(Strictness::AsStored);
    source.then(Answer::Same(1, flags(100)));
    let folder = tempfile::tempdir().unwrap();
    let archive = Arc::new(DiskArchive::open(folder.path(), DiskConfig::default()).unwrap());
    let bounded = client(&source, archive, NOTHING).await;
    let mut config = Config::default();
    config.export = ExportPolicy::Keep;
    let unbounded = source.client(config).await;

    let export = Engine::export(&bounded).await.unwrap();
    assert_eq!(export.json, Engine::export(&unbounded).await.unwrap().json);
    assert_eq!(export.freshness.revision, bounded.stats().revision);
    assert_eq!(bounded.stats().document_bytes, 0);
    assert!(bounded.export().is_none(), "it is read, not held");

    let ctx = Context::new("user-1").with("n", 1);
    for n in [0, 3, 4, 50, 99] {
        let key = format!("flag-{n}");
        let definition = bounded.load_definition(&key).await.unwrap();
        assert_eq!(Some(definition), unbounded.load_definition(&key).await);
        let explained = bounded.load_explanation(&key, &ctx).await.unwrap();
        let wanted = unbounded.load_explanation(&key, &ctx).await.unwrap();
        assert_eq!(explained.segments, wanted.segments, "{key}");
        let asked = FlagRef { id: n + 1, key: "" };
        let answer = Engine::evaluate(&bounded, asked, &ctx, Debug::On).await;
        let wanted = Engine::evaluate(&unbounded, asked, &ctx, Debug::On).await;
        assert_eq!(answer.evaluation.variant_key(), wanted.evaluation.variant_key());
        assert_eq!(answer.log, wanted.log);
    }
    let ids: Vec<u64> = (1..=100).collect();
    let entities = [ctx.clone(), Context::new("user-2")];
    let batch = || Batch { entities: &entities, flag_ids: &ids, ..Batch::default() };
    let answers = bounded.evaluate_batch(batch(), 1000).await.unwrap();
    let wanted = unbounded.evaluate_batch(batch(), 1000).await.unwrap();
    assert_eq!(answers.len(), 200);
    for (answer, wanted) in answers.iter().zip(&wanted) {
        let (answer, wanted) = (&answer.answer.evaluation, &wanted.answer.evaluation);
        assert_eq!((answer.variant_key(), answer.reason), (wanted.variant_key(), wanted.reason));
    }
    bounded.stop().await;
    unbounded.stop().await;
}

#[tokio::test]
async fn flags_that_share_an_id_stay_in_memory() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&flag(1, "a", ""), &flag(1, "b", "")]);
    let client = client(&source, Tampered::new(), NOTHING).await;
    assert_eq!([reason(&client, "a"), reason(&client, "b")], [Reason::Static; 2]);
    client.stop().await;
}
