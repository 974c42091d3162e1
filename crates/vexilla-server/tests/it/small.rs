//! What a request takes while it is answered.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower::{Service, ServiceExt};

use crate::fake::Rig;

/// A connection asks for that much at each request. glibc has pieces of up to 1,032 bytes at hand, larger ones it has to
/// look for.
#[tokio::test]
async fn the_state_of_an_answer_is_small() {
    let rig = Rig::new(|_| {});
    let mut service = rig.sidecar.service();
    let answer = service.ready().await.unwrap().call(Request::new(Full::new(Bytes::new())));
    let size = size_of_val(&answer);
    assert!(size <= 1032, "{size} bytes");
    assert_eq!(answer.await.unwrap().status(), 404);
}
