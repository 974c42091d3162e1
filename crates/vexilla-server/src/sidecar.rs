//! The sidecar as a service: route, body, limits, answer.

// tidy: long because a request is read from top to bottom, in one place.

use std::convert::Infallible;
use std::mem;
use std::pin::pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request};
use hyper::body::Body;
use tower::{BoxError, Service, service_fn};
use vexilla_domain::{Clock, Engine};

use crate::accept;
use crate::answer::{self, Answerer, Received};
use crate::compress::{self, Compressor, PackedExport};
use crate::config::SidecarConfig;
use crate::cors::{self, Origin};
use crate::error::{Answered, Refusal};
use crate::etag::Tags;
use crate::export::{Exporter, Wanted};
use crate::forward::PassThrough;
use crate::host;
use crate::inject::Injector;
use crate::limit::Limit;
use crate::listener::LiveConfig;
use crate::media_type;
use crate::ofrep::{Ofrep, Problem};
use crate::operation;
use crate::parts::SidecarParts;
use crate::query::json_payload;
use crate::receive::{Room, Unreceived, receive};
use crate::request::Payload;
use crate::route::{Elsewhere, Route};
use crate::selection::Selection;
use crate::trace::{self, request_span};

/// Answers on the wire as Flagr does.
///
/// It works on Tokio; requests need its timer. Clones share their limits.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::Duration;
/// # use vexilla_domain::{Clock, Engine};
/// # use vexilla_server::{BindError, Sidecar, SidecarConfig};
/// # async fn example(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>) -> Result<(), Box<dyn std::error::Error>> {
/// let sidecar = Sidecar::new(engine, clock, SidecarConfig::default());
/// let bound = sidecar.bind("127.0.0.1:18100".parse()?).await?;
/// let stop = async { /* wait for a signal */ };
/// bound.serve(stop, Duration::from_secs(10)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Sidecar {
    inner: Arc<ArcSwap<Inner>>,
}

#[derive(Debug)]
struct Inner {
    config: SidecarConfig,
    room: Room,
    kept: Arc<Kept>,
    answerer: Answerer,
    limit: Limit,
}

/// What stays whatever the configuration is.
#[derive(Debug)]
struct Kept {
    parts: SidecarParts,
    tags: Tags,
    exporter: Arc<Exporter>,
    compressor: Arc<Compressor>,
    listener: LiveConfig,
    /// Flagr, for what is not answered here.
    pass_through: Option<PassThrough>,
}

impl Sidecar {
    /// A sidecar in front of an engine, and of nothing else.
    pub fn new(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>, config: SidecarConfig) -> Self {
        Self::from_parts(SidecarParts::new(engine, clock), config)
    }

    /// A sidecar of these parts.
    pub fn from_parts(parts: SidecarParts, config: SidecarConfig) -> Self {
        let tags = Tags::new();
        let exporter = Arc::new(Exporter {
            engine: Arc::clone(&parts.engine),
            clock: Arc::clone(&parts.clock),
            tags: tags.clone(),
            packed: PackedExport::default(),
        });
        let pass_through = parts
            .forwarder
            .clone()
            .map(|forwarder| PassThrough { forwarder, operator: parts.operator.clone() });
        let compressor = Arc::new(Compressor::default());
        let listener = LiveConfig::new(config.listener.clone());
        let kept = Arc::new(Kept { parts, tags, exporter, compressor, listener, pass_through });
        Self { inner: Arc::new(ArcSwap::from_pointee(Inner::new(kept, config))) }
    }

    /// Answers by another configuration from the next request on, in all clones, and takes connections by it. Requests that
    /// are being answered count for the former limits only. Certificates, who may connect to a Unix socket, the web prefix
    /// and what is handed on stay as they are.
    pub fn reconfigure(&self, mut config: SidecarConfig) {
        let former = self.inner.load_full();
        former.kept.listener.change(config.listener.clone());
        config.web_prefix.clone_from(&former.config.web_prefix);
        config.pass_through = former.config.pass_through;
        config.forward_headers = former.config.forward_headers;
        self.inner.store(Arc::new(Inner::new(Arc::clone(&former.kept), config)));
    }

    /// The sidecar as a tower service, to be called in process or wrapped in further layers. It always answers.
    pub fn service<B>(
        &self,
    ) -> impl Service<Request<B>, Response = Answered, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let sidecar = self.clone();
        service_fn(move |request: Request<B>| sidecar.answer(request).map(Ok))
    }

    pub(crate) fn answer<B>(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Answered> + Send + use<B>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let inner = self.inner.load_full();
        let span = request_span!("sidecar", inner.kept.parts.trace, request);
        trace::answered(span, inner.respond(request.map(Some)))
    }

    /// The connections that it is configured for.
    pub(crate) fn listener(&self) -> LiveConfig {
        self.inner.load().kept.listener.clone()
    }
}

