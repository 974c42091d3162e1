//! Kinds that are counted or measured.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;

use super::{Kind, Raw, Shown, quoted};

/// A time that is longer than nothing.
pub(crate) struct Time;

impl Kind for Time {
    type Value = Duration;

    fn shape() -> String {
        "duration, as `30s`".to_owned()
    }

    fn read(raw: &Raw) -> Result<Duration, String> {
        match MaybeNoTime::read(raw)? {
            Duration::ZERO => Err(format!("{} must be longer than zero", quoted(raw.text()?))),
            time => Ok(time),
        }
    }

    fn shown(value: &Duration) -> Shown {
        MaybeNoTime::shown(value)
    }
}

/// A time, which may be zero.
pub(crate) struct MaybeNoTime;

impl Kind for MaybeNoTime {
    type Value = Duration;

    fn shape() -> String {
        "duration, as `30s`, or `0s`".to_owned()
    }

    fn read(raw: &Raw) -> Result<Duration, String> {
        if let Raw::Number(_) = raw {
            return Err("is a number without a unit: write `30s` or `5m`".to_owned());
        }
        let text = raw.text()?;
        humantime::parse_duration(text)
            .map_err(|error| format!("{} is no duration as `30s`: {error}", quoted(text)))
    }

    fn shown(value: &Duration) -> Shown {
        Shown::text(humantime::format_duration(*value).to_string())
    }
}

/// A number of bytes, from 1.
pub(crate) struct Size<T>(PhantomData<T>);

impl<T: Copy + Debug + TryFrom<u64> + TryInto<u64>> Kind for Size<T> {
    type Value = T;

    fn shape() -> String {
        "size, as `64MiB`".to_owned()
    }

    fn read(raw: &Raw) -> Result<T, String> {
        let text = match raw {
            Raw::Number(text) => text,
            other => other.text()?,
        };
        let size = ByteSize::from_str(text)
            .map_err(|_| format!("{} is no size as `64MiB`", quoted(text)))?;
        match T::try_from(size.as_u64()) {
            Ok(_) if size.as_u64() == 0 => Err("`0` leaves no room".to_owned()),
            Ok(value) => Ok(value),
            Err(_) => Err(format!("{} is too much", quoted(text))),
        }
    }

    fn shown(value: &T) -> Shown {
        let Ok(bytes) = (*value).try_into() else { return Shown::Unset };
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let whole = units.into_iter().find(|(unit, _)| 0 < bytes && bytes % unit == 0);
        match whole {
            Some((unit, name)) => Shown::text(format!("{}{name}", bytes / unit)),
            None => Shown::Toml(bytes.to_string()),
        }
    }
}

/// A number from `LEAST` on.
pub(crate) struct Count<T, const LEAST: u64 = 0>(PhantomData<T>);

impl<T: Copy + Debug + TryFrom<u64> + TryInto<u64>, const LEAST: u64> Kind for Count<T, LEAST> {
    type Value = T;

    fn shape() -> String {
        format!("number, from {LEAST}")
    }

    fn read(raw: &Raw) -> Result<T, String> {
        let text = match raw {
            Raw::Number(text) => text,
            other => other.text()?,
        };
        let number = text.parse::<u64>().ok().filter(|it| LEAST <= *it);
        let number = number.ok_or_else(|| format!("{} is no number from {LEAST}", quoted(text)))?;
        T::try_from(number).map_err(|_| format!("{} is too much", quoted(text)))
    }

    fn shown(value: &T) -> Shown {
        (*value).try_into().map_or(Shown::Unset, |it: u64| Shown::Toml(it.to_string()))
    }
}
