//! The webhook: a notice that flags changed, handed on to the client.
//!
//! Flagr sends each notice once and hears no "try again". So an authentic notice is never answered with a server error:
//! what cannot be taken in whole stands for "everything may have changed". Notices are not held back here: the
//! [`Operator::notify`] port returns at once and turns many notes of one flag into few reads.

mod credential;
mod notice;
mod replay;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use hyper::body::Body;
use serde::Serialize;
use tokio::sync::Semaphore;
use tower::{BoxError, Service, service_fn};
use vexilla_domain::{Clock, Observer, Operator, Secret, WebhookOutcome};

use self::credential::{Credential, Signature};
use self::notice::Notice;
use self::replay::Replays;
use crate::change::{Change, InForce};
use crate::listener::{BindError, BoundServer, ListenAddress, Listener, ListenerConfig};
use crate::local;
use crate::reply::{Problem, Reply, json, read_body};
use crate::secret::CredentialError;
use crate::trace::{self, TraceParent, request_span};

/// What the webhook allows, and whom.
///
/// With neither a signing secret nor a header everybody who reaches the address is believed, so that only a loopback
/// address or a Unix socket can be bound; and on a loopback address only who calls it so is answered (`Host`), and no page
/// of another site (`Origin`, `Content-Type`). With both, either will do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookConfig {
    /// The key of the HMAC-SHA256 over the raw body, which senders give as `X-Webhook-Signature` in hexadecimal digits,
    /// with or without `sha256=` in front.
    pub signing_secret: Option<Secret>,
    /// A header that senders give, for Flagr, which signs nothing (`FLAGR_NOTIFICATION_WEBHOOK_HEADERS`).
    pub header: Option<WebhookHeader>,
    /// How far a signed notice's time may be from now, either way.
    pub timestamp_window: Duration,
    /// How many signed notices are remembered in order to tell repeated ones, which are counted as ignored. They lead to a
    /// read all the same, and many of them to few: two changes within a second look alike.
    pub replay_memory: usize,
    /// The largest notice in bytes. A larger one is answered 413; if its header is right, all flags are looked at.
    pub max_body_bytes: usize,
    /// How many notices are read at once. What comes on top and has the right header is not read, but has all flags
    /// looked at; a signed one waits for its turn.
    pub max_concurrent_requests: usize,
    /// How long a client may take for a notice, and how long a signed one waits for its turn.
    pub read_timeout: Duration,
    /// The connections: TLS, how many, how long.
    pub listener: ListenerConfig,
}

/// A header that tells who a sender is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookHeader {
    /// The header's name.
    pub name: String,
    /// Its value, whole: `Bearer …` and all.
    pub value: Secret,
}

impl WebhookHeader {
    /// `Authorization: Bearer …` with this token.
    pub fn bearer(token: &str) -> Self {
        Self { name: "authorization".to_owned(), value: Secret::new(format!("Bearer {token}")) }
    }
}

impl Default for WebhookConfig {
    fn default() -> Self {
        let listener = ListenerConfig {
            max_connections: 256,
            header_timeout: Duration::from_secs(5),
            ..ListenerConfig::default()
        };
        Self {
            signing_secret: None,
            header: None,
            timestamp_window: Duration::from_secs(5 * 60),
            replay_memory: 4_096,
            max_body_bytes: 4 << 20,
            max_concurrent_requests: 64,
            read_timeout: Duration::from_secs(10),
            listener,
        }
    }
}

impl WebhookConfig {
    /// Refuses secrets that cannot be.
    ///
    /// # Errors
    ///
    /// If a secret is empty, or a header's name cannot be one.
    pub fn check(&self) -> Result<(), CredentialError> {
        Credential::new(self).map(drop)
    }
}

/// Takes notices at `POST /webhook`, in two dialects: Flagr's own notification
/// (`{"operation","flag_id","flag_key",…}`), whatever it is about, and `{"event","flag_keys","timestamp"}` with the
/// events `flag.updated` and `flag.deleted`. Clones share their limits, which [`settings`](Self::settings) change.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use vexilla_domain::{Clock, Operator, Secret};
/// # use vexilla_server::{Webhook, WebhookConfig, WebhookHeader};
/// # async fn example(operator: Arc<dyn Operator>, clock: Arc<dyn Clock>) -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = WebhookConfig::default();
/// config.header = Some(WebhookHeader::bearer("hook-secret"));
/// let webhook = Webhook::new(operator, clock, config)?;
/// let bound = webhook.bind(&"0.0.0.0:18001".parse()?).await?;
/// let stop = async { /* wait for a signal */ };
/// bound.serve(stop, Duration::from_secs(10)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Webhook {
    operator: Arc<dyn Operator>,
    clock: Arc<dyn Clock>,
    settings: WebhookSettings,
    replays: Arc<Mutex<Replays>>,
    observer: Arc<dyn Observer>,
    trace: TraceParent,
    /// Whether it listens on a port, which a browser on this machine might be made to call.
    on_port: bool,
}

