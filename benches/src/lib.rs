//! What the benchmarks share: flags to decide, a peer that decides the same, and ratios taken in one run.
//!
//! Compare ratios within one run, never nanoseconds across machines.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a benchmark that cannot go on ends"
)]

pub mod cpu;
pub mod flagr;
pub mod flags;
pub mod memory;
pub mod ratio;
pub mod redis_server;
pub mod row;
pub mod source;
pub mod unleash;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use vexilla::{Client, Config, OtlpProtocol, OtlpSettings, Parts, Telemetry, TelemetryConfig};
use vexilla_domain::json::Document;
use vexilla_domain::{Depth, Fetch, Flag, FlagSource, Marker, SourceError, Strictness};
use vexilla_eval::Ruleset;

/// Rules of these flags.
pub fn rules(flags: &[Flag]) -> Ruleset {
    let compilation = Ruleset::compile(flags, Vec::new(), Strictness::Checked, None);
    assert_eq!(compilation.problems, []);
    compilation.ruleset
}

/// A running client with these flags, and the runtime it needs.
pub fn client(flags: Vec<Flag>) -> (Client, tokio::runtime::Runtime) {
    client_with(flags, Config::default())
}

/// The same with settings.
pub fn client_with(flags: Vec<Flag>, config: Config) -> (Client, tokio::runtime::Runtime) {
    running(Parts::new(Arc::new(Fixed(flags))), config)
}

/// The same, shown by all that there is: counts of flags, Prometheus, and a collector that is away.
pub fn shown_client(flags: Vec<Flag>) -> (Client, tokio::runtime::Runtime) {
    let mut config = TelemetryConfig::default();
    config.flags = 50;
    config.prometheus = true;
    config.otlp = OtlpSettings::to("http://127.0.0.1:1", OtlpProtocol::Http);
    config.otlp.interval = Duration::from_secs(3600);
    let telemetry = Telemetry::start(&config).expect("settings that can work");
    running(Parts::new(Arc::new(Fixed(flags))).with_telemetry(telemetry), Config::default())
}

fn running(parts: Parts, config: Config) -> (Client, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(Client::new(parts, config)).expect("a client of fixed flags");
    (client, runtime)
}

/// A source whose flags never change.
#[derive(Debug)]
struct Fixed(Vec<Flag>);

#[async_trait]
impl FlagSource for Fixed {
    async fn fetch(&self, seen: Option<&Marker>, _: Depth) -> Result<Fetch, SourceError> {
        let document = || Document { flags: self.0.clone(), problems: Vec::new() };
        let changed = seen.is_none().then(document);
        Ok(Fetch { changed, marker: Marker::default(), again_in: None })
    }

    fn describe(&self) -> String {
        "fixed flags".to_owned()
    }

    fn strictness(&self) -> Strictness {
        Strictness::Checked
    }
}
