//! Connections on threads of their own.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tokio::io::AsyncWriteExt;
use vexilla_domain::Clock;
use vexilla_server::{Sidecar, SidecarConfig, Workers};

use crate::fake::FakeEngine;
use crate::loopback::{Served, read_all, read_until};

/// Remembers which threads looked at it, as each answer does.
#[derive(Debug, Default)]
struct Seen(Mutex<BTreeSet<String>>);

impl Clock for Seen {
    fn now(&self) -> SystemTime {
        let name = thread::current().name().unwrap_or_default().to_owned();
        self.0.lock().unwrap().insert(name);
        SystemTime::UNIX_EPOCH
    }

    fn instant(&self) -> Instant {
        unreachable!("nobody measures")
    }
}

async fn start(workers: &Workers, drain: Duration) -> (Arc<Seen>, Served) {
    let seen = Arc::new(Seen::default());
    let engine = Arc::new(FakeEngine::default());
    let sidecar = Sidecar::new(engine, Arc::clone(&seen) as _, SidecarConfig::default());
    let bound = sidecar.listen(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    (seen, Served::start(bound.on(workers), drain))
}

const HEAD: &str = "POST /api/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n";

#[tokio::test]
async fn each_thread_serves_its_share() {
    let workers = Workers::start(2).unwrap();
    let (seen, served) = start(&workers, Duration::from_secs(10)).await;
    let mut open = Vec::new();
    for _ in 0..4 {
        let mut stream = served.connect().await;
        for _ in 0..2 {
            stream.write_all(format!("{HEAD}{{}}").as_bytes()).await.unwrap();
            let answer = read_until(&mut stream, "}\n").await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        open.push(stream);
    }
    let names = ["vexilla-http-0".to_owned(), "vexilla-http-1".to_owned()];
    assert_eq!(*seen.0.lock().unwrap(), BTreeSet::from(names));

    // Who is idle is let go, on whichever thread.
    assert_eq!(served.stop().await.unwrap(), 0);
    for mut stream in open {
        assert_eq!(read_all(&mut stream).await, "");
    }
}

#[tokio::test]
async fn a_request_that_is_not_done_is_waited_for_and_then_cut() {
    let workers = Workers::start(1).unwrap();
    let (_, served) = start(&workers, Duration::from_secs(10)).await;
    let mut stream = served.connect().await;
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    stream.write_all(b"{").await.unwrap();
    pass_by(&served).await;
    let stopped = served.stop();
    stream.write_all(b"}").await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 200"));
    assert_eq!(stopped.await.unwrap(), 0);

    let (_, served) = start(&workers, Duration::ZERO).await;
    let mut stream = served.connect().await;
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    stream.write_all(b"{").await.unwrap();
    pass_by(&served).await;
    // The one that passed by may still be there.
    assert!((1..=2).contains(&served.stop().await.unwrap()));
    assert_eq!(read_all(&mut stream).await, "");
    workers.stop().await;
    workers.stop().await;
}

/// Is answered after whatever came before it on the same thread.
async fn pass_by(served: &Served) {
    let answer = served.exchange("GET /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