/// Whether a body comes as it is, or in chunks.
fn is_coding_known(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |it: &HeaderValue| it.as_bytes().eq_ignore_ascii_case(b"chunked");
    codings.next().is_none_or(is_chunked) && codings.next().is_none()
}

/// An answer, and whether it is the sidecar's own.
enum Reply {
    Own(Answered),
    /// Passed on as Flagr gave it.
    Flagrs(Answered),
}

impl Inner {
    fn new(kept: Arc<Kept>, config: SidecarConfig) -> Self {
        let SidecarParts { engine, clock, operator, .. } = kept.parts.clone();
        let answerer = Answerer {
            engine: Arc::clone(&engine),
            clock,
            exporter: Arc::clone(&kept.exporter),
            exposures: kept.parts.exposures.clone(),
            ofrep: Ofrep {
                engine,
                operator,
                tags: kept.tags.clone(),
                boolean_keys: config.ofrep_boolean_keys,
                max_answer_bytes: config.max_answer_bytes,
            },
            injector: config.injection.as_ref().map(Injector::new),
            forward_headers: config.forward_headers,
            max_batch_size: match config.max_batch_size {
                0 => usize::MAX,
                most => most,
            },
            max_answer_bytes: config.max_answer_bytes,
            max_exposures: match config.max_exposures {
                0 => usize::MAX,
                most => most,
            },
        };
        let limit = Limit::new(config.max_concurrent_requests, config.answer_timeout);
        let room = Room::new(config.max_waiting_bytes);
        Self { config, room, kept, answerer, limit }
    }

