//! One connection to Redis: encrypted if need be, logged in, and subscribed to our channel.

use std::io;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo, RedisError,
    Value,
};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::config::RedisConfig;

/// A connection, and what comes in on it. It is closed when this is dropped.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) connection: MultiplexedConnection,
    /// Holds one message at most: it only says that it is worth a look.
    messages: mpsc::Receiver<()>,
    /// Moves the bytes; ends when the connection does.
    driver: JoinHandle<()>,
}

/// What happens on a connection by itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Another instance said something.
    Message,
    /// The connection is gone.
    Closed,
}

impl Link {
    /// Connects within the time that the configuration leaves for it. Messages that end with `own` are not passed on.
    pub(super) async fn open(
        config: &RedisConfig,
        tls: Option<&TlsConnector>,
        channel: &str,
        own: &str,
    ) -> Result<Self, RedisError> {
        let opening = async {
            let stream = stream(config, tls).await?;
            let (sender, messages) = mpsc::channel(1);
            let own = own.to_owned();
            let limits = AsyncConnectionConfig::new()
                .set_response_timeout(Some(config.response_timeout))
                .set_push_sender(move |push: PushInfo| {
                    if is_message(&push, &own) {
                        // A message that waits already says the same.
                        let _ = sender.try_send(());
                    }
                    Ok::<(), ()>(())
                });
            let (mut connection, driver) =
                MultiplexedConnection::new_with_config(&login(config), stream, limits).await?;
            let driver = tokio::spawn(driver);
            let link = Self { connection: connection.clone(), messages, driver };
            connection.subscribe(channel).await?;
            Ok(link)
        };
        let timed_out = |_| RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
        timeout(config.connect_timeout, opening).await.map_err(timed_out)?
    }

    /// Waits for something to happen.
    pub(super) async fn event(&mut self) -> Event {
        tokio::select! {
            _ = &mut self.driver => Event::Closed,
            message = self.messages.recv() => match message {
                Some(()) => Event::Message,
                None => Event::Closed,
            },
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn stream(config: &RedisConfig, tls: Option<&TlsConnector>) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((config.host.as_str(), config.port)).await?;
    stream.set_nodelay(true)?;
    match tls {
        None => Ok(Box::new(stream)),
        Some(tls) => {
            let name = ServerName::try_from(config.host.clone()).map_err(io::Error::other)?;
            Ok(Box::new(tls.connect(name, stream).await?))
        }
    }
}

fn login(config: &RedisConfig) -> RedisConnectionInfo {
    // Messages and answers share a connection only in RESP3, which Redis knows since version 6.
    let mut info = RedisConnectionInfo::default()
        .set_protocol(ProtocolVersion::RESP3)
        .set_db(config.database.into())
        .set_skip_set_lib_name();
    if let Some(username) = &config.username {
        info = info.set_username(username);
    }
    if let Some(password) = &config.password {
        info = info.set_password(password.reveal());
    }
    info
}

/// A message that another instance sent.
fn is_message(push: &PushInfo, own: &str) -> bool {
    let ours = |text: &Value| matches!(text, Value::BulkString(it) if it.ends_with(own.as_bytes()));
    push.kind == PushKind::Message && !push.data.last().is_some_and(ours)
}
