//! Settings of the servers: the sidecar, the admin API, the webhook.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::time::Duration;
use std::{io, thread};

use vexilla::{
    AdminConfig, ForwardConfig, Injection, ListenAddress, ListenerConfig, SidecarConfig, TlsFiles,
    UnixAccess, WebhookConfig, WebhookHeader, Workers,
};
use vexilla_domain::with_causes;

use super::found::{Origins, Wrong};
use super::kind::{
    As, Count, Demanded, Kind, Maybe, Named, OneOf, OrOff, Place, SecretHeader, Shown, Size,
    Switch, Text, Time, Words, Written,
};
use super::raw::Raw;
use super::table::{Section as _, section};

section! {
    /// The sidecar: Flagr's evaluation API, and OpenFeature's remote evaluation protocol
    struct Sidecar for it: SidecarConfig {
        /// Where to listen: an address with a port, of which 0 takes a free one, or `unix:/run/vexilla.sock`
        listen: As<ListenAddress> = local(18_100),
            [flag: Some("listen"), value: Some("ADDR"), common: true];
        /// How many threads serve connections, each its own, which answers more requests. What keeps one of them busy, such as
        /// reading a body of megabytes, holds up its other connections; with `0` all connections are shared by the threads that
        /// do everything else
        threads: Maybe<Count<usize>> = None, [unset: "one for each processor"];
        /// What all paths begin with, as Flagr's `FLAGR_WEB_PREFIX`: `/flags`
        web_prefix: Prefix => it.web_prefix, [flag: Some("web-prefix"), value: Some("PATH"), common: true];
        /// Pass on to Flagr what is not answered here, so that its UI and its other clients work through the sidecar. It is
        /// asked with the caller's credentials
        pass_through: Switch => it.pass_through, [flag: Some("pass-through"), common: true, with_flagr: true];
        /// The largest request body; a larger one is answered 413
        max_body_bytes: Size<usize> => it.max_body_bytes, [live: true];
        /// How many bytes the bodies that are being received may take, all together; one that would take more is answered
        /// 503. The first 16 KiB of each do not count
        max_waiting_bytes: Size<usize> => it.max_waiting_bytes, [live: true];
        /// The largest batch, counted as Flagr counts: entities × (ids + keys + 1 if there are tags). A larger one is
        /// answered 400; `0` stands for no limit
        max_batch_size: Count<usize> => it.max_batch_size, [live: true];
        /// How many exposures may be sent at once; more are answered 400; `0` stands for no limit
        max_exposures: Count<usize> => it.max_exposures, [live: true];
        /// The largest answer to a batch; a larger one is answered 400
        max_answer_bytes: Size<usize> => it.max_answer_bytes, [live: true];
        /// The longest query of a `GET` evaluation in bytes; a longer one is answered 400; `0` stands for no limit
        max_query_bytes: Count<usize> => it.max_query_bytes, [live: true];
        /// How many requests are worked on at once, and how many beside them wait for somebody else, such as Flagr; one more
        /// of either is answered 503
        max_concurrent_requests: Count<usize, 1> => it.max_concurrent_requests, [live: true];
        /// How long a client may take for a request's body
        read_timeout: Time => it.read_timeout, [live: true];
        /// How long an answer may take once the request has been read; then it is 503
        answer_timeout: Time => it.answer_timeout, [live: true];
        /// How long running requests have to finish once the end was asked for
        drain: Time = Duration::from_secs(10);
        /// Whether pages of other origins may ask, with Flagr's default headers for it
        cors: Switch => it.cors, [live: true];
        /// Whether answers are compressed for callers that take gzip
        gzip: Switch => it.gzip, [live: true];
        /// Whether OpenFeature's remote evaluation protocol is answered
        ofrep: Switch => it.ofrep, [live: true];
        /// Whether OpenFeature callers get a boolean for the variant keys `on`, `off`, `true`, `false` where the attachment
        /// tells no value
        ofrep_boolean_keys: Switch => it.ofrep_boolean_keys, [live: true];
        /// Add the time of the request to each context as `@ts…`, and its headers that are named below as `@http_…`, as
        /// Flagr does where it is told to
        inject: Switch = false, [live: true];
        /// Names of headers to add
        inject_headers: Words = Vec::new(), [live: true];
        /// What names of headers to add begin with
        inject_prefixes: Words = Vec::new(), [live: true];
        /// Names of headers that are never added, whatever the two above say. Flagr has no such list: these hold credentials,
        /// and a context is repeated in answers and kept in data records
        inject_except: Words = Injection::default().except, [live: true];
    }
}

