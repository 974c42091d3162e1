//! What the sidecar adds to a context: the time and headers of the request, where it is told to (`flagr-semantics` 7).

use std::sync::Arc;
use std::time::SystemTime;

use http::header::{self, HeaderMap, HeaderName};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use vexilla_domain::{Context, Object, Value};

use crate::config::Injection;
use crate::hop::is_of_connection;

/// Which headers are added under which names.
#[derive(Debug)]
pub(crate) struct Injector {
    /// In lower case.
    names: Vec<String>,
    /// In lower case, none empty.
    prefixes: Vec<String>,
    /// In lower case.
    except: Vec<String>,
}

/// What is added to each context of a request.
#[derive(Debug)]
pub(crate) enum Additions {
    /// Nothing.
    None,
    /// Members of the entity's attributes.
    Members(Members),
    /// The caller's headers and trace, for Flagr alone.
    Headers { named: Option<Forwarded>, trace: Option<Forwarded> },
}

/// What is put into each context of a request.
#[derive(Debug)]
pub(crate) struct Members(Vec<(Box<str>, Value)>);

/// Names and values of headers.
type Forwarded = Arc<[(Box<str>, Box<str>)]>;

impl Injector {
    pub(crate) fn new(injection: &Injection) -> Self {
        let normal = |list: &[String]| {
            let names = list.iter().map(|it| it.trim().to_lowercase());
            names.filter(|it| !it.is_empty()).collect()
        };
        Self {
            names: normal(&injection.headers),
            prefixes: normal(&injection.prefixes),
            except: normal(&injection.except),
        }
    }

    /// The time alone.
    pub(crate) fn time(now: SystemTime) -> Members {
        let time = Timestamp::try_from(now).unwrap_or_default();
        let zoned = time.to_zoned(TimeZone::UTC);
        Members(vec![
            ("@ts".into(), time.as_second().into()),
            ("@ts_hour".into(), zoned.hour().into()),
            ("@ts_weekday".into(), zoned.weekday().to_sunday_zero_offset().into()),
            ("@ts_month".into(), zoned.month().into()),
        ])
    }

    /// The time and the headers.
    pub(crate) fn time_and_headers(&self, now: SystemTime, headers: &HeaderMap) -> Members {
        let mut members = Self::time(now);
        for name in headers.keys().filter(|it| self.takes(it)) {
            let values: Vec<_> = headers
                .get_all(name)
                .iter()
                .map(|it| String::from_utf8_lossy(it.as_bytes()))
                .collect();
            let text = values.join(", ");
            if !text.is_empty() {
                let key = format!("@http_{}", name.as_str().replace('-', "_"));
                members.0.push((key.into(), text.into()));
            }
        }
        members
    }

    fn takes(&self, name: &HeaderName) -> bool {
        if self.except.iter().any(|it| it == name.as_str()) {
            return false;
        }
        let is_named = self.names.iter().any(|it| it == name.as_str());
        let has_prefix = || self.prefixes.iter().any(|it| name.as_str().starts_with(it.as_str()));
        is_named || (*name != header::HOST && has_prefix())
    }
}

impl Additions {
    /// Those of a request's headers that go along to Flagr.
    pub(crate) fn forwarded(headers: &HeaderMap) -> Self {
        let handed_on = headers.iter().filter(|(name, _)| is_handed_on(name, headers));
        let handed_on = handed_on.filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((Box::from(name.as_str()), Box::from(value)))
        });
        let handed_on: Forwarded = handed_on.collect();
        let named = (!handed_on.is_empty()).then_some(handed_on);
        Self::Headers { named, trace: trace(headers) }
    }

    /// The context with what is added to it.
    pub(crate) fn add_to(&self, context: Context) -> Context {
        match self {
            Self::None => context,
            Self::Members(members) => members.add_to(context),
            Self::Headers { named, trace } => {
                let context = match trace {
                    Some(trace) => context.with_trace(Arc::clone(trace)),
                    None => context,
                };
                match named {
                    Some(named) => context.with_headers(Arc::clone(named)),
                    None => context,
                }
            }
        }
    }
}

impl Members {
    /// The context with these members. They replace what it has of the same names; attributes that are no object are
    /// replaced whole.
    fn add_to(&self, context: Context) -> Context {
        let mut object = context.object().cloned().unwrap_or_else(Object::new);
        for (name, value) in &self.0 {
            object.insert(name, value.clone());
        }
        context.with_attributes(Some(Value::Object(object)))
    }
}

/// The headers of the W3C's trace context.
const TRACE: [&str; 2] = ["traceparent", "tracestate"];

/// The trace of a request, if it is part of one.
fn trace(headers: &HeaderMap) -> Option<Forwarded> {
    headers.get(TRACE[0])?;
    let named =
        TRACE.iter().flat_map(|name| headers.get_all(*name).iter().map(move |it| (name, it)));
    named.map(|(name, value)| Some((Box::from(*name), Box::from(value.to_str().ok()?)))).collect()
}

fn is_handed_on(name: &HeaderName, headers: &HeaderMap) -> bool {
    const NEVER: [HeaderName; 4] =
        [header::AUTHORIZATION, header::COOKIE, header::HOST, header::EXPECT];
    let is_about_the_body =
        |it: &str| ["content-", "accept", "if-"].iter().any(|prefix| it.starts_with(prefix));
    // Part of the question, the trace would make each another one.
    let is_trace = TRACE.contains(&name.as_str());
    !NEVER.contains(name)
        && !is_trace
        && !is_about_the_body(name.as_str())
        && !is_of_connection(name, headers)
}

#[cfg(test)]
mod tests;
