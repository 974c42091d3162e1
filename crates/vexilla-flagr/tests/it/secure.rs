//! TLS with roots of our own, client certificates, and proxies.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use vexilla_domain::{FlagSource, Secret, SourceErrorKind};
use vexilla_flagr::{
    ClientCertificate, ExportFilter, FlagrConfig, FlagrSource, HttpProxy, SharedCertificates,
};

use crate::flagr::{Flagr, json};

const ROOT: &str = include_str!("certificates/root.pem");
const SERVER: (&str, &str) =
    (include_str!("certificates/server.pem"), include_str!("certificates/server.key"));
const CLIENT: (&str, &str) =
    (include_str!("certificates/client.pem"), include_str!("certificates/client.key"));

/// A Flagr behind TLS that is healthy for whoever gets through; it may want a certificate. Gives the address.
fn flagr(wants_certificate: bool) -> String {
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if wants_certificate {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(ROOT)).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::from_pem_slice(SERVER.1.as_bytes()).unwrap();
    let config = Arc::new(builder.with_single_cert(vec![certificate(SERVER.0)], key).unwrap());

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                request.extend(byte);
            }
            if request.starts_with(b"GET /api/v1/health HTTP/1.1\r\n") {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                stream.write_all(answer).unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        }
    });
    address
}

fn source(url: &str, change: impl FnOnce(&mut FlagrConfig)) -> FlagrSource {
    let mut config = FlagrConfig::new(url);
    change(&mut config);
    FlagrSource::new(config).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_of_our_own_is_trusted() {
    let address = flagr(false);
    source(&address, |it| it.extra_roots = ROOT.into()).health().await.unwrap();

    let mut config = FlagrConfig::new(address);
    config.extra_roots = CLIENT.0.into(); // trusted, but nothing to the server
    let error = FlagrSource::new(config).unwrap().health().await.unwrap_err();
    assert_eq!(error.to_string(), "GET /api/v1/health: cannot connect");
    assert_eq!(error.kind(), SourceErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_who_we_are_is_told() {
    let address = flagr(true);
    let identified = source(&address, |it| {
        it.extra_roots = ROOT.into();
        it.client_certificate = Some(ClientCertificate::new(CLIENT.0, Secret::new(CLIENT.1)));
    });
    identified.health().await.unwrap();
    source(&address, |it| it.extra_roots = ROOT.into()).health().await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_while_they_are_in_use() {
    let shared = |roots: &str, identity: Option<(&str, &str)>| {
        let identity = identity.map(|(chain, key)| ClientCertificate::new(chain, Secret::new(key)));
        SharedCertificates::new(roots.as_bytes(), identity).unwrap()
    };
    let address = flagr(true);
    let certificates = shared(ROOT, None);
    let source = source(&address, |it| it.certificates = Some(certificates.clone()));
    source.health().await.unwrap_err();
    certificates.replace(&shared(ROOT, Some(CLIENT))).unwrap();
    source.health().await.unwrap();
    // A session that is resumed would do without either.
    certificates.replace(&shared(ROOT, None)).unwrap();
    source.health().await.unwrap_err();
    certificates.replace(&shared("", Some(CLIENT))).unwrap();
    source.health().await.unwrap_err();
}

#[tokio::test]
async fn requests_go_through_the_proxy() {
    let proxy = Flagr::start().await;
    proxy.answer("/api/v1/health", json("{}")).await;
    // Nobody knows this name: only the proxy can have answered.
    let source = source("http://flagr.invalid:18000", |it| {
        let login = Secret::new("hunter2 & more");
        it.proxy = Some(HttpProxy::new(proxy.0.uri()).with_login("ann", login));
    });
    source.health().await.unwrap();
    let requests = proxy.0.received_requests().await.unwrap();
    let header = |name: &str| requests[0].headers.get(name).map(|it| it.to_str().unwrap());
    assert_eq!(header("host"), Some("flagr.invalid:18000"));
    assert_eq!(header("proxy-authorization"), Some("Basic YW5uOmh1bnRlcjIgJiBtb3Jl"));
    assert_eq!(header("authorization"), None);
    assert!(!format!("{source:?}").contains("hunter2"), "{source:?}");
}

#[tokio::test]
async fn an_https_address_is_reached_through_a_tunnel() {
    let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let (proxy, count) = crate::raw::serve_counted(refusal, crate::raw::Then::Closes).await;
    let source = source("https://flagr.invalid", |it| {
        it.extra_roots = ROOT.into();
        it.proxy = Some(HttpProxy::new(proxy));
    });
    let error = source.health().await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unavailable);
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn what_cannot_work_is_refused_before_anything_starts() {
    let refused = |change: fn(&mut FlagrConfig)| {
        let mut config = FlagrConfig::new("https://flagr");
        change(&mut config);
        FlagrSource::new(config).unwrap_err().field()
    };
    assert_eq!(refused(|it| it.extra_roots = b"nonsense".to_vec()), "extra_roots");
    assert_eq!(refused(|it| it.proxy = Some(HttpProxy::new("proxy"))), "proxy");
    let odd_tag = |it: &mut FlagrConfig| {
        let mut filter = ExportFilter::default();
        filter.tags = vec!["a,b".into()];
        it.export_filter = Some(filter);
    };
    assert_eq!(refused(odd_tag), "export_filter");
    let no_key = |it: &mut FlagrConfig| {
        it.extra_roots = ROOT.into();
        it.client_certificate = Some(ClientCertificate::new(CLIENT.0, Secret::new("")));
    };
    assert_eq!(refused(no_key), "client_certificate.key");
}
