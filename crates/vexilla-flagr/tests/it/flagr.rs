//! A scripted Flagr that counts what it is asked, and short ways to ask it.

use std::time::Duration;

use vexilla_domain::{Fetch, Fetched, FlagSource, Marker, SourceError};
use vexilla_flagr::{FlagrConfig, FlagrSource};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub(crate) const MAX_ID: &str = "/api/v1/flags/snapshots/max_id";
pub(crate) const EXPORT: &str = "/api/v1/export/eval_cache/json";

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

    /// How often the probe and the export were asked for since the last time.
    pub(crate) async fn asked(&self) -> (usize, usize) {
        let requests = self.0.received_requests().await.unwrap();
        let count = |at| requests.iter().filter(|it| it.url.path() == at).count();
        let asked = (count(MAX_ID), count(EXPORT));
        assert_eq!(asked.0 + asked.1, requests.len(), "nothing else is asked for");
        asked
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

pub(crate) async fn changed(source: &FlagrSource, seen: Option<&Marker>) -> Fetched {
    match source.fetch(seen).await.unwrap() {
        Fetch::Changed(fetched) => fetched,
        Fetch::Unchanged(_) => panic!("unchanged"),
    }
}

pub(crate) async fn unchanged(source: &FlagrSource, seen: &Marker) -> Marker {
    match source.fetch(Some(seen)).await.unwrap() {
        Fetch::Unchanged(marker) => marker,
        Fetch::Changed(fetched) => panic!("changed: {fetched:?}"),
    }
}

pub(crate) async fn assert_unchanged(source: &FlagrSource, seen: &Marker) {
    unchanged(source, seen).await;
}

pub(crate) async fn error(source: &FlagrSource) -> SourceError {
    source.fetch(None).await.unwrap_err()
}
