//! Collectors that ask who sends, by a certificate.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use vexilla_telemetry::OtlpSettings;

use crate::collector::Collector;
use crate::{LONG, measure, start};

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("../../../vexilla-flagr/tests/it/certificates/", $name))
    };
}

const ROOT: &str = pem!("root.pem");
const SERVER: (&str, &str) = (pem!("server.pem"), pem!("server.key"));
const CLIENT: [(&str, &str); 2] = [
    ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", pem!("client.pem")),
    ("OTEL_EXPORTER_OTLP_CLIENT_KEY", pem!("client.key")),
];

/// What the environment says. The variables that name files are given what is in them.
fn settings(address: &str, protocol: &str, client: &[(&str, &str)]) -> OtlpSettings {
    let mut variables = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", ROOT),
    ];
    variables.extend(client);
    let get = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
    let found = OtlpSettings::default().with_env(get, |pem| Ok(pem.as_bytes().to_vec()));
    assert!(found.ignored.is_empty(), "{:?}", found.ignored);
    found.settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_grpc_metrics_arrive_with_it_and_nothing_without() {
    let identity = Identity::from_pem(SERVER.0, SERVER.1);
    let tls = ServerTlsConfig::new().identity(identity);
    let tls = tls.client_ca_root(Certificate::from_pem(ROOT));
    let server = Server::builder().tls_config(tls).unwrap();
    let (collector, address) = Collector::listen(server, "https").await;

    let otlp = start(&settings(&address, "grpc", &[]));
    measure(otlp.observer().as_ref());
    otlp.shutdown(LONG).await.unwrap_err();
    assert_eq!((otlp.failures(), collector.metrics.lock().unwrap().len()), (1, 0));

    let otlp = start(&settings(&address, "grpc", &CLIENT));
    measure(otlp.observer().as_ref());
    otlp.shutdown(LONG).await.unwrap();
    assert_eq!((otlp.failures(), collector.metrics.lock().unwrap().len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_metrics_arrive_with_it_and_nothing_without() {
    let (address, asked) = over_http();
    let otlp = start(&settings(&address, "http/protobuf", &[]));
    measure(otlp.observer().as_ref());
    otlp.shutdown(LONG).await.unwrap_err();
    assert_eq!((otlp.failures(), asked.try_iter().count()), (1, 0));

    let otlp = start(&settings(&address, "http/protobuf", &CLIENT));
    measure(otlp.observer().as_ref());
    otlp.shutdown(LONG).await.unwrap();
    let asked: Vec<_> = asked.try_iter().collect();
    assert_eq!((otlp.failures(), asked), (0, vec!["POST /v1/metrics HTTP/1.1\r\n".to_owned()]));
}

/// A collector that takes everything from whoever has a certificate. Gives its address, and the first line of each request.
fn over_http() -> (String, Receiver<String>) {
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate(ROOT)).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::from_pem_slice(SERVER.1.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate(SERVER.0)], key)
        .unwrap();
    let config = Arc::new(config);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let (told, asked) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream));
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                match stream.read_line(&mut head) {
                    Ok(1..) => {}
                    _ => break, // no certificate
                }
            }
            let Some(line) = head.split_inclusive('\n').next() else { continue };
            told.send(line.to_owned()).unwrap();
            let length = head.to_lowercase();
            let length = length.lines().find_map(|it| it.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |it| it.parse().unwrap())];
            stream.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let stream = stream.get_mut();
            stream.write_all(answer).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
    });
    (address, asked)
}
