//! Spans, their events, and the trace they belong to.

use std::fmt::Write;
use std::io;

use http::HeaderMap;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tracing_subscriber::prelude::*;
use vexilla_domain::{EvaluationRef, FlagHead, Reason};
use vexilla_telemetry::{Entity, OtlpSettings, Protocol, adopt, flag_evaluated, inject};

use crate::collector::{Collector, attributes};
use crate::{LONG, start};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The spans that come of this work.
async fn spans(work: impl FnOnce()) -> Vec<Span> {
    let (collector, address) = Collector::start().await;
    let otlp = start(&OtlpSettings::to(&address, Protocol::Grpc));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(otlp.layer()), work);
    otlp.shutdown(LONG).await.unwrap();
    collector.spans()
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn spans_are_a_tree_with_errors_on_it() {
    let spans = spans(|| {
        let refresh = tracing::info_span!(target: "vexilla::refresh", "refresh", depth = "full");
        refresh.in_scope(|| {
            tracing::info_span!(target: "vexilla_flagr::client", "fetch").in_scope(|| {
                let error = io::Error::other("no route");
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(target: "vexilla::refresh", error, "fetch failed");
            });
            tracing::info_span!(target: "hyper::client", "not ours").in_scope(|| {});
            tracing::trace_span!(target: "vexilla::refresh", "too fine").in_scope(|| {});
        });
    })
    .await;
    assert_eq!(spans.len(), 2, "{spans:?}");
    let (refresh, fetch) = (named(&spans, "refresh"), named(&spans, "fetch"));
    assert!(refresh.parent_span_id.is_empty());
    assert_eq!(fetch.parent_span_id, refresh.span_id);
    assert_eq!(fetch.trace_id, refresh.trace_id);
    assert!(attributes(&refresh.attributes).contains("{depth=full}"));
    assert_eq!(fetch.status.as_ref().unwrap().code, StatusCode::Error as i32);
    let events: Vec<_> = fetch.events.iter().map(|it| attributes(&it.attributes)).collect();
    assert!(events.iter().any(|it| it.contains("no route")), "{events:?}");
}

#[tokio::test]
async fn a_trace_is_taken_from_a_request_and_handed_on() {
    let mut handed_on = HeaderMap::new();
    let spans = spans(|| {
        let mut incoming = HeaderMap::new();
        incoming.insert("traceparent", PARENT.parse().unwrap());
        incoming.insert("tracestate", "vendor=1".parse().unwrap());
        let request = tracing::info_span!(target: "vexilla_server::route", "request");
        adopt(&request, &incoming);
        request.in_scope(|| {
            let remote = tracing::info_span!(target: "vexilla_flagr::evaluator", "remote");
            remote.in_scope(|| inject(&tracing::Span::current(), &mut handed_on));
        });
    })
    .await;
    let (request, remote) = (named(&spans, "request"), named(&spans, "remote"));
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    assert_eq!((hex(&request.trace_id), hex(&remote.trace_id)), (trace.into(), trace.into()));
    let parent = format!("00-{trace}-{}-01", hex(&remote.span_id));
    assert_eq!(handed_on.get("traceparent").unwrap(), parent.as_str());
    assert_eq!(handed_on.get("tracestate").unwrap(), "vendor=1");
}

#[tokio::test]
async fn a_request_may_come_without_a_trace() {
    for parent in [None, Some("00-zz-b7ad6b7169203331-01"), Some("")] {
        let spans = spans(|| {
            let mut incoming = HeaderMap::new();
            parent.map(|it| incoming.insert("traceparent", it.parse().unwrap()));
            let request = tracing::info_span!(target: "vexilla_server::route", "request");
            adopt(&request, &incoming);
            request.in_scope(|| {});
        })
        .await;
        assert!(named(&spans, "request").parent_span_id.is_empty(), "{parent:?}");
    }
    // Without anybody who traces there is nothing to hand on.
    let mut headers = HeaderMap::new();
    inject(&tracing::Span::none(), &mut headers);
    assert!(headers.is_empty(), "{headers:?}");
}

#[tokio::test]
async fn an_evaluation_is_an_event_by_the_convention() {
    let flag = FlagHead { key: "dark-mode".into(), ..FlagHead::default() };
    let found = EvaluationRef::blank(Some(&flag), Reason::NoMatch);
    let missing = EvaluationRef::blank(None, Reason::NotFound);
    let spans = spans(|| {
        tracing::info_span!(target: "vexilla_server::route", "request").in_scope(|| {
            flag_evaluated("dark-mode", &found, Entity::Shown("user-1"));
            flag_evaluated("no-such-flag", &missing, Entity::Hidden);
        });
    })
    .await;
    let events = &named(&spans, "request").events;
    let names: Vec<_> = events.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["feature_flag.evaluation"; 2]);
    let [found, missing] = &events[..] else { panic!("{events:?}") };
    let (found, missing) = (attributes(&found.attributes), attributes(&missing.attributes));
    for part in [
        "{feature_flag.key=dark-mode}",
        "{feature_flag.provider.name=vexilla}",
        "{feature_flag.result.reason=default}",
        "{feature_flag.context.id=user-1}",
        "{feature_flag.version=0.0}",
    ] {
        assert!(found.contains(part), "{part} in {found}");
    }
    for part in ["{feature_flag.result.reason=error}", "{error.type=flag_not_found}"] {
        assert!(missing.contains(part), "{part} in {missing}");
    }
    for part in ["context.id", "result.variant"] {
        assert!(!missing.contains(part), "{part} in {missing}");
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}
