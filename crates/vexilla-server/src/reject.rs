//! Why a payload is no request, before it is known how to say so: Flagr words it differently for a body and for a query.

use std::borrow::Cow;

use crate::error::Refusal;

/// A payload that is no request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// Nothing but white space.
    Empty,
    /// The JSON value does not end.
    Unfinished,
    /// It cannot be read, for this reason.
    Unreadable(String),
    /// It was read and breaks these rules. INVARIANT: there is one.
    Invalid(Vec<Violation>),
}

/// A rule that is broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    rule: u16,
    message: Cow<'static, str>,
}

impl Violation {
    pub(crate) fn new(rule: u16, message: impl Into<Cow<'static, str>>) -> Self {
        Self { rule, message: message.into() }
    }
}

impl Rejected {
    /// Flagr's answer to such a body: of several broken rules it tells the first.
    pub(crate) fn in_body(self) -> Refusal {
        match self {
            Self::Empty => Refusal::missing_body(),
            Self::Unfinished => Refusal::unparsable_body("unexpected EOF"),
            Self::Unreadable(reason) => Refusal::unparsable_body(&reason),
            Self::Invalid(violations) => match violations.into_iter().next() {
                Some(first) => Refusal::invalid(first.rule, first.message),
                None => Refusal::missing_body(),
            },
        }
    }

    /// Flagr's answer to such a `?json=`, which stands for a value of this name: here it tells all broken rules.
    pub(crate) fn in_query(self, name: &str) -> Refusal {
        let reason = match self {
            Self::Empty | Self::Unfinished => "unexpected end of JSON input".to_owned(),
            Self::Unreadable(reason) => reason,
            Self::Invalid(violations) => {
                let mut list = "validation failure list:".to_owned();
                for violation in violations {
                    list.push('\n');
                    list.push_str(&violation.message);
                }
                list
            }
        };
        Refusal::invalid_query(name, &reason)
    }
}
