//! What `connections` promises.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{AbortHandle, Abortable, Aborted};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::pace::Pace;
use super::super::places::Places;
use super::Serving;
use crate::ListenerConfig;
use crate::listener::LiveConfig;

const HEAD: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(60);

/// A connection that answers with a body of so many bytes after so long.
fn connect(size: usize, work: Duration) -> (DuplexStream, JoinHandle<Duration>) {
    let (client, stream) = duplex(1024);
    let answer = move |_: Request<Incoming>| async move {
        pass(work).await;
        Response::new(Full::new(Bytes::from(vec![b'x'; size])))
    };
    let mut http = http1::Builder::new();
    http.auto_date_header(false);
    let serving = Serving { http, pace: Pace::new(HEAD, IDLE), tls: None, answer };
    let served = tokio::spawn(async move {
        let (start, stage) = (Instant::now(), serving.pace.stage());
        let _broken = serving.connection(stream, stage).await;
        start.elapsed()
    });
    (client, served)
}

async fn ask(client: &mut DuplexStream) {
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
}

/// Reads a short answer.
async fn take(client: &mut DuplexStream) {
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\nx") {
        answer.push(char::from(client.read_u8().await.unwrap()));
    }
}

/// Tokio's timer has milliseconds.
fn assert_about(time: Duration, expected: Duration) {
    assert!(time.abs_diff(expected) < Duration::from_millis(20), "{time:?} is not {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_has_the_time_of_a_head() {
    let (_client, served) = connect(1, Duration::ZERO);
    assert_about(served.await.unwrap(), HEAD);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_in_drops_does_not_get_more_time() {
    let (mut client, served) = connect(1, Duration::ZERO);
    let drops = async {
        while client.write_all(b"GET / HTTP/1.1\r\nx-slow: ".get(..1).unwrap()).await.is_ok() {
            pass(Duration::from_secs(1)).await;
        }
    };
    drops.await;
    assert_about(served.await.unwrap(), HEAD);
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_has_longer() {
    let (mut client, served) = connect(1, Duration::ZERO);
    let pause = IDLE.mul_f32(0.9);
    for _ in 0..3 {
        ask(&mut client).await;
        take(&mut client).await;
        pass(pause).await;
    }
    assert_about(served.await.unwrap(), 2 * pause + IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_later_head_has_the_time_of_a_head() {
    let (mut client, served) = connect(1, Duration::ZERO);
    ask(&mut client).await;
    take(&mut client).await;
    pass(Duration::from_secs(30)).await;
    client.write_all(b"GET / HT").await.unwrap();
    assert_about(served.await.unwrap(), Duration::from_secs(30) + HEAD);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_worked_on_is_not_hurried() {
    let (mut client, served) = connect(1, 10 * IDLE);
    ask(&mut client).await;
    take(&mut client).await;
    assert_about(served.await.unwrap(), 10 * IDLE + IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_of_its_answer_is_given_up() {
    let (mut client, served) = connect(100_000, Duration::ZERO);
    ask(&mut client).await;
    assert_about(served.await.unwrap(), IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_its_answer_slowly_is_not() {
    let (mut client, served) = connect(10_000, Duration::ZERO);
    ask(&mut client).await;
    let mut buffer = vec![0; 1_000];
    for _ in 0..10 {
        pass(IDLE.mul_f32(0.9)).await;
        client.read_exact(&mut buffer).await.unwrap();
    }
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"x"), "{rest:?}");
    assert!(served.await.unwrap() > 9 * IDLE);
}

/// A connection that has the only place, with a client that takes its answer slowly.
#[tokio::test(start_paused = true)]
async fn who_takes_an_answer_slowly_keeps_the_place_and_who_takes_none_loses_it() {
    let pace = Pace::new(HEAD, IDLE);
    let config = ListenerConfig { max_connections: 1, ..ListenerConfig::default() };
    let places = Places::new(LiveConfig::new(config), pace);
    let (mut client, stream) = duplex(1024);
    let answer =
        |_: Request<Incoming>| async { Response::new(Full::new(Bytes::from(vec![b'x'; 100_000]))) };
    let serving = Serving { http: http1::Builder::new(), pace, tls: None, answer };
    let stage = pace.stage();
    let (ender, registration) = AbortHandle::new_pair();
    let seat = places.take(stage.clone(), ender).await;
    let served = async move {
        let _seat = seat;
        serving.connection(stream, stage).await.is_ok()
    };
    let served = tokio::spawn(Abortable::new(served, registration));
    let ender = || AbortHandle::new_pair().0;
    ask(&mut client).await;

    let mut some = vec![0; 1_000];
    for _ in 0..5 {
        let other =
            tokio::time::timeout(Duration::from_secs(9), places.take(pace.stage(), ender()));
        assert!(other.await.is_err(), "the place is taken");
        client.read_exact(&mut some).await.unwrap();
    }
    let (before, _seat) = (Instant::now(), places.take(pace.stage(), ender()).await);
    assert_eq!(served.await.unwrap(), Err(Aborted));
    assert!(before.elapsed().abs_diff(Duration::from_secs(10)) < Duration::from_millis(100));
}

/// Lets time pass.
async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}