section! {
    /// The limits of what the sidecar hands on to Flagr: exposures, and what is passed through
    struct Forward for it: ForwardConfig {
        /// The largest request body; a larger one is answered 413
        max_body_bytes: Size<usize> => it.max_body_bytes;
        /// How many answers are waited for at once; one more request is answered 503
        max_concurrent_requests: Count<usize, 1> => it.max_concurrent_requests;
        /// How long Flagr may take to begin its answer; then it is 504
        answer_timeout: Time => it.answer_timeout;
        /// How long a body may stand still, in either direction
        idle_timeout: Time => it.idle_timeout;
    }
}

section! {
    /// The admin API
    struct Admin for it: AdminConfig {
        /// Where the admin API listens, or `off`. Elsewhere than on this machine it needs a token, in
        /// `admin.token` or the variable `VEXILLA_ADMIN_TOKEN`
        listen: OrOff<As<ListenAddress>> = Some(local(19_000)),
            [value: Some("ADDR|off"), common: true];
        /// What callers of `/admin` have to send as `Authorization: Bearer …`
        token: Demanded => it.token, [alias: Some("VEXILLA_ADMIN_TOKEN"), live: true];
        /// The largest request body; a larger one is answered 413
        max_body_bytes: Size<usize> => it.max_body_bytes, [live: true];
        /// How many requests are worked on at once; one more is answered 503
        max_concurrent_requests: Count<usize, 1> => it.max_concurrent_requests, [live: true];
        /// How long a client may take for a request's body
        read_timeout: Time => it.read_timeout, [live: true];
        /// How long an answer may take, a refresh included; then it is 504
        answer_timeout: Time => it.answer_timeout, [live: true];
    }
}

section! {
    /// The webhook, which takes Flagr's notifications
    struct Webhook for it: WebhookConfig {
        /// Where Flagr's notifications are taken, or `off`. Elsewhere than on this machine it needs a secret: `webhook.header`,
        /// `webhook.token` or `webhook.secret`
        listen: Maybe<OrOff<As<ListenAddress>>> = None, [
            value: Some("ADDR|off"), common: true,
            unset: "`127.0.0.1:18001` for a Flagr, `off` for a file"
        ];
        /// What notices are signed with: the key of the HMAC-SHA256 in `X-Webhook-Signature`
        secret: Demanded => it.signing_secret, [alias: Some("VEXILLA_WEBHOOK_SECRET"), live: true];
        /// A header that Flagr sends with its notices, by its `FLAGR_NOTIFICATION_WEBHOOK_HEADERS`
        header: SecretHeader = None, [alias: Some("VEXILLA_WEBHOOK_HEADER"), live: true];
        /// The same for the header `Authorization: Bearer …`
        token: Demanded = None, [live: true];
        /// How far a signed notice's time may be from now, either way
        timestamp_window: Time => it.timestamp_window, [live: true];
        /// How many signed notices are remembered in order to tell repeated ones, which lead to a read all the same
        replay_memory: Count<usize> => it.replay_memory, [live: true];
        /// The largest notice; a larger one is answered 413
        max_body_bytes: Size<usize> => it.max_body_bytes, [live: true];
        /// How many notices are read at once
        max_concurrent_requests: Count<usize, 1> => it.max_concurrent_requests, [live: true];
        /// How long a client may take for a notice
        read_timeout: Time => it.read_timeout, [live: true];
    }
}

section! {
    /// The connections
    struct Listener for it: ListenerConfig {
        /// A file with the certificate in PEM, followed by those that lead to its root: TLS is spoken. It is read again when
        /// it changes
        tls_certificate: Maybe<Place> = None, [unset: "plain HTTP"];
        /// A file with the certificate's private key in PEM
        tls_key: Maybe<Place> = None;
        /// Who may connect to a Unix socket: the user that the process runs as, or the group too
        unix_access: OneOf<UnixAccess> => it.unix_access;
        /// How many connections are open at once. One more takes the place of that which has been silent for longest, and
        /// waits while all are busy
        max_connections: Count<usize, 1> => it.max_connections, [live: true];
        /// The largest head of a request; a larger one is answered 431, and so is one with more than 100 headers
        max_header_bytes: Size<usize> => it.max_header_bytes, [live: true];
        /// How long a client may take for its TLS handshake, and for a request's head
        header_timeout: Time => it.header_timeout, [live: true];
        /// How long a connection lives between two requests, and how long a client may take nothing of an answer
        idle_timeout: Time => it.idle_timeout, [live: true];
    }
}

