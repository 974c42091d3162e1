//! Dates and times as Flagr's framework reads them: any of eleven layouts, and Go's words for what is none.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// Reads a time. `None` is Go's zero time, which counts as none at all.
///
/// # Errors
///
/// Go's words for why it is none, which are about the last layout: a date alone.
pub(crate) fn read(text: &str) -> Result<Option<SystemTime>, String> {
    if text.is_empty() {
        return Ok(Some(SystemTime::UNIX_EPOCH));
    }
    let (date, rest) = date(text)?;
    let Some((time, offset)) = clock(rest) else { return Err(extra(text, rest)) };
    let date = date.ok_or_else(|| format!("parsing time {}: day out of range", quoted(text)))?;
    let at = date.to_datetime(time).to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp());
    // What cannot be told is let pass as no time: Flagr's answer has its own then.
    let at = at.map(SystemTime::from).and_then(|at| match offset {
        Offset::East(offset) => at.checked_sub(offset),
        Offset::West(offset) => at.checked_add(offset),
    });
    Ok(at.filter(|it| Some(*it) != zero()))
}

/// The first of January of the year 1.
fn zero() -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(62_135_596_800))
}

/// The date that a text begins with, `None` where the month has no such day; and what follows.
fn date(text: &str) -> Result<(Option<Date>, &str), String> {
    let wrong = |rest: &str, wanted: &str| {
        let (text, rest) = (quoted(text), quoted(rest));
        format!("parsing time {text} as \"2006-01-02\": cannot parse {rest} as \"{wanted}\"")
    };
    let year = text.get(..4).filter(|it| it.bytes().all(|it| it.is_ascii_digit()));
    let year = year.and_then(|it| it.parse().ok()).ok_or_else(|| wrong(text, "2006"))?;
    let rest = text.get(4..).unwrap_or_default();
    let rest = rest.strip_prefix('-').ok_or_else(|| wrong(rest, "-"))?;
    let (month, rest) = two_digits(rest).ok_or_else(|| wrong(rest, "01"))?;
    if !(1..=12).contains(&month) {
        return Err(format!("parsing time {}: month out of range", quoted(text)));
    }
    let rest = rest.strip_prefix('-').ok_or_else(|| wrong(rest, "-"))?;
    let (day, rest) = two_digits(rest).ok_or_else(|| wrong(rest, "02"))?;
    Ok((Date::new(year, month, day).ok(), rest))
}

/// How far a clock is from UTC.
#[derive(Debug, Clone, Copy)]
enum Offset {
    East(Duration),
    West(Duration),
}

const UTC: Offset = Offset::East(Duration::ZERO);

/// What follows a date: nothing, a `T` with a time and mostly a zone, or a space with a time.
fn clock(text: &str) -> Option<(Time, Offset)> {
    if text.is_empty() {
        return Some((Time::midnight(), UTC));
    }
    let (between, rest) = text.split_at_checked(1).filter(|it| ["T", " "].contains(&it.0))?;
    let (hour, rest) = two_digits(rest).or_else(|| one_digit(rest))?;
    let (minute, rest) = two_digits(rest.strip_prefix(':')?)?;
    if between == "T" && ["", "Z"].contains(&rest) {
        return Some((Time::new(hour, minute, 0, 0).ok()?, UTC));
    }
    let (second, rest) = two_digits(rest.strip_prefix(':')?)?;
    let (digits, rest) = fraction(rest);
    let time = Time::new(hour, minute, second, nanoseconds(digits)?).ok()?;
    let offset = match (between, rest) {
        (_, "") => UTC,
        ("T", zone) => zone_offset(zone, digits.len())?,
        _ => return None,
    };
    Some((time, offset))
}

/// `Z`, `+02:00`, or behind as many digits as a layout has, `+0200`.
fn zone_offset(zone: &str, digits: usize) -> Option<Offset> {
    if zone == "Z" {
        return Some(UTC);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let (hours, rest) = two_digits(rest)?;
    let rest = match rest.strip_prefix(':') {
        Some(rest) => rest,
        None if [3, 6].contains(&digits) => rest,
        None => return None,
    };
    let (minutes, rest) = two_digits(rest)?;
    // Some people write offsets of 24 hours.
    if 24 < hours || 60 < minutes || !rest.is_empty() {
        return None;
    }
    let minutes = u64::from(hours.unsigned_abs()) * 60 + u64::from(minutes.unsigned_abs());
    let offset = Duration::from_secs(minutes * 60);
    match sign {
        "+" => Some(Offset::East(offset)),
        "-" => Some(Offset::West(offset)),
        _ => None,
    }
}

/// The digits behind a dot or a comma, if there are any, and what follows.
fn fraction(text: &str) -> (&str, &str) {
    let Some(rest) = text.strip_prefix(['.', ',']) else { return ("", text) };
    let end = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
    match rest.split_at_checked(end) {
        Some((digits, rest)) if !digits.is_empty() => (digits, rest),
        _ => ("", text),
    }
}

/// Of more digits than nine, the others are left out.
fn nanoseconds(digits: &str) -> Option<i32> {
    format!("{digits:0<9}").get(..9)?.parse().ok()
}

fn two_digits(text: &str) -> Option<(i8, &str)> {
    digits(text, 2)
}

fn one_digit(text: &str) -> Option<(i8, &str)> {
    digits(text, 1)
}

fn digits(text: &str, count: usize) -> Option<(i8, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let is_number = digits.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?.map(|it| (it, rest))
}

fn extra(text: &str, rest: &str) -> String {
    format!("parsing time {}: extra text: {}", quoted(text), quoted(rest))
}

/// As Go's package for times quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=0x7f => out.push(char::from(byte)),
            _ => {
                let written = write!(out, "\\x{byte:02x}");
                debug_assert!(written.is_ok(), "writing to memory does not fail");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
