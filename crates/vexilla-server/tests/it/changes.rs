//! Changes that were passed on, and whose answer was lost.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::sync::Notify;
use tower::ServiceExt;
use vexilla_server::{ForwardBody, ForwardError, ForwardErrorKind, Forwarder};

use crate::fake::{FakeOperator, Rig};

/// What becomes of a request.
#[derive(Debug)]
enum Fate {
    Fails(ForwardErrorKind),
    Answered(u16),
    /// The answer begins and breaks off.
    BreaksOff,
    Hangs,
}

#[derive(Debug)]
struct Flagr {
    fate: Fate,
    arrived: Notify,
}

#[async_trait]
impl Forwarder for Flagr {
    async fn forward(
        &self,
        _: Request<ForwardBody>,
    ) -> Result<Response<ForwardBody>, ForwardError> {
        self.arrived.notify_one();
        let begun = Ok(Frame::data(Bytes::from_static(b"{\"id\":")));
        let frames = match self.fate {
            Fate::Fails(kind) => return Err(ForwardError::new(kind, None)),
            Fate::Hangs => std::future::pending().await,
            Fate::Answered(_) => Vec::new(),
            Fate::BreaksOff => vec![begun, Err("broken off".into())],
        };
        let body = StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync();
        let status = if let Fate::Answered(status) = self.fate { status } else { 200 };
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

fn rig(fate: Fate, operator: FakeOperator) -> (Rig, Arc<Flagr>, Arc<FakeOperator>) {
    let flagr = Arc::new(Flagr { fate, arrived: Notify::new() });
    let operator = Arc::new(operator);
    let (forwarder, listed) = (Arc::clone(&flagr), Arc::clone(&operator));
    let rig = Rig::with(
        |config| config.pass_through = true,
        |it| it.with_forwarder(forwarder).with_operator(listed),
    );
    (rig, flagr, operator)
}

const SWITCH: (&str, &str) = ("PUT", "/api/v1/flags/7/enabled");
const CREATE: (&str, &str) = ("POST", "/api/v1/flags");

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_looked_at() {
    use ForwardErrorKind::{BadRequest, Overloaded, SlowRequest, TimedOut, TooLarge, Unavailable};
    for (fate, (method, path), status, expected) in [
        (Fate::Fails(TimedOut), SWITCH, 504, Some("later [7]")),
        (Fate::Fails(Unavailable), SWITCH, 502, Some("later [7]")),
        (Fate::Fails(BadRequest), SWITCH, 400, Some("later [7]")),
        (Fate::Fails(SlowRequest), SWITCH, 408, Some("later [7]")),
        (Fate::Fails(TimedOut), CREATE, 504, Some("later []")),
        (Fate::BreaksOff, CREATE, 502, Some("later []")),
        (Fate::Answered(500), SWITCH, 500, Some("later [7]")),
        (Fate::Answered(404), SWITCH, 404, None),
        (Fate::Fails(Overloaded), SWITCH, 503, None),
        (Fate::Fails(TooLarge), SWITCH, 413, None),
        (Fate::Fails(TimedOut), ("GET", "/api/v1/flags/7"), 504, None),
    ] {
        let case = format!("{fate:?} {method} {path}");
        let (rig, _, operator) = rig(fate, FakeOperator::default());
        assert_eq!(rig.ask(method, path, &[]).await.0, status, "{case}");
        let looked = operator.reread.lock().unwrap().clone();
        assert_eq!(looked, expected.into_iter().collect::<Vec<_>>(), "{case}");
    }
}

#[tokio::test]
async fn a_change_whose_caller_went_away_is_looked_at() {
    let (rig, flagr, operator) = rig(Fate::Hangs, FakeOperator::default());
    let request = Request::builder().method(SWITCH.0).uri(SWITCH.1).body(Full::<Bytes>::default());
    let asked = tokio::spawn(rig.sidecar.service().oneshot(request.unwrap()));
    flagr.arrived.notified().await;
    assert!(operator.reread.lock().unwrap().is_empty());
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert_eq!(*operator.reread.lock().unwrap(), ["later [7]"]);
}

/// It was answered, and is being read.
#[tokio::test]
async fn a_caller_who_does_not_wait_for_the_look_does_not_end_it() {
    let hanging = FakeOperator { hangs: true, ..FakeOperator::default() };
    let (rig, flagr, operator) = rig(Fate::Answered(200), hanging);
    let request = Request::builder().method(SWITCH.0).uri(SWITCH.1).body(Full::<Bytes>::default());
    let asked = tokio::spawn(rig.sidecar.service().oneshot(request.unwrap()));
    flagr.arrived.notified().await;
    while operator.reread.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert_eq!(*operator.reread.lock().unwrap(), ["[7]", "later [7]"]);
}
