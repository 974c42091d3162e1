//! One declaration for each setting: from it come the key of the file, the variable, the flag, the default, the
//! reference and the value in the running program.

use super::found::Found;
use super::kind::{Kind, Shown};

/// What a setting is, apart from its value.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// `flagr.timeout`
    pub(crate) path: String,
    pub(crate) doc: String,
    pub(crate) shape: String,
    pub(crate) default: Shown,
    pub(crate) secret: bool,
    pub(crate) switch: bool,
    pub(crate) keeps_empty: bool,
    pub(crate) more: More,
}

/// What only some settings have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct More {
    /// The flag, where it is not made of the path.
    pub(crate) flag: Option<&'static str>,
    /// A flag that stands for `false`.
    pub(crate) no_flag: Option<&'static str>,
    /// A second name of the variable.
    pub(crate) alias: Option<&'static str>,
    /// What the flag's value is called.
    pub(crate) value: Option<&'static str>,
    /// Whether the short help shows it.
    pub(crate) common: bool,
    /// Whether it is read again at a SIGHUP.
    pub(crate) live: bool,
    /// Whether only a Flagr has a use for it.
    pub(crate) with_flagr: bool,
    /// What happens where it is not set.
    pub(crate) unset: &'static str,
}

impl More {
    pub(crate) const NONE: Self = Self {
        flag: None,
        no_flag: None,
        alias: None,
        value: None,
        common: false,
        live: false,
        with_flagr: false,
        unset: "none",
    };
}

/// Settings that stand together in the file.
#[derive(Debug)]
pub(crate) struct Part {
    /// `sidecar.listener`
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) settings: Vec<Setting>,
}

/// The values of a part.
pub(crate) trait Section: Sized {
    /// What the library has for them, and the defaults come from.
    type Config: ?Sized;

    fn doc() -> String;
    fn defaults(config: &Self::Config) -> Self;
    fn settings(&self, part: &str) -> Vec<Setting>;
    fn read(self, part: &str, found: &mut Found) -> Self;
    fn apply(&self, config: &mut Self::Config);
}

impl Setting {
    /// The rows of one setting: itself and, if it is a secret, the file that it may be in.
    pub(crate) fn rows<K: Kind>(
        path: &str,
        doc: &[&str],
        default: &K::Value,
        more: More,
    ) -> Vec<Self> {
        let mut rows = vec![Self {
            path: path.to_owned(),
            doc: paragraph(doc),
            shape: K::shape(),
            default: K::shown(default),
            secret: K::SECRET,
            switch: K::SWITCH,
            keeps_empty: K::KEEPS_EMPTY,
            more,
        }];
        if K::SECRET {
            rows.push(Self {
                doc: format!(
                    "The file that holds `{path}`; a line break at its end does not count"
                ),
                path: format!("{path}_file"),
                shape: "path".to_owned(),
                default: Shown::Unset,
                secret: false,
                switch: false,
                keeps_empty: false,
                more: More { live: more.live, with_flagr: more.with_flagr, ..More::NONE },
            });
        }
        rows
    }

    /// `VEXILLA_FLAGR__TIMEOUT`
    pub(crate) fn variable(&self) -> String {
        format!("VEXILLA_{}", self.path.replace('.', "__").to_uppercase())
    }

    /// `flagr-timeout`. What is on a command line everybody on the machine can read: a secret has no flag.
    pub(crate) fn flag(&self) -> Option<String> {
        match self.more.flag {
            Some(flag) => Some(flag.to_owned()),
            None if self.secret => None,
            None => Some(self.path.replace(['.', '_'], "-")),
        }
    }

    /// The last part of its path.
    pub(crate) fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }
}

/// The lines of a doc comment as one.
pub(crate) fn paragraph(doc: &[&str]) -> String {
    doc.iter().map(|it| it.trim()).collect::<Vec<_>>().join(" ")
}

/// Declares the settings of a part. `= value` is a default; `=> place` is the place in the library's configuration that
/// the default comes from and the value goes to; in brackets stands [`More`].
macro_rules! section {
    (
        $(#[doc = $section_doc:literal])+
        struct $Name:ident for $it:ident: $Config:ty {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $Kind:ty $(= $default:expr)? $(=> $place:expr)?
                    $(, [$($more:ident: $value:expr),+])?;
            )+
        }
    ) => {
        $(#[doc = $section_doc])+
        #[derive(Debug, Clone)]
        pub(crate) struct $Name {
            $(pub(crate) $field: <$Kind as $crate::settings::kind::Kind>::Value,)+
        }

        impl $crate::settings::table::Section for $Name {
            type Config = $Config;

            fn doc() -> String {
                $crate::settings::table::paragraph(&[$($section_doc),+])
            }

            fn defaults($it: &$Config) -> Self {
                let _ = $it;
                Self { $($field: section!(@default $($default)? ; $($place)?),)+ }
            }

            fn settings(&self, part: &str) -> Vec<$crate::settings::table::Setting> {
                use $crate::settings::table::{More, Setting};
                [$(Setting::rows::<$Kind>(
                    &format!("{part}.{}", stringify!($field)),
                    &[$($doc),+],
                    &self.$field,
                    section!(@more $($($more: $value),+)?),
                )),+].concat()
            }

            fn read(self, part: &str, found: &mut $crate::settings::found::Found) -> Self {
                Self {
                    $($field: found.take::<$Kind>(
                        &format!("{part}.{}", stringify!($field)),
                        self.$field,
                    ),)+
                }
            }

            fn apply(&self, $it: &mut $Config) {
                let _ = &$it;
                $($($place = self.$field.clone();)?)+
            }
        }
    };
    (@default $default:expr ; ) => { $default };
    (@default ; $place:expr) => { Clone::clone(&$place) };
    (@more) => { More::NONE };
    (@more $($more:ident: $value:expr),+) => { More { $($more: $value,)+ ..More::NONE } };
}

pub(crate) use section;
