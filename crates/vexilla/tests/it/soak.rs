//! A million evaluations from several threads while the flags change, vanish and come back, and their source fails.
//!
//! Each answer must be the one that a published set of rules gives: those that the evaluation's revision names.
//! `VEXILLA_SEED` replays a run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use async_trait::async_trait;
use vexilla::{Client, Config, Context, Parts, Revision, Source};
use vexilla_domain::json::{Document, read_flags};
use vexilla_domain::{
    Depth, Fetch, FlagSource, Marker, RemoteErrorKind, SourceError, SourceErrorKind, Strictness,
};
use vexilla_eval::Ruleset;

use crate::remote::{Mood, Remote};
use crate::routing::split;
use crate::scripted::{constraint, flag};

const FLAGS: u64 = 20;
const EVALUATIONS: u64 = 1_000_000;
const THREADS: u64 = 3;

/// A small generator of numbers that look random (xorshift): a run is its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Flags that are others each time, and a source that fails one time in three.
#[derive(Debug)]
struct Restless {
    dice: Mutex<u64>,
    /// The rules of each version so far, and what a marker says of it.
    versions: RwLock<Vec<Arc<Ruleset>>>,
    number: AtomicU64,
}

impl Restless {
    /// The document of a version: some flags are missing, some are off, some are split.
    fn document(version: u64, dice: &mut Dice) -> String {
        let mut flags = vec![flag(1000, "version", "")];
        for id in 1..=FLAGS {
            let key = format!("flag-{id}");
            flags.push(match dice.roll(5) {
                0 => continue,
                1 => split(id, &key),
                2 => flag(id, &key, "").replace("\"Enabled\":true", "\"Enabled\":false"),
                3 => flag(id, &key, &constraint("n", "LT", &dice.roll(10).to_string())),
                _ => {
                    flag(id, &key, "").replace("\"Key\":\"on\"", &format!("\"Key\":\"v{version}\""))
                }
            });
        }
        let snapshot = format!("\"SnapshotID\":{version},\"ID\"");
        let flags: Vec<_> = flags.iter().map(|it| it.replacen("\"ID\"", &snapshot, 1)).collect();
        format!("[{}]", flags.join(","))
    }

    fn next(&self) -> (u64, Document) {
        let mut seed = self.dice.lock().unwrap();
        let mut dice = Dice(*seed);
        let mut versions = self.versions.write().unwrap();
        let version = versions.len() as u64;
        let document = read_flags(Self::document(version, &mut dice).as_bytes()).unwrap();
        let rules = Ruleset::compile(&document.flags, Vec::new(), Strictness::AsStored, None);
        versions.push(Arc::new(rules.ruleset));
        *seed = dice.0;
        (version, document)
    }
}

#[async_trait]
impl FlagSource for Restless {
    async fn fetch(&self, seen: Option<&Marker>, depth: Depth) -> Result<Fetch, SourceError> {
        let roll = Dice(*self.dice.lock().unwrap()).roll(9);
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        if seen.is_some() && roll < 3 {
            let _ = self.next(); // the change happens, and is not told
            return Err(SourceError::new(SourceErrorKind::Unavailable, "it fails"));
        }
        let (_, document) = self.next();
        // Now and then it says that there is nothing, once.
        let lies = seen.is_some() && depth != Depth::Anew && roll == 3;
        let changed = Some(if lies { Document::default() } else { document });
        let held = seen.and_then(|it| it.max_snapshot_id).filter(|_| lies);
        let marker = Marker { max_snapshot_id: held.or(Some(number)), content: number };
        Ok(Fetch { changed, marker, again_in: None })
    }

    fn describe(&self) -> String {
        "restless flags".to_owned()
    }

    fn strictness(&self) -> Strictness {
        Strictness::AsStored
    }
}

#[expect(clippy::disallowed_methods, reason = "a run that failed is replayed by its seed")]
fn seed() -> u64 {
    std::env::var("VEXILLA_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(0x5EED)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_answer_is_that_of_published_rules() {
    let seed = seed();
    let source = Arc::new(Restless {
        dice: Mutex::new(seed),
        versions: RwLock::default(),
        number: AtomicU64::new(1),
    });
    let remote = Remote::new(&[]);
    remote.set(Mood::Fails(RemoteErrorKind::Unavailable));
    let parts = Parts::new(source.clone()).with_remote(remote);
    let client = Client::new(parts, Config::default()).await.unwrap();

    let done = Arc::new(AtomicBool::new(false));
    let refreshing = tokio::spawn({
        let (client, done) = (client.clone(), Arc::clone(&done));
        async move {
            while !done.load(Ordering::Relaxed) {
                let _ = client.refresh().await;
            }
        }
    });
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (client, source) = (client.clone(), Arc::clone(&source));
            std::thread::spawn(move || evaluate(&client, &source, Dice(seed ^ (thread + 1))))
        })
        .collect();
    // Which version a revision is must be the same for everybody.
    let mut revisions: HashMap<Revision, u64> = HashMap::new();
    for thread in threads {
        let found = tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
        for (revision, version) in found {
            assert_eq!(*revisions.entry(revision).or_insert(version), version, "seed {seed}");
        }
    }
    done.store(true, Ordering::Relaxed);
    refreshing.await.unwrap();
    let stats = client.stats();
    assert!(stats.total() >= EVALUATIONS, "{stats:?}");
    assert!(revisions.len() > 10 && stats.failures > 10, "{} {stats:?}", revisions.len());
}

/// Evaluates, compares, and gives which version each revision was.
fn evaluate(client: &Client, source: &Restless, mut dice: Dice) -> HashMap<Revision, u64> {
    let mut seen = HashMap::new();
    for _ in 0..=EVALUATIONS / THREADS / 3 {
        let ctx = Context::new(format!("user-{}", dice.roll(1000)))
            .with("n", dice.roll(10).cast_signed());
        let keys = ["version", &format!("flag-{}", dice.roll(FLAGS) + 1), "flag-1"];
        let answers = client.local().evaluate_many(&keys, &ctx);
        let version = answers[0].flag.as_ref().unwrap().snapshot_id.0;
        seen.insert(answers[0].freshness.revision, version);
        let rules = Arc::clone(&source.versions.read().unwrap()[usize::try_from(version).unwrap()]);
        for (key, answer) in keys.iter().zip(&answers) {
            let mut expected = rules.evaluate(key, &ctx);
            expected.freshness = answer.freshness;
            if answer.source == Source::Standby {
                expected.source = Source::Standby;
            }
            assert_eq!(answer.as_ref(), expected, "{key} of version {version}");
        }
    }
    seen
}
