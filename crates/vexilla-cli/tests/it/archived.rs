//! Flags as they are archived: `vexilla explain`, `eval` and `check` with `--archive` and `--redis`.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;
use vexilla::{DiskArchive, DiskConfig, RedisArchive, RedisConfig, Revision, SystemClock};
use vexilla_domain::json::{read_flags, write_flags};
use vexilla_domain::{Archived, Clock, Confirmation, FlagArchive, Marker};

use crate::redis_server::RedisServer;
use crate::running::{Said, root, run};

const TWO_HOURS: u64 = 2 * 3600;

/// The shop's flags, as they were two hours ago.
pub(crate) fn shop(sequence: u64) -> Archived {
    let flags = read_flags(&fs::read(root().join("examples/shop.json")).unwrap()).unwrap().flags;
    let mut document = write_flags(&flags);
    document.push(b'\n');
    let at = SystemClock.now() - Duration::from_secs(TWO_HOURS);
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap();
    Archived {
        document: document.into(),
        marker: Marker { max_snapshot_id: Some(7), content: 7 },
        revision: Revision { epoch: 0, sequence },
        refreshed_at_ms: u64::try_from(since_epoch.as_millis()).unwrap(),
        source: "Flagr at http://flagr:18000".into(),
        origin: Box::default(),
    }
}

async fn disk(folder: &Path, sequence: u64) -> DiskArchive {
    let archive = DiskArchive::open(folder, DiskConfig::default()).unwrap();
    archive.save(&shop(sequence)).await.unwrap();
    archive
}

async fn redis(server: &RedisServer, prefix: &str, sequence: u64) {
    let mut config = RedisConfig::default();
    (config.port, config.key_prefix) = (server.port, prefix.to_owned());
    let archive = RedisArchive::connect(config).unwrap();
    archive.save(&shop(sequence)).await.unwrap();
    archive.release().await;
}

fn explain(archive: &[&str]) -> Said {
    run([&["explain", "price-layout", "--entity-id", "ana", "--format", "json"], archive].concat())
}

