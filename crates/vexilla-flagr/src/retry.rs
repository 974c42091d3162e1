//! How often and when a read is sent again.
//!
//! Before each further attempt stands a random pause between nothing and a limit that doubles from attempt to attempt
//! (full jitter), so that many clients do not come back together. A server that asks for a pause (`Retry-After`) gets
//! that one as well; one that asks for more than we are ready to wait is not asked again in this call.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retries {
    /// Attempts after the first one.
    pub(crate) times: u32,
    /// The longest pause before the second attempt.
    pub(crate) base: Duration,
    /// The longest pause before any attempt, unless the server asks for one.
    pub(crate) longest: Duration,
    /// The longest pause that a server may ask for.
    pub(crate) longest_asked: Duration,
}

impl Retries {
    /// One attempt only.
    pub(crate) fn none() -> Self {
        let no_time = Duration::ZERO;
        Self { times: 0, base: no_time, longest: no_time, longest_asked: no_time }
    }

    /// The pause after so many attempts; `None` when there is to be no further one.
    pub(crate) fn pause_after(&self, sent: u32, asked: Option<Duration>) -> Option<Duration> {
        if self.times < sent || asked.is_some_and(|it| self.longest_asked < it) {
            return None;
        }
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(sent.saturating_sub(1)));
        let pause = doubled.min(self.longest).mul_f64(fastrand::f64());
        Some(pause.saturating_add(asked.unwrap_or_default()))
    }
}

/// What a server asks for with `Retry-After`: seconds, or a date, which is taken by the server's own clock (`Date`).
pub(crate) fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, &RETRY_AFTER)?;
    if !asked.is_empty() && asked.bytes().all(|it| it.is_ascii_digit()) {
        // More digits than fit are a very long time.
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    let (then, now) = (date(asked)?, date(text(headers, &DATE)?)?);
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests;
