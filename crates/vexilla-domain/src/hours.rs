//! Hours of the day at which flags are kept.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{FilterError, Flag};

const MINUTES: u64 = 24 * 60;

/// Hours of the day, every day: flags are kept from the first minute up to the second one.
///
/// The hours take effect within a minute. They need the source: in an outage that begins before the hour, a flag that the
/// hour would bring stays away until the outage is over.
///
/// ```
/// use vexilla_domain::ActiveHours;
///
/// # fn main() -> Result<(), vexilla_domain::FilterError> {
/// let office = ActiveHours::between("08:00", "18:30")?.at_offset("+02:00")?.for_tag("office-hours");
/// let night = ActiveHours::between("22:00", "06:00")?;
/// # let _ = (office, night);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveHours {
    /// Minutes of the day.
    from: u64,
    to: u64,
    /// Minutes that local clocks are ahead of UTC, from 0 up to a day.
    ahead: u64,
    tag: Option<Box<str>>,
}

impl ActiveHours {
    /// From one time of day, as `08:00`, up to another, in UTC. If the second is the earlier one, the hours go over
    /// midnight.
    ///
    /// # Errors
    ///
    /// If one is not a time of day, or both are the same.
    pub fn between(from: &str, to: &str) -> Result<Self, FilterError> {
        let from_minutes =
            time_of_day(from).ok_or_else(|| wrong(from, "is not a time of day, as `08:00`"))?;
        let to_minutes =
            time_of_day(to).ok_or_else(|| wrong(to, "is not a time of day, as `18:00`"))?;
        if from_minutes == to_minutes {
            return Err(wrong(&format!("{from}-{to}"), "leaves no time"));
        }
        Ok(Self { from: from_minutes, to: to_minutes, ahead: 0, tag: None })
    }

    /// Takes the times as those of a place whose clocks differ this much from UTC, as `+02:00`. There is no summer time.
    ///
    /// # Errors
    ///
    /// If it is not such an offset, or 24 hours and more.
    pub fn at_offset(mut self, offset: &str) -> Result<Self, FilterError> {
        let minutes = |text: &str| time_of_day(text);
        self.ahead = match offset.split_at_checked(1) {
            Some(("+", rest)) => minutes(rest),
            Some(("-", rest)) => minutes(rest).map(|it| (MINUTES - it) % MINUTES),
            _ => None,
        }
        .ok_or_else(|| wrong(offset, "is not an offset from UTC, as `+02:00`"))?;
        Ok(self)
    }

    /// Applies the hours to flags with this tag only; the others are kept at all hours.
    #[must_use]
    pub fn for_tag(mut self, tag: impl Into<Box<str>>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Whether it is within the hours.
    pub fn are_on(&self, now: SystemTime) -> bool {
        let minute = self.minute(now);
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            self.from <= minute || minute < self.to
        }
    }

    /// How long it is until the hours begin or end.
    pub fn next_change(&self, now: SystemTime) -> Duration {
        let until = |at: u64| (at + MINUTES - self.minute(now) - 1) % MINUTES + 1;
        let seconds = until(self.from).min(until(self.to)) * 60;
        let into_minute = since_epoch(now).as_secs() % 60;
        Duration::from_secs(seconds - into_minute)
    }

    pub(crate) fn keep(&self, flag: &Flag, now: SystemTime) -> bool {
        let concerned = |tag: &str| flag.tags.iter().any(|it| *it.value == *tag);
        !self.tag.as_deref().is_none_or(concerned) || self.are_on(now)
    }

    /// The minute of the day, there.
    fn minute(&self, now: SystemTime) -> u64 {
        (since_epoch(now).as_secs() / 60 + self.ahead) % MINUTES
    }
}

fn since_epoch(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// `08:30` in minutes.
fn time_of_day(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, below: u64| {
        let digits = text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten().filter(|it| *it < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

fn wrong(value: &str, reason: &str) -> FilterError {
    FilterError { field: "active_hours", value: value.into(), reason: reason.into() }
}

#[cfg(test)]
mod tests;
