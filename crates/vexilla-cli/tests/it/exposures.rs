//! A sidecar that is killed while Flagr is away: what its callers reported is in the archive's folder, without a setting
//! for it, and arrives.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};

use crate::http::request;
use crate::running::Sidecar;
use crate::serve::flag;
use crate::stub::{Asked, serve};

/// What is sent at once.
const BATCH: usize = 100;

/// How often it is killed, and how many batches are reported before each time.
const KILLS: usize = 4;
const BATCHES: usize = 10;

/// A Flagr that counts what it takes.
#[derive(Default)]
struct Flagr {
    state: Mutex<(bool, BTreeMap<String, usize>)>,
    changed: Condvar,
}

impl Flagr {
    fn answer(&self, asked: &Asked) -> (u16, String) {
        match &*asked.what {
            "GET /api/v1/flags/snapshots/max_id" => (200, json!({ "maxID": 1 }).to_string()),
            "GET /api/v1/export/eval_cache/json" => {
                (200, json!({ "Flags": [flag("a")] }).to_string())
            }
            "POST /api/v1/exposures" => {
                let mut state = self.state.lock().unwrap();
                let (is_away, seen) = &mut *state;
                if *is_away {
                    return (503, "{}".to_owned());
                }
                let body: Value = serde_json::from_slice(&asked.body).unwrap();
                let rows = body["exposures"].as_array().unwrap();
                assert!(rows.len() <= BATCH);
                for row in rows {
                    *seen.entry(row["entityID"].as_str().unwrap().to_owned()).or_default() += 1;
                }
                self.changed.notify_all();
                (200, json!({ "errors": null, "message": "ok" }).to_string())
            }
            _ => (404, "{}".to_owned()),
        }
    }

    fn set_away(&self, is_away: bool) {
        self.state.lock().unwrap().0 = is_away;
    }

    /// Waits until it has seen so many.
    fn wait_for(&self, count: usize) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |it| it.1.len() < count).unwrap());
    }

    fn seen(&self) -> BTreeMap<String, usize> {
        self.state.lock().unwrap().1.clone()
    }
}

fn start(flagr: &str, folder: &Path) -> Sidecar {
    let url = format!("http://{flagr}");
    let quick = [
        "--exposures-interval=1ms",
        "--exposures-retry-base=1ms",
        "--exposures-retry-max=5ms",
        "--breaker-open-for=5ms",
        "--log=off",
    ];
    let arguments = ["--flagr", &url, "--archive", folder.to_str().unwrap()];
    Sidecar::start(&[&arguments[..], &quick].concat())
}

#[test]
fn what_was_reported_arrives_and_a_kill_repeats_one_batch_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let flagr = Arc::new(Flagr::default());
    let answering = Arc::clone(&flagr);
    let (address, _asked) = serve(move |asked| answering.answer(asked));
    for run in 0..KILLS {
        flagr.set_away(true);
        let sidecar = start(&address, folder.path());
        for batch in 0..BATCHES {
            let row = |it| json!({ "flagKey": "a", "entityID": format!("{run}-{batch}-{it}") });
            let rows: Vec<_> = (0..BATCH).map(row).collect();
            let body = json!({ "exposures": rows }).to_string();
            let answered = request(&sidecar.address, "POST", "/api/v1/exposures", &body);
            assert_eq!(answered.status, 200, "{}", answered.body);
        }
        // In every other run Flagr is back before the end, so that batches are on their way then.
        if run % 2 == 1 {
            let before = flagr.seen().len();
            flagr.set_away(false);
            flagr.wait_for(before + 3 * BATCH);
        }
        sidecar.signal("KILL");
        drop(sidecar);
    }
    flagr.set_away(false);
    let sidecar = start(&address, folder.path());
    let all = KILLS * BATCHES * BATCH;
    flagr.wait_for(all);
    sidecar.signal("TERM");
    assert_eq!(sidecar.end().0, Some(0));
    let seen = flagr.seen();
    assert_eq!(seen.len(), all);
    let repeated: usize = seen.values().map(|it| it - 1).sum();
    assert!(repeated <= KILLS * BATCH, "{repeated}");
}
