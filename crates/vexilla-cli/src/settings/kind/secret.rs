//! Kinds that are never printed.

use vexilla::Secret;

use super::{Kind, Raw, Shown};

/// A secret. Empty stands for none.
pub(crate) struct Hidden;

impl Kind for Hidden {
    type Value = Option<Secret>;
    const SECRET: bool = true;

    fn shape() -> String {
        "secret text".to_owned()
    }

    fn read(raw: &Raw) -> Result<Option<Secret>, String> {
        Ok(Some(Secret::new(raw.text()?)).filter(|it| !it.is_empty()))
    }

    fn shown(value: &Option<Secret>) -> Shown {
        value.clone().map_or(Shown::Unset, Shown::Hidden)
    }
}

/// A secret that others have to know. An empty one is refused: who meant to set one would go without.
pub(crate) struct Demanded;

impl Kind for Demanded {
    type Value = Option<Secret>;
    const SECRET: bool = true;
    const KEEPS_EMPTY: bool = true;

    fn shape() -> String {
        Hidden::shape()
    }

    fn read(raw: &Raw) -> Result<Option<Secret>, String> {
        match Hidden::read(raw)? {
            None => Err("is empty".to_owned()),
            secret => Ok(secret),
        }
    }

    fn shown(value: &Option<Secret>) -> Shown {
        Hidden::shown(value)
    }
}

/// A header with a secret value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretHeader {
    pub(crate) name: String,
    pub(crate) value: Secret,
}

impl Kind for SecretHeader {
    type Value = Option<Self>;
    const SECRET: bool = true;
    const KEEPS_EMPTY: bool = true;

    fn shape() -> String {
        "secret text `Name: value`".to_owned()
    }

    fn read(raw: &Raw) -> Result<Option<Self>, String> {
        match raw.text()?.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Some(Self { name: name.trim().to_owned(), value: Secret::new(value.trim()) }))
            }
            _ => Err("is not of the form `Name: value`".to_owned()),
        }
    }

    fn shown(value: &Option<Self>) -> Shown {
        let line = |it: &Self| Secret::new(format!("{}: {}", it.name, it.value.reveal()));
        value.as_ref().map_or(Shown::Unset, |it| Shown::Hidden(line(it)))
    }
}
