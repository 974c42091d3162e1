//! What does an outage cost an evaluation, and what does Flagr save?
//!
//! - With Flagr accepting connections and never answering, a local evaluation against one with Flagr healthy.
//! - A remote evaluation with the breaker open, which is decided here at once, against one that Flagr answers.
//! - The scenario of the design that Vexilla starts from: 10,000 flags of which 95 % need no bucket, 1,000 evaluations a
//!   second for ten seconds; requests that reach Flagr against one for each evaluation.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark reports, or ends")]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vexilla::{BreakerConfig, Client, FlagrConfig, Source};
use vexilla_benches::{cpu, flags};
use vexilla_domain::json::write_flags;
use vexilla_domain::{Context, Flag};

/// A Flagr as far as these benchmarks need one. It can be told to fall silent.
struct Flagr {
    address: String,
    silent: Arc<AtomicBool>,
    requests: Arc<AtomicU64>,
}

impl Flagr {
    async fn start(flags: &[Flag]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (silent, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let export: Arc<[u8]> = write_flags(flags).into();
        tokio::spawn({
            let (silent, requests) = (Arc::clone(&silent), Arc::clone(&requests));
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (silent, requests) = (Arc::clone(&silent), Arc::clone(&requests));
                    tokio::spawn(serve(stream, Arc::clone(&export), silent, requests));
                }
            }
        });
        Self { address, silent, requests }
    }

    async fn client(&self, open_for: Duration) -> Client {
        let mut config = FlagrConfig::new(&self.address);
        config.timeout = Duration::from_millis(500);
        config.evaluation_timeout = Duration::from_millis(500);
        config.retries = 0;
        let mut breaker = BreakerConfig::default();
        breaker.open_for = open_for;
        let builder = Client::builder().flagr_with(config).breaker(breaker);
        builder.refresh_interval(Duration::from_millis(200)).start().await.unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    export: Arc<[u8]>,
    silent: Arc<AtomicBool>,
    requests: Arc<AtomicU64>,
) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).ok()?;
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |it| it.parse().unwrap())];
        stream.read_exact(&mut body).await.ok()?;
        if silent.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        requests.fetch_add(1, Ordering::Relaxed);
        let answer = if head.contains("max_id") {
            b"{\"maxID\":7}".to_vec()
        } else if head.contains("export") {
            export.to_vec()
        } else {
            let asked: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let [entity, key] = ["entityID", "flagKey"].map(|it| asked.get(it).unwrap());
            format!(
                r#"{{"evalContext":{{"entityID":{entity},"flagKey":{key}}},"flagID":1,"flagKey":{key},"variantID":1,"variantKey":"on","segmentID":1}}"#
            )
            .into_bytes()
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        stream.write_all(&[head.as_bytes(), &answer].concat()).await.ok()?;
    }
}

/// Flags as a live Flagr has them.
fn numbered(count: usize, remote_every: usize) -> Vec<Flag> {
    let mut plain = flags::many(count, flags::PLAIN);
    let split = flags::many(count, flags::SPLIT);
    for (at, flag) in plain.iter_mut().enumerate() {
        if at % remote_every == remote_every - 1 {
            *flag = split.get(at).unwrap().clone();
        }
        flag.snapshot_id.0 = 7;
    }
    plain
}

/// Nanoseconds of CPU time for one local evaluation through the awaited call.
async fn local(client: &Client, ctx: &Context) -> f64 {
    const EVALUATIONS: u32 = 1_000_000;
    let before = cpu::time();
    for _ in 0..EVALUATIONS {
        let on = client.evaluate_with(black_box("flag-0"), black_box(ctx), |it| {
            it.variant_key() == Some("on")
        });
        assert!(on.await);
    }
    (cpu::time() - before) / f64::from(EVALUATIONS)
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        outage().await;
        scenario().await;
    });
}

async fn outage() {
    let flagr = Flagr::start(&numbered(100, 20)).await;
    let client = flagr.client(Duration::from_millis(1)).await;
    let ctx = flags::context();
    let (mut well, mut silent) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        flagr.silent.store(false, Ordering::Relaxed);
        while client.refresh().await.is_err() {}
        well.push(local(&client, &ctx).await);
        flagr.silent.store(true, Ordering::Relaxed);
        assert!(client.refresh().await.is_err());
        silent.push(local(&client, &ctx).await);
    }
    client.stop().await;
    cpu::report("a local evaluation, Flagr silent / healthy", silent, well, 1.05);

    flagr.silent.store(false, Ordering::Relaxed);
    let client = flagr.client(Duration::from_secs(600)).await;
    flagr.silent.store(true, Ordering::Relaxed);
    while client.stats().breaker.as_deref() != Some("open") {
        assert_eq!(client.evaluate("flag-19", &ctx).await.source, Source::Standby);
    }
    let before = cpu::time();
    for _ in 0..10_000 {
        assert_eq!(client.evaluate("flag-19", &ctx).await.source, Source::Standby);
    }
    println!(
        "a remote evaluation with the breaker open, decided here at once: {:.0} ns of CPU time",
        (cpu::time() - before) / 10_000.0
    );
    client.stop().await;
}

async fn scenario() {
    const EVALUATIONS: u64 = 10_000;
    let flagr = Flagr::start(&numbered(10_000, 20)).await;
    let client = flagr.client(Duration::from_secs(30)).await;
    let ctx = flags::context();
    let before = flagr.requests.load(Ordering::Relaxed);
    for n in 0..EVALUATIONS {
        let key = format!("flag-{}", n * 7919 % 10_000);
        assert_eq!(client.evaluate(&key, &ctx).await.variant_key(), Some("on"));
    }
    let requests = flagr.requests.load(Ordering::Relaxed) - before;
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let saved = 100.0 - requests as f64 / EVALUATIONS as f64 * 100.0;
    println!(
        "10,000 flags, 95 % of them without a bucket: {requests} requests to Flagr for {EVALUATIONS} evaluations, {saved:.1} % saved"
    );
    client.stop().await;
}