/// What a webhook allows, and whom, while it serves.
#[derive(Debug, Clone)]
pub struct WebhookSettings(Arc<InForce<Inner>>);

#[derive(Debug)]
struct Inner {
    config: WebhookConfig,
    credential: Credential,
    slots: Semaphore,
}

impl WebhookSettings {
    /// Other limits and other secrets.
    ///
    /// # Errors
    ///
    /// If a secret is empty, a header's name cannot be one, or nobody would have to prove anything where others than this
    /// machine reach the address.
    pub fn change(&self, config: WebhookConfig) -> Result<Change, CredentialError> {
        let listener = config.listener.clone();
        let new = Inner::new(config)?;
        if new.credential.is_none() && self.0.is_public() {
            return Err(CredentialError::Missing);
        }
        Ok(self.0.change(new, listener))
    }
}

impl Inner {
    fn new(config: WebhookConfig) -> Result<Self, CredentialError> {
        let credential = Credential::new(&config)?;
        let slots = Semaphore::new(config.max_concurrent_requests.min(Semaphore::MAX_PERMITS));
        Ok(Self { config, credential, slots })
    }
}

/// How a notice was taken.
#[derive(Debug, Clone, Copy)]
enum Taken {
    /// The flags that it names are read anew.
    Flags,
    /// It could not be read whole, so all are.
    Everything,
    /// It was taken before, or another one just like it. The flags are read anew once more.
    Repeated,
}

impl Taken {
    fn as_str(self) -> &'static str {
        match self {
            Self::Flags => "taken",
            Self::Everything => "everything",
            Self::Repeated => "repeated",
        }
    }
}

#[derive(Serialize)]
struct TakenBody {
    status: &'static str,
}

impl Webhook {
    /// A webhook in front of a client.
    ///
    /// # Errors
    ///
    /// If a secret is empty, or a header's name cannot be one.
    pub fn new(
        operator: Arc<dyn Operator>,
        clock: Arc<dyn Clock>,
        config: WebhookConfig,
    ) -> Result<Self, CredentialError> {
        let replays = Arc::new(Mutex::new(Replays::new(config.replay_memory)));
        let listener = config.listener.clone();
        let settings = WebhookSettings(Arc::new(InForce::new(Inner::new(config)?, listener)));
        let (observer, trace) = (Arc::new(()), TraceParent::default());
        Ok(Self { operator, clock, settings, replays, observer, trace, on_port: false })
    }

    /// The way to change what it allows while it serves.
    pub fn settings(&self) -> WebhookSettings {
        self.settings.clone()
    }

    /// Tells an observer of each call.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Ties the spans of requests to the traces that callers are in.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceParent) -> Self {
        self.trace = trace;
        self
    }

    /// Opens the address.
    ///
    /// # Errors
    ///
    /// If it cannot be listened on, or if others than this machine would reach it and nobody has to prove anything.
    pub async fn bind(mut self, address: &ListenAddress) -> Result<BoundServer, BindError> {
        let in_force = &self.settings.0;
        if in_force.now().credential.is_none() && !address.is_local() {
            let reason = "the webhook has no secret: without one it listens on a loopback address or a Unix socket only";
            return Err(BindError::new(address, reason));
        }
        let listener = Listener::bind(address, &in_force.listener).await?;
        in_force.listens(address);
        self.on_port = matches!(address, ListenAddress::Tcp(_));
        Ok(BoundServer::new(listener, move |it| self.answer(it)))
    }

    /// The webhook as a tower service, to be called in process or wrapped in further layers. It always answers.
    pub fn service<B>(
        &self,
    ) -> impl Service<Request<B>, Response = Reply, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let webhook = self.clone();
        service_fn(move |request: Request<B>| webhook.answer(request).map(Ok))
    }

    fn answer<B>(&self, request: Request<B>) -> impl Future<Output = Reply> + Send + use<B>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let webhook = self.clone();
        async move {
            let span = request_span!("webhook", webhook.trace, request);
            let (head, body) = request.into_parts();
            let work = trace::caught(webhook.take(&head, body), Problem::panicked);
            trace::answered(span, work.map(|it| webhook.told(it))).await
        }
    }

    /// What came of a call, told to the observer and to the caller.
    fn told(&self, result: Result<Taken, Problem>) -> Reply {
        if let Some(outcome) = outcome(&result) {
            self.observer.webhook_received(outcome);
        }
        match result {
            Ok(taken) => json(StatusCode::OK, &TakenBody { status: taken.as_str() }),
            Err(problem) => problem.into_reply(),
        }
    }
}