/// Where the flags came from, and which they are; they must be two hours old.
#[track_caller]
fn found(archive: &[&str]) -> (String, String) {
    let explained: Value = serde_json::from_str(&explain(archive).ok()).unwrap();
    assert_eq!(explained["variantKey"], "classic");
    let rules = &explained["rules"];
    let age = rules["ageSeconds"].as_u64().unwrap();
    assert!((TWO_HOURS..TWO_HOURS + 3600).contains(&age), "{age}");
    let text = |name: &str| rules[name].as_str().unwrap().to_owned();
    (text("origin"), text("revision"))
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_of_a_folder_are_explained_while_it_is_in_use() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap();
    let archive = disk(folder.path(), 3).await;
    let origin = "disk, generation 1, of Flagr at http://flagr:18000";
    assert_eq!(found(&["--archive", path]), (origin.to_owned(), "0.3".to_owned()));
    let files = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files(), 2, "nothing was written beside the flags and the lock");

    let question = ["price-layout", "--entity-id", "ana", "--archive", path];
    let text = run(["explain"].iter().chain(&question)).ok();
    assert!(text.contains("variant  classic (id 3)\n"), "{text}");
    assert!(text.contains("rules    revision 0.3, 2h"), "{text}");
    assert!(text.ends_with(&format!(" old, from {origin}\n")), "{text}");
    let text = run(["eval"].iter().chain(&question)).ok();
    assert!(text.contains("decided by  the rules here\n"), "{text}");

    // A confirmation makes them younger.
    let flags = shop(3);
    let refreshed_at_ms = flags.refreshed_at_ms + TWO_HOURS * 1000;
    let confirmation = Confirmation { refreshed_at_ms, ..flags.confirmation() };
    assert!(archive.confirm(&confirmation).await.unwrap());
    let explained: Value = serde_json::from_str(&explain(&["--archive", path]).ok()).unwrap();
    assert!(explained["rules"]["ageSeconds"].as_u64().unwrap() < TWO_HOURS);

    let text = run(["check", "--archive", path]).ok();
    assert!(text.starts_with(&format!("{origin}: 4 flags, 0 errors")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_of_redis_are_explained_and_the_newest_of_both_count() {
    let (server, folder) = (RedisServer::start(), TempDir::new().unwrap());
    redis(&server, "vexilla:", 5).await;
    redis(&server, "other:", 2).await;
    drop(disk(folder.path(), 4).await);
    let address = format!("redis://127.0.0.1:{}", server.port);
    let of_redis = format!("redis 127.0.0.1:{}/0, of Flagr at http://flagr:18000", server.port);
    let of_other = of_redis.replace("/0,", "/0 with the prefix `other:`,");
    let of_disk = "disk, generation 1, of Flagr at http://flagr:18000".to_owned();
    let (redis, disk) = (["--redis", &address], ["--archive", folder.path().to_str().unwrap()]);
    assert_eq!(found(&redis), (of_redis.clone(), "0.5".to_owned()));
    assert_eq!(found(&[redis, disk].concat()), (of_redis.clone(), "0.5".to_owned()));
    let other = ["--redis-prefix", "other:"];
    assert_eq!(found(&[redis, other].concat()), (of_other, "0.2".to_owned()));
    assert_eq!(found(&[redis, other, disk].concat()), (of_disk, "0.4".to_owned()));

    let said = explain(&[redis, ["--redis-prefix", "nobody:"]].concat());
    let place = format!("redis 127.0.0.1:{}/0 with the prefix `nobody:`", server.port);
    let expected = format!("error: no flags are archived in {place}");
    assert_eq!((said.status, said.error()), (1, &*expected));
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap();
    let said = explain(&["--archive", path]);
    let expected = format!("error: no flags are archived in `{path}`");
    assert_eq!((said.status, said.error()), (1, &*expected));

    fs::write(folder.path().join("7.flags"), "REDIS0011").unwrap();
    let said = explain(&["--archive", path]);
    let expected = format!(
        "error: no flags in `{path}` can be read: generation 7 does not hold flags of Vexilla"
    );
    assert_eq!((said.status, said.error()), (1, &*expected));

    let missing = format!("{path}/missing");
    let said = explain(&["--archive", &missing]);
    assert_eq!(said.status, 1);
    let beginning = format!("error: cannot read the folder `{missing}`: ");
    assert!(said.error().starts_with(&beginning), "{}", said.stderr);
    assert!(!Path::new(&missing).exists());

    let said = explain(&["--redis", "redis://:sesame@127.0.0.1:1"]);
    assert_eq!((said.status, said.stderr.contains("sesame")), (1, false), "{}", said.stderr);
    assert!(said.error().starts_with("error: redis 127.0.0.1:1/0 cannot be reached"));
    assert_eq!(explain(&["--redis", "http://sesame"]).status, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_archive_that_is_away_does_not_keep_the_other_from_being_read() {
    let (server, folder) = (RedisServer::start(), TempDir::new().unwrap());
    redis(&server, "vexilla:", 5).await;
    let path = folder.path().to_str().unwrap();
    drop(disk(folder.path(), 3).await);
    let address = format!("redis://127.0.0.1:{}", server.port);
    let missing = format!("{path}/missing");
    let away = "warning: redis 127.0.0.1:1/0 cannot be reached: ";
    let no_folder = format!("warning: cannot read the folder `{missing}`: ");
    let of_redis = format!("redis 127.0.0.1:{}/0, of ", server.port);
    let pairs = [
        (["--redis", "redis://127.0.0.1:1", "--archive", path], away, "disk, generation 1, of "),
        (["--redis", &*address, "--archive", &*missing], &*no_folder, &*of_redis),
    ];
    for (archives, warning, origin) in pairs {
        for command in ["explain", "eval", "check"] {
            let question = ["price-layout", "--entity-id", "ana"];
            let asked = if command == "check" { &[][..] } else { &question };
            let said = run([&[command][..], asked, &archives].concat());
            assert_eq!(said.status, 0, "{}", said.stderr);
            assert!(said.stdout.contains(origin), "{}", said.stdout);
            let [line] = said.stderr.lines().collect::<Vec<_>>()[..] else {
                panic!("{}", said.stderr)
            };
            assert!(line.starts_with(warning), "{line}");
        }
    }

    // Where neither has any, both are named.
    let said = explain(&["--redis", "redis://127.0.0.1:1", "--archive", &missing]);
    assert_eq!((said.status, said.stderr.lines().count()), (1, 2), "{}", said.stderr);
    assert!(said.stderr.starts_with(away), "{}", said.stderr);
    assert!(said.error().starts_with(&format!("error: cannot read the folder `{missing}`: ")));
    let empty = TempDir::new().unwrap();
    let empty = empty.path().to_str().unwrap();
    let said = explain(&["--redis", "redis://127.0.0.1:1", "--archive", empty]);
    assert!(said.stderr.starts_with(away), "{}", said.stderr);
    assert_eq!(said.error(), format!("error: no flags are archived in `{empty}`"));
}

#[test]
fn one_source_is_named_and_not_two() {
    for two in [
        ["--archive", "x", "--flagr", "http://127.0.0.1:1"],
        ["--archive", "x", "--flags", "examples/shop.json"],
        ["--redis", "redis://127.0.0.1:1", "--flags", "examples/shop.json"],
    ] {
        let said = explain(&two);
        assert_eq!(said.status, 2, "{}", said.stderr);
        assert!(said.stderr.contains("cannot be used with"), "{}", said.stderr);
    }
    assert_eq!(explain(&[]).status, 2);
    assert_eq!(explain(&["--redis-prefix", "x"]).status, 2);
}