/// This port, for this machine only.
pub(crate) fn local(port: u16) -> ListenAddress {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()
}

/// What paths begin with: empty, or a slash and more, without one at the end.
pub(crate) struct Prefix;

impl Kind for Prefix {
    type Value = String;

    fn shape() -> String {
        "path that begins with a slash, or empty".to_owned()
    }

    fn read(raw: &Raw) -> Result<String, String> {
        let bare = raw.text()?.trim_end_matches('/');
        if !bare.is_empty() && !bare.starts_with('/') {
            return Err(format!("`{bare}` must begin with a slash"));
        }
        Ok(bare.to_owned())
    }

    fn shown(value: &String) -> Shown {
        Text::shown(value)
    }
}

impl Written for ListenAddress {
    const SHAPE: &'static str = "address with a port, or `unix:` and a path";
}

impl Named for UnixAccess {
    const NAMES: &'static [(&'static str, Self)] =
        &[("owner", Self::Owner), ("group", Self::Group)];
}

impl Sidecar {
    /// The threads that serve its connections; none where all threads share them.
    pub(crate) fn workers(&self) -> io::Result<Option<Workers>> {
        let processors = || thread::available_parallelism().map_or(1, NonZero::get);
        match self.threads.unwrap_or_else(processors) {
            0 => Ok(None),
            count => Workers::start(count).map(Some),
        }
    }

    pub(crate) fn config(&self, listener: ListenerConfig) -> SidecarConfig {
        let mut config = SidecarConfig::default();
        self.apply(&mut config);
        config.listener = listener;
        config.injection = self.inject.then(|| Injection {
            headers: self.inject_headers.clone(),
            prefixes: self.inject_prefixes.clone(),
            except: self.inject_except.clone(),
        });
        config
    }
}

impl Admin {
    pub(crate) fn config(&self, listener: ListenerConfig) -> AdminConfig {
        let mut config = AdminConfig::default();
        self.apply(&mut config);
        config.listener = listener;
        config
    }
}

impl Webhook {
    pub(crate) fn config(
        &self,
        listener: ListenerConfig,
        origins: &Origins,
    ) -> Result<WebhookConfig, Wrong> {
        let mut config = WebhookConfig::default();
        self.apply(&mut config);
        config.listener = listener;
        config.header = match (&self.header, &self.token) {
            (None, None) => None,
            (Some(SecretHeader { name, value }), None) => {
                Some(WebhookHeader { name: name.clone(), value: value.clone() })
            }
            (None, Some(token)) => Some(WebhookHeader::bearer(token.reveal())),
            (Some(_), Some(_)) => {
                let (path, reason) = ("webhook.token", "is set beside `webhook.header`: name one");
                return Err(Wrong::new(&origins.of_setting(path), path, reason));
            }
        };
        config.check().map_err(|error| {
            let path = "webhook.header"; // a token is a header that can be, and no secret is empty
            Wrong::new(&origins.of_setting(path), path, error)
        })?;
        Ok(config)
    }
}

impl Listener {
    /// The connections of the server whose settings are in this part.
    pub(crate) fn config(&self, part: &str, origins: &Origins) -> Result<ListenerConfig, Wrong> {
        let mut config = ListenerConfig::default();
        self.apply(&mut config);
        let alone = |key: &str, missing: &str| {
            let path = format!("{part}.{key}");
            let reason = format!("is set without `{part}.{missing}`");
            Wrong::new(&origins.of_setting(&path), &path, reason)
        };
        config.tls = match (&self.tls_certificate, &self.tls_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                let files = TlsFiles { certificate: certificate.clone(), key: key.clone() };
                files.check().map_err(|error| {
                    let is_key = error.file() == files.key && error.file() != files.certificate;
                    let key = if is_key { "tls_key" } else { "tls_certificate" };
                    origins.wrong(&[&format!("{part}.{key}")], with_causes(&error))
                })?;
                Some(files)
            }
            (Some(_), None) => return Err(alone("tls_certificate", "tls_key")),
            (None, Some(_)) => return Err(alone("tls_key", "tls_certificate")),
        };
        Ok(config)
    }
}
