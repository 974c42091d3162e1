//! A Flagr that misbehaves in every way that was thought of, over real sockets: no answer changes, the age grows, the
//! state is told, and all is well again by itself.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vexilla::{BreakerConfig, Client, Context, FlagrConfig, Source, StartPolicy};
use vexilla_domain::Operator;

use crate::routing::split;
use crate::scripted::flag;

/// What the server does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// Takes connections and never answers.
    Silent,
    /// Answers a byte now and then.
    Drips,
    ClosesAtOnce,
    ClosesInTheMiddle,
    /// Promises more than it sends.
    WrongLength,
    GzipBomb,
    Fails,
    IsBusy,
    RedirectsToLogin,
    LoginPage,
    WrongShape,
    NotJson,
    /// Says once that it has no flags.
    LooksEmpty,
    Panics,
}

struct Flagr {
    mood: Arc<Mutex<Mood>>,
    address: String,
}

impl Flagr {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mood = Arc::new(Mutex::new(Mood::Well));
        tokio::spawn({
            let mood = Arc::clone(&mood);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, Arc::clone(&mood)));
                }
            }
        });
        Self { mood, address }
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// A client that waits milliseconds where others wait seconds.
    async fn client(&self) -> Client {
        let mut config = FlagrConfig::new(&self.address);
        config.connect_timeout = PATIENCE;
        config.timeout = PATIENCE;
        config.bulk_idle_timeout = PATIENCE;
        config.bulk_timeout = PATIENCE;
        config.evaluation_timeout = PATIENCE;
        config.export_lag = Duration::from_millis(1);
        config.retries = 0;
        config.max_export_bytes = 1 << 20;
        let mut breaker = BreakerConfig::default();
        breaker.open_for = Duration::from_millis(1);
        let builder = Client::builder().flagr_with(config).breaker(breaker);
        #[cfg(feature = "memory")]
        let builder = builder.no_remote_cache(); // who decides is looked at
        builder.on_start(StartPolicy::RequireFlags).start().await.unwrap()
    }
}

const PATIENCE: Duration = Duration::from_millis(400);

fn export() -> String {
    let flags = [flag(1, "plain", ""), split(2, "split")];
    let flags = flags.map(|it| it.replacen("\"ID\"", "\"SnapshotID\":7,\"ID\"", 1));
    format!("{{\"Flags\":[{}]}}\n", flags.join(","))
}

