//! What a sidecar is made of.

use std::sync::Arc;

use vexilla_domain::{Clock, Engine, ExposureInbox, Operator};

use crate::forward::Forwarder;
use crate::trace::TraceParent;

/// Everything a sidecar needs from outside.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SidecarParts {
    /// Decides.
    pub engine: Arc<dyn Engine>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Lists the flags for OpenFeature's bulk evaluation, and reads a flag anew after a change to it was passed on.
    /// Without it the one is answered 501, and the other left out.
    pub operator: Option<Arc<dyn Operator>>,
    /// Takes exposures. Without it the forwarder does, if there is one.
    pub exposures: Option<Arc<dyn ExposureInbox>>,
    /// Hands on to Flagr what is not answered here, where the configuration says so. Without it that is answered 501.
    pub forwarder: Option<Arc<dyn Forwarder>>,
    /// Ties the span of a request to its caller's trace. By default nobody does.
    pub trace: TraceParent,
}

impl SidecarParts {
    /// The parts that every sidecar needs.
    pub fn new(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>) -> Self {
        Self {
            engine,
            clock,
            operator: None,
            exposures: None,
            forwarder: None,
            trace: TraceParent::default(),
        }
    }

    /// With an operator.
    #[must_use]
    pub fn with_operator(mut self, operator: Arc<dyn Operator>) -> Self {
        self.operator = Some(operator);
        self
    }

    /// With somebody who takes exposures.
    #[must_use]
    pub fn with_exposures(mut self, exposures: Arc<dyn ExposureInbox>) -> Self {
        self.exposures = Some(exposures);
        self
    }

    /// With a forwarder.
    #[must_use]
    pub fn with_forwarder(mut self, forwarder: Arc<dyn Forwarder>) -> Self {
        self.forwarder = Some(forwarder);
        self
    }

    /// With the traces that callers are in.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceParent) -> Self {
        self.trace = trace;
        self
    }
}
