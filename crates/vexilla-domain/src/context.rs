//! Who is asking, and what is known about them.

use std::sync::Arc;

use crate::{Object, Value};

/// An entity and its attributes: what a flag is evaluated for.
///
/// ```
/// use vexilla_domain::Context;
/// let ctx = Context::new("user-1").with("country", "US").with("age", 30);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Context {
    entity_id: Box<str>,
    entity_type: Box<str>,
    attributes: Option<Value>,
    headers: Option<Headers>,
    trace: Option<Headers>,
}

/// Whether both ask the same. The trace they ask in is no part of that.
impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        let Self { entity_id, entity_type, attributes, headers, trace: _ } = self;
        (entity_id, entity_type) == (&other.entity_id, &other.entity_type)
            && (attributes, headers) == (&other.attributes, &other.headers)
    }
}

/// Names and values of HTTP headers.
type Headers = Arc<[(Box<str>, Box<str>)]>;

impl Context {
    /// A context for the entity with this id, which decides its bucket in rollouts.
    ///
    /// An empty id stands for an anonymous entity: each evaluation takes a random one, as Flagr does.
    pub fn new(entity_id: impl Into<Box<str>>) -> Self {
        Self { entity_id: entity_id.into(), ..Self::default() }
    }

    /// Sets what kind of entity it is (`user`, `device`). A flag's own entity type replaces it in results.
    #[must_use]
    pub fn with_entity_type(mut self, entity_type: impl Into<Box<str>>) -> Self {
        self.entity_type = entity_type.into();
        self
    }

    /// Sets an attribute, which constraints read by name. Attributes that were no object are dropped.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let mut object = match self.attributes.take() {
            Some(Value::Object(object)) => object,
            _ => Object::new(),
        };
        object.insert(name, value.into());
        self.attributes = Some(Value::Object(object));
        self
    }

    /// Replaces all attributes by any JSON value, as Flagr's `entityContext` may be one. Only an object is of use to
    /// constraints; anything else, `None` included, makes every segment with constraints not match.
    #[must_use]
    pub fn with_attributes(mut self, attributes: Option<Value>) -> Self {
        self.attributes = attributes;
        self
    }

    /// Sets the headers of the HTTP request that asks, for a flag that Flagr must decide because it reads them
    /// (`@http_…`). They are handed on to Flagr with an evaluation, and play no part in one here.
    #[must_use]
    pub fn with_headers(mut self, headers: Arc<[(Box<str>, Box<str>)]>) -> Self {
        self.headers = Some(headers);
        self
    }

    /// Sets the trace context of the request that asks, as its headers have it (`traceparent`, `tracestate`). It goes to
    /// Flagr with an evaluation, unless Vexilla tells a trace of its own, and is no part of what is asked: two questions
    /// that differ in nothing else are one.
    #[must_use]
    pub fn with_trace(mut self, trace: Arc<[(Box<str>, Box<str>)]>) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The trace context to hand on to Flagr, as name and value of headers.
    pub fn trace(&self) -> &[(Box<str>, Box<str>)] {
        self.trace.as_deref().unwrap_or_default()
    }

    /// The headers to hand on to Flagr, as name and value.
    pub fn headers(&self) -> &[(Box<str>, Box<str>)] {
        self.headers.as_deref().unwrap_or_default()
    }

    /// The entity's id; empty for an anonymous one.
    #[inline]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// The entity's type; empty when unknown.
    pub fn entity_type(&self) -> &str {
        &self.entity_type
    }

    /// The attributes as given: any JSON value, or none.
    pub fn attributes(&self) -> Option<&Value> {
        self.attributes.as_ref()
    }

    /// The attributes if they are an object, as constraints need them.
    #[inline]
    pub fn object(&self) -> Option<&Object> {
        match &self.attributes {
            Some(Value::Object(object)) => Some(object),
            _ => None,
        }
    }
}
