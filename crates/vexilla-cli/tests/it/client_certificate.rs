//! Servers that ask who connects, by a certificate: a collector, and a Flagr.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use serde_json::json;

use crate::running::{Beside, Sidecar, root};
use crate::serve::flag;
use crate::stub;

/// Where the certificates are.
const FOLDER: &str = "crates/vexilla-flagr/tests/it/certificates";

fn path(name: &str) -> String {
    root().join(FOLDER).join(name).display().to_string()
}

/// How a server speaks that asks who connects; it may insist.
fn config(insists: bool) -> ServerConfig {
    let certificate = |name: &str| CertificateDer::from_pem_file(path(name)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate("root.pem")).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = if insists { verifier } else { verifier.allow_unauthenticated() };
    let key = PrivateKeyDer::from_pem_file(path("server.key")).unwrap();
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate("server.pem")], key)
        .unwrap()
}

/// A collector that hears nobody out. Tells what it heard of each connection, which is nothing where there was no
/// certificate.
fn collector() -> (String, Receiver<usize>) {
    let mut config = config(true);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let (told, heard) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let bytes = stream.read(&mut [0; 16]).unwrap_or(0);
            let _ = told.send(bytes); // a test that has ended need not know
        }
    });
    (address, heard)
}

#[test]
fn without_a_certificate_nothing_arrives_which_is_told_once() {
    for protocol in ["http/protobuf", "grpc"] {
        let (address, heard) = collector();
        let trusted = path("root.pem");
        let environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*address),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", &*trusted),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "10"),
        ];
        let shop = ["--flags", "examples/shop.json"];
        let mut sidecar = Sidecar::start_with(Beside::None, &environment, &shop);
        let line = sidecar.wait_for_log("telemetry cannot be sent");
        assert!(line.contains("metrics"), "{line}");
        for _ in 0..3 {
            assert_eq!(heard.recv_timeout(Duration::from_secs(60)).unwrap(), 0, "{protocol}");
        }
        sidecar.signal("TERM");
        let (status, _, log) = sidecar.end();
        assert_eq!(status, Some(0), "{log}");
        assert!(!log.contains("telemetry cannot be sent"), "it was told a moment ago: {log}");
        assert!(heard.try_iter().all(|it| it == 0), "{protocol}");
    }
}

/// Certificates are read anew at a hangup, under the same names and under others.
#[test]
fn certificates_towards_flagr_are_renewed() {
    let (flagr, asked) = stub::serve_tls(config(false), |asked| match &*asked.what {
        "GET /api/v1/flags/snapshots/max_id" => (200, json!({ "maxID": 1 }).to_string()),
        "GET /api/v1/export/eval_cache/json" => {
            (200, json!({ "Flags": [flag("first")] }).to_string())
        }
        _ => (404, "{}".to_owned()),
    });
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let roots = place("roots.pem");
    fs::copy(path("root.pem"), &roots).unwrap();
    let write = |more: &str| {
        let text = format!(
            "log.level = 'info'\nflagr.url = 'https://{flagr}'\nflagr.extra_roots = '{roots}'\narchive.dir = 'off'\n{more}"
        );
        fs::write(place("vexilla.toml"), text).unwrap();
    };
    write("");
    let mut sidecar = Sidecar::start_with(Beside::None, &[], &["--config", &place("vexilla.toml")]);
    let certified: Vec<_> = asked.try_iter().map(|it| it.is_certified).collect();
    assert!(!certified.is_empty() && !certified.contains(&true), "{certified:?}");
    let mut hangup = |changed: &str| {
        sidecar.signal("HUP");
        let line = sidecar.wait_for_log("read the configuration anew");
        assert!(line.contains(&format!("changed={changed}")), "{line}");
        asked.try_iter().map(|it| it.is_certified).collect::<Vec<_>>()
    };

    let (certificate, key) = (path("client.pem"), path("client.key"));
    write(&format!("flagr.client_certificate = '{certificate}'\nflagr.client_key = '{key}'\n"));
    let certified = hangup(r#"["flagr.client_certificate", "flagr.client_key"]"#);
    assert!(certified.contains(&true), "it is asked at once: {certified:?}");
    assert!(!certified.contains(&false), "{certified:?}");

    fs::copy(path("client.pem"), &roots).unwrap();
    assert!(hangup(r#"["flagr.extra_roots"]"#).is_empty(), "the server is trusted no more");
    fs::copy(path("root.pem"), &roots).unwrap();
    assert!(!hangup(r#"["flagr.extra_roots"]"#).is_empty());

    fs::write(&roots, "nonsense").unwrap();
    sidecar.signal("HUP");
    let line = sidecar.wait_for_log("the configuration stays as it was: ");
    assert!(line.contains("flagr.extra_roots: `8 bytes` hold no certificate"), "{line}");
}
