//! A scripted Flagr that counts what it is asked, and short ways to ask it.

use std::time::Duration;

use vexilla_domain::json::Document;
use vexilla_domain::{Depth, Fetch, FlagSource, Marker, SourceError};
use vexilla_flagr::{FlagrConfig, FlagrSource};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub(crate) const MAX_ID: &str = "/api/v1/flags/snapshots/max_id";
pub(crate) const EXPORT: &str = "/api/v1/export/eval_cache/json";
pub(crate) const FLAGS: &str = "/api/v1/flags";

/// Longer than any test takes.
pub(crate) const NEVER: Duration = Duration::from_secs(600);

pub(crate) struct Flagr(pub(crate) MockServer);

impl Flagr {
    pub(crate) async fn start() -> Self {
        Self(MockServer::start().await)
    }

    /// Answers a path for good. What was scripted before comes first.
    pub(crate) async fn answer(&self, at: &str, response: ResponseTemplate) {
        Mock::given(method("GET")).and(path(at)).respond_with(response).mount(&self.0).await;
    }

    /// Answers a path so many times.
    pub(crate) async fn answer_times(&self, times: u64, at: &str, response: ResponseTemplate) {
        Mock::given(method("GET"))
            .and(path(at))
            .respond_with(response)
            .up_to_n_times(times)
            .mount(&self.0)
            .await;
    }

    /// Forgets the script and the count.
    pub(crate) async fn forget(&self) {
        self.0.reset().await;
    }

    /// How often the probe and the export were asked for since the last time. Nothing else was.
    pub(crate) async fn asked(&self) -> (usize, usize) {
        let asked = self.paths().await;
        let count = |at| asked.iter().filter(|it| *it == at).count();
        let counts = (count(MAX_ID), count(EXPORT));
        assert_eq!(counts.0 + counts.1, asked.len(), "{asked:?}");
        counts
    }

    /// What was asked for since the last time: paths with their queries.
    pub(crate) async fn paths(&self) -> Vec<String> {
        let requests = self.0.received_requests().await.unwrap();
        let asked = |it: &wiremock::Request| match it.url.query() {
            Some(query) => format!("{}?{query}", it.url.path()),
            None => it.url.path().to_owned(),
        };
        requests.iter().map(asked).collect()
    }

    pub(crate) fn source(&self) -> FlagrSource {
        self.source_with(|_| {})
    }

    pub(crate) fn source_with(&self, change: impl FnOnce(&mut FlagrConfig)) -> FlagrSource {
        source(&self.0.uri(), change)
    }
}

/// A source with a lag that does not pass by itself, and without retries.
pub(crate) fn source(url: &str, change: impl FnOnce(&mut FlagrConfig)) -> FlagrSource {
    let mut config = FlagrConfig::new(url);
    config.export_lag = NEVER;
    config.retries = 0;
    change(&mut config);
    FlagrSource::new(config).unwrap()
}

pub(crate) fn json(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.as_bytes(), "application/json")
}

pub(crate) fn max_id(id: u64) -> ResponseTemplate {
    json(&format!("{{\"maxID\":{id}}}\n"))
}

/// Flags `f1`, `f2`, … by their snapshot ids.
pub(crate) fn export(snapshots: &[u64]) -> ResponseTemplate {
    json(&export_body(snapshots))
}

pub(crate) fn export_body(snapshots: &[u64]) -> String {
    let flags: Vec<String> = snapshots
        .iter()
        .enumerate()
        .map(|(index, id)| format!(r#"{{"ID":{0},"Key":"f{0}","SnapshotID":{id}}}"#, index + 1))
        .collect();
    format!("{{\"Flags\":[{}]}}\n", flags.join(","))
}

/// Flags that are news, and what was said with them.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) document: Document,
    pub(crate) marker: Marker,
    pub(crate) again_in: Option<Duration>,
}

impl Changed {
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.document.flags.iter().map(|it| &*it.key).collect()
    }

    /// How many flags, and the marker's number.
    pub(crate) fn count(&self) -> (usize, Option<u64>) {
        (self.document.flags.len(), self.marker.max_snapshot_id)
    }
}

pub(crate) async fn fetch(source: &FlagrSource, seen: Option<&Marker>) -> Fetch {
    source.fetch(seen, Depth::Probe).await.unwrap()
}

pub(crate) async fn changed(source: &FlagrSource, seen: Option<&Marker>) -> Changed {
    news(fetch(source, seen).await)
}

pub(crate) fn news(fetch: Fetch) -> Changed {
    let Fetch { changed: Some(document), marker, again_in } = fetch else {
        panic!("unchanged: {fetch:?}")
    };
    Changed { document, marker, again_in }
}

/// Flags that are no news: the marker that is to be held on to, and when to ask again.
pub(crate) async fn unchanged(source: &FlagrSource, seen: &Marker) -> (Marker, Option<Duration>) {
    match fetch(source, Some(seen)).await {
        Fetch { changed: None, marker, again_in } => (marker, again_in),
        fetch => panic!("changed: {fetch:?}"),
    }
}

/// Nothing is new and nothing more is said.
pub(crate) async fn assert_unchanged(source: &FlagrSource, seen: &Marker) {
    assert_eq!(unchanged(source, seen).await, (seen.clone(), None));
}

pub(crate) async fn error(source: &FlagrSource) -> SourceError {
    source.fetch(None, Depth::Probe).await.unwrap_err()
}