    /// Answers whatever happens: an error is turned into its answer, and so is a panic.
    ///
    /// All that is called here borrows the request.
    #[expect(
        clippy::manual_async_fn,
        reason = "a block keeps the request once, an `async fn` twice"
    )]
    fn respond<B>(
        self: Arc<Self>,
        mut request: Request<Option<B>>,
    ) -> impl Future<Output = Answered> + Send
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        async move {
            let origin = self
                .config
                .cors
                .then(|| Origin::of(request.method(), request.uri().path(), request.headers()));
            let gzip = self.config.gzip && compress::is_accepted(request.headers());
            let work = trace::caught(self.try_respond(&mut request, gzip), Refusal::panicked);
            let mut response = match work.await {
                Ok(Reply::Flagrs(response)) => return response,
                Ok(Reply::Own(response)) => response,
                Err(refusal) => refusal.into_response(),
            };
            if gzip {
                response = Box::pin(self.kept.compressor.compressed(response)).await;
            }
            // A preflight's answer has said it.
            if let Some(origin) = origin.filter(|_| !response.headers().contains_key(header::VARY))
            {
                origin.allow(response.headers_mut());
            }
            if gzip {
                response
                    .headers_mut()
                    .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
            }
            response
        }
    }

    async fn try_respond<B>(
        &self,
        request: &mut Request<Option<B>>,
        gzip: bool,
    ) -> Result<Reply, Refusal>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if let Some(reason) = host::wrong(request.headers()) {
            return Err(Refusal::wrong_host(reason));
        }
        if !is_coding_known(request.headers()) {
            return Err(Refusal::unknown_coding());
        }
        let path = self.inside(request.uri().path())?;
        let is_preflight =
            self.config.cors && cors::is_preflight(request.method(), request.headers());
        let route = match self.find_route(request.method(), path) {
            Ok(route) => route,
            Err(elsewhere) => {
                let flagr = self.kept.pass_through.as_ref();
                let flagr = flagr.filter(|_| self.config.pass_through || elsewhere.is_exposures());
                return match flagr {
                    _ if is_preflight && (flagr.is_none() || Route::is_known(path)) => {
                        Ok(Reply::Own(cors::preflight(path, request.headers())))
                    }
                    _ if elsewhere.is_ofrep() => {
                        let problem = Problem::of_refusal(&elsewhere.into_refusal());
                        Ok(Reply::Own(problem.into_response(None)))
                    }
                    // Behind a pointer, since it is rare and its state is large.
                    Some(flagr) => {
                        let request = mem::take(request);
                        Box::pin(flagr.answer(request)).await.map(Reply::Flagrs)
                    }
                    None => Err(elsewhere.into_refusal()),
                };
            }
        };
        trace::route(route.name());
        // glibc has room for two small states at hand, and has to look for one of more than 1,032 bytes.
        Box::pin(self.own(route, request, gzip)).await.map(Reply::Own)
    }

    /// What the sidecar itself answers.
    async fn own<B>(
        &self,
        route: Route,
        request: &mut Request<Option<B>>,
        gzip: bool,
    ) -> Result<Answered, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let body = request.body_mut().take();
        let (headers, query) = (request.headers(), request.uri().query());
        let takes_json = accept::takes_json(headers);
        if !takes_json && route.is_get() {
            return Err(Refusal::not_acceptable());
        }
        let in_query = || json_payload(query, self.max_query_bytes()).map(Payload::Query);
        let received = match route {
            Route::Health => return Ok(answer::health()), // says that the process lives, however busy it is
            Route::MaxSnapshotId => return answer::max_snapshot_id(&*self.kept.parts.engine),
            Route::Export => {
                let selection = Selection::read(query)?;
                let query = query.unwrap_or_default().into();
                let wanted = Wanted { selection, query, takes_gzip: gzip };
                if let Some(answer) = self.kept.exporter.at_once(&wanted, headers)? {
                    return Ok(answer);
                }
                Received::Export(wanted)
            }
            Route::PostEvaluation => {
                Received::Evaluation(Payload::Body(self.read_json(headers, body).await?), headers)
            }
            Route::PostBatch => {
                Received::Batch(Payload::Body(self.read_json(headers, body).await?), headers)
            }
            Route::PostExposures => Received::Exposures(self.read_json(headers, body).await?),
            Route::GetEvaluation => Received::Evaluation(in_query()?, headers),
            Route::GetBatch => Received::Batch(in_query()?, headers),
            Route::OfrepFlag(key) => {
                return Ok(Box::pin(self.ofrep(Some(key), headers, body, gzip)).await);
            }
            Route::OfrepFlags => return Ok(Box::pin(self.ofrep(None, headers, body, gzip)).await),
        };
        let is_export = matches!(received, Received::Export(_));
        match self.within_limits(received, gzip).await {
            answer if is_export => answer.map_err(Refusal::in_text),
            answer if takes_json => answer,
            answer => accept::unnamed(answer),
        }
    }

    /// OpenFeature's callers are refused in their own protocol.
    async fn ofrep<B>(
        &self,
        key: Option<Box<str>>,
        headers: &HeaderMap,
        body: Option<B>,
        gzip: bool,
    ) -> Answered
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let answer = match self.read_body(body).await {
            Ok(body) => {
                let received = match key.clone() {
                    Some(key) => Received::OfrepFlag(key, body, headers),
                    None => Received::OfrepFlags(body, headers),
                };
                self.within_limits(received, gzip).await
            }
            Err(refusal) => Err(refusal),
        };
        answer.unwrap_or_else(|it| Problem::of_refusal(&it).into_response(key.as_deref()))
    }

    async fn within_limits(&self, received: Received<'_>, gzip: bool) -> Result<Answered, Refusal> {
        let work = pin!(async {
            let answered = self.answerer.answer(received).await?;
            // Within the limits too, as it takes longer than most answers.
            Ok(if gzip {
                Box::pin(self.kept.compressor.compressed(answered)).await
            } else {
                answered
            })
        });
        self.limit.within(work).await
    }

    /// The path behind the web prefix.
    fn inside<'p>(&self, path: &'p str) -> Result<&'p str, Refusal> {
        path.strip_prefix(self.config.web_prefix.as_str()).ok_or_else(Refusal::outside)
    }

    fn find_route(&self, method: &Method, path: &str) -> Result<Route, Elsewhere> {
        match Route::find(method, path) {
            Ok(Route::OfrepFlag(_) | Route::OfrepFlags) | Err(Elsewhere::Ofrep(_))
                if !self.config.ofrep =>
            {
                Err(Elsewhere::Nowhere(Refusal::unknown_path(path)))
            }
            Ok(Route::PostExposures) if self.kept.parts.exposures.is_none() => {
                Err(Elsewhere::Operation(operation::EXPOSURES))
            }
            found => found,
        }
    }

    fn max_query_bytes(&self) -> usize {
        match self.config.max_query_bytes {
            0 => usize::MAX,
            most => most,
        }
    }

    /// Reads a body of JSON.
    async fn read_json<B>(&self, headers: &HeaderMap, body: Option<B>) -> Result<Bytes, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let body = self.read_body(body).await?;
        if body.is_empty() {
            return Err(accept::no_body(headers));
        }
        media_type::check(headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes))?;
        Ok(body)
    }

    /// Reads a body, as far as the limits allow.
    async fn read_body<B>(&self, body: Option<B>) -> Result<Bytes, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let Some(body) = body else { return Ok(Bytes::new()) };
        let (limit, timeout) = (self.config.max_body_bytes, self.config.read_timeout);
        let received = receive(body, limit, timeout, Some(&self.room)).await;
        received.map_err(|why| match why {
            Unreceived::TooLarge => Refusal::body_too_large(limit),
            Unreceived::Cut => Refusal::body_cut(),
            Unreceived::TooSlow => Refusal::body_too_slow(),
            Unreceived::NoRoom => Refusal::overloaded(),
        })
    }
}
