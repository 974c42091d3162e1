//! What the admin API's statistics tell.

use serde_json::json;
use vexilla_domain::CacheCounts;

use crate::admin::Rig;

#[tokio::test]
async fn statistics_say_who_leads_and_which_archive_fails() {
    let rig = Rig::new(|_| {});
    let stats = rig.ask("GET /admin/stats", "").await.body;
    assert_eq!(stats["leads"], true);
    let expected = json!([
        {"name": "redis 127.0.0.1:6379/0", "error": null, "leads": true},
        {"name": "/var/cache/vexilla", "error": "the disk is full", "leads": null},
    ]);
    assert_eq!(stats["archives"], expected);
}

#[tokio::test]
async fn statistics_of_a_cache_are_left_out_where_there_is_none() {
    let rig = Rig::new(|_| {});
    let stats = rig.ask("GET /admin/stats", "").await.body;
    assert_eq!((stats.get("remote_cache"), stats.get("bodies")), (None, None));

    let mut answers = CacheCounts::default();
    (answers.hits, answers.stale_hits, answers.misses) = (7, 2, 5);
    (answers.admitted, answers.rejected, answers.evicted) = (4, 1, 3);
    (answers.entries, answers.bytes, answers.max_bytes) = (6, 640, 64_000);
    let mut bodies = CacheCounts::default();
    (bodies.hits, bodies.max_bytes) = (70, 1_000);
    *rig.operator.kept.lock().unwrap() = [Some(answers), Some(bodies)];
    let stats = rig.ask("GET /admin/stats", "").await.body;
    let expected = json!({
        "hits": 7, "stale_hits": 2, "misses": 5, "admitted": 4, "rejected": 1, "evicted": 3,
        "entries": 6, "bytes": 640, "max_bytes": 64_000,
    });
    assert_eq!(stats["remote_cache"], expected);
    assert_eq!(
        (&stats["bodies"]["hits"], &stats["bodies"]["max_bytes"]),
        (&json!(70), &json!(1_000))
    );
}
