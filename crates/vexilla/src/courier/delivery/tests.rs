//! Replays, asked of a Flagr that does not take all of them.

use std::sync::Mutex;

use vexilla_domain::RemoteErrorKind::{
    BadAnswer, BadFlag, BadRequest, Refused, Suspended, Unavailable,
};
use vexilla_domain::{Answer, BatchAnswer, Exposure, RemoteCall, RemoteError};

use super::*;

/// Why it does not take these entities.
type Fails = fn(&[&str]) -> Option<RemoteErrorKind>;

#[derive(Debug)]
struct Recorder {
    fails: Mutex<Fails>,
    most: usize,
    /// What was asked, in full.
    asked: Mutex<Vec<Vec<String>>>,
}

#[async_trait]
impl RemoteEvaluator for Recorder {
    async fn evaluate(&self, _: RemoteCall<'_>) -> Result<Answer, RemoteError> {
        unreachable!("replays are batches")
    }

    async fn evaluate_batch(&self, batch: Batch<'_>) -> Result<Vec<BatchAnswer>, RemoteError> {
        assert_eq!(batch.flag_ids, [1]);
        let names: Vec<_> = batch.entities.iter().map(Context::entity_id).collect();
        self.asked.lock().unwrap().push(names.iter().map(|it| (*it).to_owned()).collect());
        match (self.fails.lock().unwrap())(&names) {
            Some(kind) => Err(RemoteError::new(kind, "no").with_words(names.join(","))),
            None => Ok(Vec::new()),
        }
    }

    fn most(&self) -> usize {
        self.most
    }
}

fn rig(fails: Fails, most: usize) -> (Arc<Recorder>, Replays) {
    let fails = Mutex::new(fails);
    let recorder = Arc::new(Recorder { fails, most, asked: Mutex::default() });
    (Arc::clone(&recorder), Replays(recorder))
}

/// So many entities, named by their numbers.
fn held(count: u64) -> Held {
    let item = |sequence: u64| {
        let (flag_id, entity_id) = (FlagId(1), sequence.to_string().into());
        let record = Exposure { flag_id, entity_id, ..Exposure::default() };
        Item { sequence, bytes: parcel::write(&record).into() }
    };
    Held { left: (1..=count).map(item).collect(), through: count, ..Held::default() }
}

/// Delivers so many in one go. Gives those that arrived, how many were refused, and how many requests that took.
async fn check(count: u64, most: usize, fails: Fails) -> (Vec<u64>, u64, usize) {
    let (recorder, replays) = rig(fails, most);
    let mut held = held(count);
    replays.deliver(&mut held).await.unwrap();
    assert!(held.left.is_empty());
    assert_eq!(held.arrived.len() as u64 + held.refused, count);
    if 0 < held.refused {
        assert_eq!(&*held.refusal, "flag 1: no", "without anybody's name");
    }
    let requests = recorder.asked.lock().unwrap().len();
    (held.arrived, held.refused, requests)
}

#[tokio::test]
async fn one_that_is_at_fault_costs_itself_alone() {
    let expected: Vec<_> = (1..=20).filter(|it| *it != 7).collect();
    let (arrived, refused, _) = check(20, 99, |it| it.contains(&"7").then_some(BadRequest)).await;
    assert_eq!((arrived, refused), (expected.clone(), 1));
    let (arrived, refused, _) = check(20, 99, |it| it.contains(&"7").then_some(BadFlag)).await;
    assert_eq!((arrived, refused), (expected, 1));
}

#[tokio::test]
async fn a_batch_that_is_too_large_goes_in_pieces() {
    let all: Vec<_> = (1..=60).collect();
    let limited = check(60, 99, |it| (15 < it.len()).then_some(BadRequest)).await;
    assert_eq!(limited, (all.clone(), 0, 7));
    assert_eq!(check(60, 25, |_| None).await, (all, 0, 3), "as large as one request may be");
}

/// It was recorded: asked again in smaller pieces, it would be once more.
#[tokio::test]
async fn an_answer_that_cannot_be_read_is_one() {
    assert_eq!(check(9, 99, |_| Some(BadAnswer)).await, ((1..=9).collect(), 0, 1));
}

#[tokio::test]
async fn a_flagr_that_is_away_or_refuses_us_costs_none() {
    for (fails, because) in [
        ((|_| Some(Refused)) as Fails, Because::Failed),
        (|_| Some(Unavailable), Because::Failed),
        (|_| Some(Suspended), Because::Suspended),
    ] {
        let (recorder, replays) = rig(fails, 99);
        let mut held = held(9);
        let undelivered = replays.deliver(&mut held).await.unwrap_err();
        assert_eq!((undelivered.because, &*undelivered.message), (because, "no"));
        assert_eq!(
            (held.left.len(), held.refused, recorder.asked.lock().unwrap().len()),
            (9, 0, 1)
        );
    }
}

#[tokio::test]
async fn what_flagr_has_is_not_asked_for_again() {
    let (recorder, replays) = rig(|it| it.contains(&"9").then_some(Unavailable), 4);
    let mut held = held(9);
    replays.deliver(&mut held).await.unwrap_err();
    assert_eq!((held.arrived.len(), held.left.len()), (8, 1));
    *recorder.fails.lock().unwrap() = |_| None;
    replays.deliver(&mut held).await.unwrap();
    assert_eq!(held.arrived, (1..=9).collect::<Vec<_>>());
    assert_eq!(recorder.asked.lock().unwrap().last().unwrap(), &["9"]);
}
