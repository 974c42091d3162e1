//! A Flagr that runs in the benchmark's process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vexilla_domain::Flag;
use vexilla_domain::json::write_flags;

/// A Flagr as far as these benchmarks need one. It can be told to fall silent.
pub struct Flagr {
    /// Its URL.
    pub address: String,
    /// Whether it takes requests and never answers.
    pub silent: Arc<AtomicBool>,
    /// How many it has answered.
    pub requests: Arc<AtomicU64>,
    /// How many bytes went to and fro for these.
    pub bytes: Arc<AtomicU64>,
}

impl Flagr {
    /// Starts one with these flags; to an evaluation it says `on`.
    pub async fn start(flags: &[Flag]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let silent = Arc::new(AtomicBool::new(false));
        let [requests, bytes] = [0, 0].map(|it| Arc::new(AtomicU64::new(it)));
        let export: Arc<[u8]> = write_flags(flags).into();
        tokio::spawn({
            let silent = Arc::clone(&silent);
            let counts = [&requests, &bytes].map(Arc::clone);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let counts = counts.each_ref().map(Arc::clone);
                    tokio::spawn(serve(stream, Arc::clone(&export), Arc::clone(&silent), counts));
                }
            }
        });
        Self { address, silent, requests, bytes }
    }
}

async fn serve(
    mut stream: TcpStream,
    export: Arc<[u8]>,
    silent: Arc<AtomicBool>,
    [requests, bytes]: [Arc<AtomicU64>; 2],
) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let mut told = head.len();
        let head = String::from_utf8(head).ok()?;
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |it| it.parse().unwrap())];
        stream.read_exact(&mut body).await.ok()?;
        told += body.len();
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
        told += head.len() + answer.len();
        bytes.fetch_add(u64::try_from(told).unwrap(), Ordering::Relaxed);
        stream.write_all(&[head.as_bytes(), &answer].concat()).await.ok()?;
    }
}
