//! What was asked: the whole of it is the key of an answer.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use equivalent::Equivalent;
use vexilla_domain::{Answer, Context, Debug, FlagId, FlagRef, RemoteCall, SnapshotId};

use super::weigh;

/// A call, lent, and how often its flag was to be forgotten by then.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) call: RemoteCall<'a>,
    pub(super) forgotten: u64,
}

/// The same, to keep.
#[derive(Debug)]
pub(super) struct Kept {
    flag_id: u64,
    flag_key: Box<str>,
    id: FlagId,
    snapshot_id: SnapshotId,
    data_records_enabled: bool,
    context: Context,
    forgotten: u64,
}

impl Asked<'_> {
    pub(super) fn keep(&self) -> Arc<Kept> {
        Arc::new(Kept {
            flag_id: self.call.flag.id,
            flag_key: self.call.flag.key.into(),
            id: self.call.id,
            snapshot_id: self.call.snapshot_id,
            data_records_enabled: self.call.data_records_enabled,
            context: self.call.context.clone(),
            forgotten: self.forgotten,
        })
    }
}

impl Kept {
    /// Its own bytes, the heap's and the counts of its `Arc`.
    pub(super) fn bytes(&self) -> usize {
        let texts = self.flag_key.len() + weigh::context(&self.context);
        size_of::<Self>() + 2 * size_of::<usize>() + texts
    }

    /// Whether Flagr answered by an older snapshot of the flag than the one that was asked about.
    pub(super) fn is_ahead_of(&self, answer: &Answer) -> bool {
        let answered = answer.evaluation.flag.as_ref().map_or(0, |it| it.snapshot_id.0);
        (1..self.snapshot_id.0).contains(&answered)
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        let call = RemoteCall {
            flag: FlagRef { id: self.flag_id, key: &self.flag_key },
            id: self.id,
            snapshot_id: self.snapshot_id,
            data_records_enabled: self.data_records_enabled,
            context: &self.context,
            debug: Debug::Off,
        };
        Asked { call, forgotten: self.forgotten }
    }
}

/// By everything that equality looks at.
impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let RemoteCall { flag, id, snapshot_id, data_records_enabled, context, .. } = self.call;
        (flag.id, flag.key, id, snapshot_id, data_records_enabled).hash(state);
        (self.forgotten, context.entity_id(), context.entity_type()).hash(state);
        (context.attributes(), context.headers()).hash(state);
    }
}

impl PartialEq for Asked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.forgotten == other.forgotten && self.call == other.call
    }
}

/// No number of a context is NaN: `Number` has none.
impl Eq for Asked<'_> {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked().hash(state);
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.asked() == other.asked()
    }
}

impl Eq for Kept {}

impl Equivalent<Arc<Kept>> for Asked<'_> {
    fn equivalent(&self, key: &Arc<Kept>) -> bool {
        *self == key.asked()
    }
}
