//! Two in a chain: one Vexilla feeds on another's sidecar as on a Flagr, also once the first one is away.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vexilla::{Client, ExportPolicy, FlagrConfig, ListenAddress, SidecarConfig};
use vexilla_domain::SourceErrorKind;

use crate::upstream::{Upstream, on, through};

/// A sidecar that listens.
struct Listening {
    client: Client,
    url: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<usize>,
}

impl Listening {
    async fn start(flagr: FlagrConfig) -> Self {
        let builder = Client::builder().flagr_with(flagr).export(ExportPolicy::Keep);
        let client = builder.start().await.unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let bound = client.sidecar(SidecarConfig::default()).listen(&address).await.unwrap();
        let ListenAddress::Tcp(taken) = bound.address() else { unreachable!("{address}") };
        let url = format!("http://{taken}");
        let (stop, stopped) = oneshot::channel();
        let told = async { drop(stopped.await) };
        let serving = tokio::spawn(bound.serve(told, Duration::from_secs(5)));
        Self { client, url, stop, serving }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
        self.client.stop().await;
    }
}

#[tokio::test]
async fn a_vexilla_feeds_on_another_and_goes_on_without_it() {
    let flagr = Upstream::start(&["a", "b"]).await;
    let first = Listening::start(flagr.config()).await;
    let mut config = FlagrConfig::new(&first.url);
    config.bulk_idle_timeout = Duration::from_secs(60);
    let second = Client::builder().flagr_with(config).start().await.unwrap();
    assert_eq!((on(&second, "a"), on(&second, "b"), second.stats().flags), (true, true, 2));

    // A change goes through both, and nobody but the first asks Flagr.
    flagr.state().set_enabled(1, false);
    let asked = flagr.asked("export");
    first.client.refresh().await.unwrap();
    second.refresh().await.unwrap();
    assert_eq!((on(&second, "a"), on(&second, "b")), (false, true));
    assert_eq!(flagr.asked("export"), asked + 1);

    // The first one goes away: the second one keeps what it has, and says that it is behind.
    first.stop().await;
    let error = second.refresh().await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unavailable);
    assert_eq!((on(&second, "a"), on(&second, "b")), (false, true));
    let sidecar = second.sidecar(SidecarConfig::default());
    let json = [("content-type", "application/json")];
    let answered = through(&sidecar, "POST /api/v1/evaluation", &json, r#"{"flagKey":"b"}"#).await;
    assert_eq!((answered.status, answered.json()["variantKey"].as_str()), (200, Some("on")));
    assert!(second.stats().stale);
}