async fn serve(mut stream: TcpStream, moods: Arc<Mutex<Mood>>) {
    let mood = *moods.lock().unwrap();
    let Some((path, body)) = request(&mut stream).await else { return };
    let is_export = path.contains("/export/");
    let well = match &*path {
        "/api/v1/flags/snapshots/max_id" => "{\"maxID\":7}\n".to_owned(),
        "/api/v1/evaluation" => evaluation(&body),
        _ => export(),
    };
    let whole = answer("200 OK", "application/json", "", well.as_bytes());
    let bytes = match mood {
        Mood::Well | Mood::LooksEmpty if !is_export || mood == Mood::Well => whole,
        Mood::Silent => return std::future::pending().await,
        Mood::ClosesAtOnce => return,
        Mood::Drips => {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            for byte in whole {
                ticks.tick().await;
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
            return;
        }
        Mood::ClosesInTheMiddle => whole[..whole.len() - 3].to_vec(),
        Mood::WrongLength => {
            let text = String::from_utf8(whole).unwrap();
            text.replace("content-length: ", "content-length: 9").into_bytes()
        }
        Mood::GzipBomb => {
            let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
            bomb.write_all(&vec![b' '; 32 << 20]).unwrap();
            let packed = bomb.finish().unwrap();
            answer("200 OK", "application/json", "content-encoding: gzip\r\n", &packed)
        }
        Mood::Fails => {
            answer("500 Internal Server Error", "application/json", "", b"{\"message\":\"boom\"}")
        }
        Mood::IsBusy => {
            answer("429 Too Many Requests", "text/plain", "retry-after: 600\r\n", b"later")
        }
        Mood::RedirectsToLogin => {
            answer("307 Temporary Redirect", "text/html", "location: /login\r\n", b"")
        }
        Mood::LoginPage => answer("200 OK", "text/html", "", b"<html>log in</html>"),
        Mood::WrongShape => answer("200 OK", "application/json", "", b"[1,2,3]"),
        Mood::NotJson => answer("200 OK", "application/json", "", b"<html>"),
        Mood::Well | Mood::LooksEmpty => {
            *moods.lock().unwrap() = Mood::Well;
            answer("200 OK", "application/json", "", b"{\"Flags\":[]}")
        }
        Mood::Panics => answer(
            "500 Internal Server Error",
            "text/plain",
            "",
            b"PANIC: runtime error: index out of range\n",
        ),
    };
    let _ = stream.write_all(&bytes).await; // the client may have gone
}

/// What Flagr would say: the entity's number decides, so that an answer made up here would be wrong half of the time.
fn evaluation(body: &str) -> String {
    let asked: serde_json::Value = serde_json::from_str(body).unwrap();
    let entity = asked["entityID"].as_str().unwrap();
    let rules = vexilla_eval::Ruleset::from_json(export().as_bytes()).unwrap().ruleset;
    let key = rules.evaluate("split", &Context::new(entity)).variant_key().unwrap();
    let id = if key == "a" { 21 } else { 22 };
    serde_json::json!({
        "evalContext": {"entityID": entity, "flagKey": asked["flagKey"]}, "evalDebugLog": {"segmentDebugLogs": null},
        "flagID": 2, "flagKey": "split", "segmentID": 2, "variantID": id, "variantKey": key, "variantAttachment": {},
    })
    .to_string()
}

fn answer(status: &str, content_type: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The path and the body of a request.
async fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.split('?').next()?.to_owned();
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |it| it.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some((path, String::from_utf8(body).ok()?))
}

/// Who gets what, of both flags.
async fn answers(client: &Client) -> Vec<Option<String>> {
    let mut answers = Vec::new();
    for entity in 0..8 {
        let ctx = Context::new(format!("user-{entity}"));
        for key in ["plain", "split"] {
            let evaluation = client.evaluate(key, &ctx).await;
            answers.push(evaluation.variant_key().map(str::to_owned));
        }
    }
    answers
}

/// Refreshes until it works, which it must within the test's time.
async fn until_well(client: &Client) {
    while client.refresh().await.is_err() {
        tokio::task::yield_now().await;
    }
}

async fn check(mood: Mood, says: &str) {
    let flagr = Flagr::start().await;
    let client = flagr.client().await;
    let before = answers(&client).await;
    assert!(before.contains(&Some("a".to_owned())) && before.contains(&Some("b".to_owned())));
    assert!(client.stats().by_source(Source::Remote) > 0, "Flagr decides while it is well");
    let confirmed = client.stats().refreshed_at;

    flagr.is(mood);
    let error = client.refresh().await.unwrap_err().to_string();
    assert!(error.contains(says), "{mood:?}: {error}");
    assert_eq!(answers(&client).await, before, "{mood:?}");
    let stats = client.stats();
    assert!(stats.stale && stats.flags == 2, "{mood:?}: {stats:?}");
    assert_eq!(stats.refreshed_at, confirmed, "{mood:?}: the age grows");
    assert!(stats.last_error.as_ref().is_some_and(|it| it.contains(says)), "{mood:?}");
    assert!(stats.by_source(Source::Standby) > 0, "{mood:?}");

    flagr.is(Mood::Well);
    until_well(&client).await;
    assert_eq!(answers(&client).await, before, "{mood:?}, and well again");
    assert!(!client.stats().stale);
    client.stop().await;
}

#[tokio::test]
async fn a_flagr_that_is_silent() {
    check(Mood::Silent, "within 400ms").await;
}

#[tokio::test]
async fn a_flagr_that_answers_byte_by_byte() {
    check(Mood::Drips, "400ms").await;
}

#[tokio::test]
async fn a_flagr_that_hangs_up() {
    check(Mood::ClosesAtOnce, "no answer").await;
    check(Mood::ClosesInTheMiddle, "broke off").await;
    check(Mood::WrongLength, "broke off").await;
}

#[tokio::test]
async fn a_flagr_that_sends_a_bomb() {
    check(Mood::GzipBomb, "more than 65536 bytes").await;
}

#[tokio::test]
async fn a_flagr_that_refuses() {
    check(Mood::Fails, "500").await;
    check(Mood::IsBusy, "429").await;
    check(Mood::Panics, "500").await;
}

#[tokio::test]
async fn something_else_than_a_flagr() {
    check(Mood::RedirectsToLogin, "login page").await;
    check(Mood::LoginPage, "text/html").await;
    check(Mood::WrongShape, "something else than expected").await;
    check(Mood::NotJson, "something else than expected").await;
}

#[tokio::test]
async fn a_flagr_that_is_gone_and_comes_back_elsewhere() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut config = FlagrConfig::new(format!("http://{address}"));
    config.retries = 0;
    let builder = Client::builder().flagr_with(config).on_start(StartPolicy::ComeUpEmpty);
    let client = builder.start().await.unwrap();
    assert!(!client.readiness().is_ready());
    let error = client.refresh().await.unwrap_err().to_string();
    assert!(error.contains("cannot connect"), "{error}");
    assert!(client.bool("plain", &Context::new("u"), true).await, "the caller's default");
    assert!(client.health().await.is_err());
    client.stop().await;
}

#[tokio::test]
async fn an_export_that_looks_empty_is_not_believed_at_once() {
    let flagr = Flagr::start().await;
    let client = flagr.client().await;
    let before = answers(&client).await;
    flagr.is(Mood::LooksEmpty);
    Operator::reread_all(&client).await.unwrap();
    assert_eq!(*flagr.mood.lock().unwrap(), Mood::Well, "it was read, and read again");
    assert_eq!(answers(&client).await, before);
    client.stop().await;
}