/// What came of a call, if it was one of the webhook.
fn outcome(result: &Result<Taken, Problem>) -> Option<WebhookOutcome> {
    Some(match result {
        Ok(Taken::Flags | Taken::Everything) => WebhookOutcome::Accepted,
        Ok(Taken::Repeated) => WebhookOutcome::Ignored,
        Err(problem) => match problem.status() {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => return None,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => WebhookOutcome::Unauthorized,
            StatusCode::PAYLOAD_TOO_LARGE => WebhookOutcome::TooLarge,
            // Too slow, too many at once, a fault here: what it says nobody knows.
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => WebhookOutcome::Failed,
            status if status.is_server_error() => WebhookOutcome::Failed,
            _ => WebhookOutcome::Malformed,
        },
    })
}

impl Webhook {
    async fn take<B>(&self, head: &Parts, body: B) -> Result<Taken, Problem>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>>,
    {
        if head.uri.path() != "/webhook" {
            return Err(Problem::unknown_path());
        }
        trace::route("/webhook");
        if head.method != Method::POST {
            return Err(Problem::wrong_method("POST"));
        }
        let in_force = self.settings.0.now();
        let Inner { config, credential, slots } = &*in_force;
        if self.on_port && credential.is_none() {
            if let Some(reason) = local::refused(&head.headers) {
                return Err(Problem::new(StatusCode::FORBIDDEN, reason));
            }
            local::check_media_type(&head.headers)?;
        }
        let signature = credential.check(&head.headers)?;
        let (limit, timeout) = (config.max_body_bytes, config.read_timeout);
        let slot = match (slots.try_acquire(), &signature) {
            (Ok(slot), _) => Some(slot),
            (Err(_), Some(_)) => {
                tokio::time::timeout(timeout, slots.acquire()).await.ok().and_then(Result::ok)
            }
            (Err(_), None) => {
                self.operator.notify(&[]);
                return Ok(Taken::Everything);
            }
        };
        let Some(_slot) = slot else {
            // Nobody knows yet whether it is authentic.
            let message = "too many notices are being read, try again later";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, message));
        };
        let body = match read_body(&head.headers, body, limit, timeout).await {
            Ok(body) => body,
            Err(problem) => {
                if signature.is_none() {
                    self.operator.notify(&[]); // it does say that something changed
                }
                return Err(problem);
            }
        };
        let mut taken = Taken::Flags;
        let notice = match &signature {
            None => Notice::read(&body).inspect_err(|_| self.operator.notify(&[]))?, // as above
            Some(signature) => {
                credential.verify(signature, &body)?;
                // One that cannot be read tells no time, so that it may be from any.
                let notice = Notice::read(&body)?;
                if self.is_repeated(config, &notice, signature)? {
                    taken = Taken::Repeated;
                }
                notice
            }
        };
        // A repeated one too: the first may have been followed before the change was made that this one is about.
        self.operator.notify(&notice.flags);
        Ok(taken)
    }

    /// Whether a signed notice was taken before; it has to be of about now.
    fn is_repeated(
        &self,
        config: &WebhookConfig,
        notice: &Notice,
        signature: &Signature,
    ) -> Result<bool, Problem> {
        let Some(written) = notice.time()? else {
            return Err(Problem::bad("`timestamp` is missing: a signed notice needs one"));
        };
        let (now, window) = (self.clock.now(), config.timestamp_window);
        let distance = match now.duration_since(written) {
            Ok(past) => past,
            Err(future) => future.duration(),
        };
        if window < distance {
            return Err(Problem::unauthorized("`timestamp` is too far from now"));
        }
        let mut replays = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        replays.resize(config.replay_memory);
        Ok(!replays.remember(signature.digest(), written + window, now))
    }
}
