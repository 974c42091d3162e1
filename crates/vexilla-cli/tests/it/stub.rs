//! An HTTP server that answers what a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// As `GET /path`.
    pub(crate) what: String,
    /// The head, in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Whether the client showed a certificate.
    pub(crate) is_certified: bool,
}

/// Serves until the test ends. Gives the address, and what was asked.
pub(crate) fn serve(
    answer: impl Fn(&Asked) -> (u16, String) + Clone + Send + 'static,
) -> (String, Receiver<Asked>) {
    serve_as(|stream| stream, |_| false, answer)
}

/// The same over TLS.
pub(crate) fn serve_tls(
    config: ServerConfig,
    answer: impl Fn(&Asked) -> (u16, String) + Clone + Send + 'static,
) -> (String, Receiver<Asked>) {
    let config = Arc::new(config);
    let secure =
        move |stream| StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
    serve_as(secure, |it| it.conn.peer_certificates().is_some(), answer)
}

fn serve_as<S: Read + Write + 'static>(
    wrap: impl Fn(TcpStream) -> S + Clone + Send + 'static,
    is_certified: fn(&S) -> bool,
    answer: impl Fn(&Asked) -> (u16, String) + Clone + Send + 'static,
) -> (String, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (told, asked) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let (told, answer, wrap) = (told.clone(), answer.clone(), wrap.clone());
            thread::spawn(move || handle(wrap(connection), is_certified, &told, &answer));
        }
    });
    (address, asked)
}

fn handle<S: Read + Write>(
    connection: S,
    is_certified: fn(&S) -> bool,
    told: &Sender<Asked>,
    answer: &impl Fn(&Asked) -> (u16, String),
) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let what = head.lines().next()?.strip_suffix(" HTTP/1.1")?.to_owned();
    let head = head.to_lowercase();
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |it| it.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let is_certified = is_certified(reader.get_ref());
    let asked = Asked { what, head, body, is_certified };
    let (status, text) = answer(&asked);
    let _ = told.send(asked); // a test that has ended need not know
    let length = text.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    reader.get_mut().write_all(format!("{head}{text}").as_bytes()).ok()?;
    reader.get_mut().flush().ok()
}
