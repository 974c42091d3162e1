//! What is asked of the refresher.

use std::collections::HashSet;

use tokio::sync::{mpsc, oneshot};
use vexilla_domain::{Depth, FlagFilter, FlagName};

use crate::error::RefreshError;
use crate::refresh::Refreshed;

/// Who waits for a refresh.
pub(crate) type Waiter = oneshot::Sender<Result<Refreshed, RefreshError>>;

/// A wish, and who waits for it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) wish: Wish,
    pub(crate) waiter: Waiter,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Look for changes, and wait until the source shows all that it knows.
    Look,
    /// Look for changes, once.
    Glance,
    /// Read these flags anew.
    Reread(Vec<FlagName>),
    /// Read all flags anew.
    RereadAll,
    /// Keep the flags of this filter from now on.
    Filter(Box<FlagFilter>),
}

/// Everything that is to be done at once.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Look for changes, this thoroughly: somebody wants it, and gets the source's own answer.
    pub(crate) look: Option<Depth>,
    /// It is time to look for changes, for the one whose it is to ask the source.
    pub(crate) due: bool,
    /// Read these flags anew.
    pub(crate) reread: HashSet<FlagName>,
    /// Read all flags, whatever the source says of changes.
    pub(crate) reread_all: bool,
    /// Keep the flags of this filter from now on.
    pub(crate) filter: Option<FlagFilter>,
    /// Load what somebody else may have archived.
    pub(crate) load: bool,
    /// Who waits until the source has settled.
    pub(crate) patient: Vec<Waiter>,
    /// Who waits for this and nothing else.
    pub(crate) waiters: Vec<Waiter>,
}

impl Work {
    pub(crate) fn due() -> Self {
        Self { due: true, ..Self::default() }
    }

    /// This request, and all others that are waiting.
    pub(crate) fn of(request: Request, others: &mut mpsc::Receiver<Request>) -> Self {
        let mut work = Self::default();
        work.add(request);
        while let Ok(request) = others.try_recv() {
            work.add(request);
        }
        work
    }

    fn add(&mut self, request: Request) {
        match request.wish {
            Wish::Look | Wish::Glance => self.look = self.look.or(Some(Depth::Probe)),
            Wish::Reread(ref flags) => self.reread.extend(flags.iter().cloned()),
            Wish::RereadAll => self.reread_all = true,
            Wish::Filter(ref filter) => {
                self.filter = Some((**filter).clone());
                self.reread_all = true; // only the source has those that are not kept
            }
        }
        match request.wish {
            Wish::Look | Wish::RereadAll | Wish::Filter(_) => self.patient.push(request.waiter),
            Wish::Glance | Wish::Reread(_) => self.waiters.push(request.waiter),
        }
    }
}
