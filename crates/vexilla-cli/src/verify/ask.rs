//! Asking Flagr: at a given pace, in batches, and around what it fails at.

use std::iter;
use std::ops::Range;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use vexilla_domain::{Answer, Batch, Context, Debug, FlagId, RemoteError, RemoteErrorKind};

use super::peer::Peer;

/// So many questions in a row that Flagr leaves open while it is not well end a run.
const MOST_FAILURES: u32 = 3;

/// How long a question waits before it is asked once more.
const PAUSE: Duration = Duration::from_millis(500);

/// What came of one question.
pub(crate) type Reply = Result<Answer, RemoteError>;

/// Asks Flagr, no faster than it may.
pub(crate) struct Asker<'r> {
    flagr: Peer<'r>,
    rate: Option<u32>,
    /// When the next question may be asked.
    free_at: Option<Instant>,
    failures: u32,
    /// Why Flagr seems to be gone.
    lost: Option<String>,
}

impl<'r> Asker<'r> {
    pub(crate) fn new(flagr: Peer<'r>, rate: Option<u32>) -> Self {
        Self { flagr, rate, free_at: None, failures: 0, lost: None }
    }

    /// Why Flagr seems to be gone, if it does.
    pub(crate) fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    /// One reply for each context. A batch that fails is asked in halves, down to the contexts that it fails at; once
    /// Flagr seems to be gone, the rest is not asked and has no reply.
    pub(crate) async fn ask(&mut self, flag: FlagId, contexts: &[Context]) -> Vec<Option<Reply>> {
        let mut replies: Vec<Option<Reply>> = contexts.iter().map(|_| None).collect();
        let mut open: Vec<Range<usize>> = iter::once(0..contexts.len()).collect();
        while let Some(range) = open.pop() {
            let Some(part) = contexts.get(range.clone()).filter(|it| !it.is_empty()) else {
                continue;
            };
            match self.batch(flag, part).await {
                Ok(answers) => {
                    self.failures = 0;
                    let slots = replies.get_mut(range).unwrap_or_default();
                    for (slot, answer) in slots.iter_mut().zip(answers) {
                        *slot = answer.map(Ok);
                    }
                }
                // A refusal and a panic are answers of a Flagr that is well. So is a failure at one question, as long as
                // Flagr says that it is well.
                Err(error)
                    if error.kind() == RemoteErrorKind::Unavailable && !self.is_well().await =>
                {
                    self.failures += 1;
                    if self.failures >= MOST_FAILURES {
                        self.lost = Some(error.to_string());
                        break;
                    }
                    sleep_until(Instant::now() + PAUSE).await;
                    open.push(range);
                }
                Err(error) if part.len() == 1 => {
                    self.failures = 0;
                    if let Some(slot) = replies.get_mut(range.start) {
                        *slot = Some(Err(error));
                    }
                }
                Err(_) => {
                    let middle = range.start + part.len() / 2;
                    open.push(middle..range.end);
                    open.push(range.start..middle);
                }
            }
        }
        replies
    }

    async fn is_well(&self) -> bool {
        self.flagr.source.health().await.is_ok()
    }

    /// Asks for all contexts at once. Answers are put in their places by the entity they name.
    async fn batch(
        &mut self,
        flag: FlagId,
        contexts: &[Context],
    ) -> Result<Vec<Option<Answer>>, RemoteError> {
        self.pace(contexts.len()).await;
        let ids = [flag.0];
        let batch =
            Batch { entities: contexts, flag_ids: &ids, debug: Debug::Off, ..Batch::default() };
        let answers = self.flagr.remote.evaluate_batch(batch).await?;
        let mut places: Vec<Option<Answer>> = contexts.iter().map(|_| None).collect();
        for it in answers {
            if let Some(place) = places.get_mut(it.entity) {
                *place = Some(it.answer);
            }
        }
        Ok(places)
    }

    /// Waits until so many more may be asked. What was missed while Flagr was slow is not made up for.
    async fn pace(&mut self, count: usize) {
        let Some(rate) = self.rate else { return };
        if let Some(free_at) = self.free_at {
            sleep_until(free_at).await;
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.free_at = Some(Instant::now() + Duration::from_secs(1) * count / rate.max(1));
    }
}
