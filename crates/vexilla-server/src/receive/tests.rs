//! Bodies in pieces, and the room for them.

use futures_util::{StreamExt, stream};
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;

use super::*;

/// A body of pieces of this size, of which the last never comes where it is not to end.
fn pieces(count: usize, size: usize, ends: bool) -> impl Body<Data = Bytes, Error = BoxError> {
    let piece = move |_| Ok(Frame::data(Bytes::from(vec![b'x'; size])));
    let pieces = stream::iter(0..count).map(piece);
    let rest = if ends { stream::empty().left_stream() } else { stream::pending().right_stream() };
    StreamBody::new(pieces.chain(rest))
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_body_is_the_same_in_one_piece_and_in_many() {
    let room = Room::new(1 << 20);
    let one = receive(Full::new(Bytes::from(vec![b'x'; 60_000])), 1 << 20, LONG, Some(&room)).await;
    let many = receive(pieces(60, 1_000, true), 1 << 20, LONG, Some(&room)).await;
    assert_eq!(one.unwrap(), many.unwrap());
    assert_eq!(receive(Full::new(Bytes::new()), 0, LONG, None).await.unwrap(), Bytes::new());
    assert_eq!(room.0.available_permits(), 1 << 20, "the room is free again");
}

#[tokio::test]
async fn what_all_bodies_take_is_limited() {
    let room = Room::new(100_000);
    let mut waiting = Box::pin(receive(pieces(100, 1_000, false), 1 << 20, LONG, Some(&room)));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let refused = receive(pieces(100, 1_000, true), 1 << 20, LONG, Some(&room)).await.unwrap_err();
    assert_eq!(refused, Unreceived::NoRoom);
    let small = receive(pieces(10, 1_000, true), 1 << 20, LONG, Some(&room)).await;
    assert_eq!(small.unwrap().len(), 10_000, "a small one needs no room");
    let whole =
        receive(Full::new(Bytes::from(vec![b'x'; 100_000])), 1 << 20, LONG, Some(&room)).await;
    assert_eq!(whole, Err(Unreceived::NoRoom), "in one piece it takes as much");
    drop(waiting);
    assert_eq!(
        receive(pieces(100, 1_000, true), 1 << 20, LONG, Some(&room)).await.unwrap().len(),
        100_000
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_or_too_slow_is_refused() {
    let second = Duration::from_secs(1);
    let large = receive(pieces(11, 1_000, true), 10_000, second, None).await;
    assert_eq!(large, Err(Unreceived::TooLarge));
    let slow = receive(pieces(11, 1_000, false), 20_000, second, None).await;
    assert_eq!(slow, Err(Unreceived::TooSlow));
}
