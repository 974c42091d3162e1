//! A collector that asks who sends, by a certificate, and a sidecar without one.

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

use crate::running::{Beside, Sidecar, root};

/// Where the certificates are.
const FOLDER: &str = "crates/vexilla-flagr/tests/it/certificates";

/// A collector that hears nobody out. Tells what it heard of each connection, which is nothing where there was no
/// certificate.
fn collector() -> (String, Receiver<usize>) {
    let path = |name: &str| root().join(FOLDER).join(name);
    let certificate = |name: &str| CertificateDer::from_pem_file(path(name)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate("root.pem")).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::from_pem_file(path("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate("server.pem")], key)
        .unwrap();
    let mut config = config;
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
        let trusted = root().join(FOLDER).join("root.pem");
        let environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*address),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted.to_str().unwrap()),
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
