//! The environment, read once, and what comes of it, the file and the flags.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use crate::args::Cli;
use crate::settings::{Loaded, Origin, Outside, PREFIX, Variables, Wrong};

const NO_COLOR: &str = "NO_COLOR";

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Environment {
    /// Whether logs may be coloured.
    pub(crate) color: bool,
    /// The user's cache folder, if there is one.
    pub(crate) cache_dir: Option<PathBuf>,
    /// OpenTelemetry's own variables.
    pub(crate) otel: BTreeMap<String, String>,
    /// The variables that are ours by their names.
    variables: Variables,
}

/// All that the program was told.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) environment: Environment,
    /// What it was told by, to be read anew.
    pub(crate) outside: Outside,
    pub(crate) loaded: Loaded,
}

impl Environment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub(crate) fn read() -> Self {
        let ours =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self {
            color: io::stderr().is_terminal()
                && env::var_os(NO_COLOR).is_none_or(|it| it.is_empty()),
            cache_dir: cache_dir(),
            otel: env::vars_os().filter_map(of_opentelemetry).collect(),
            variables: Variables(ours.filter(|(name, _)| name.starts_with(PREFIX)).collect()),
        }
    }
}

impl Configuration {
    /// Puts together what the environment, the file and the flags say.
    pub(crate) fn read(cli: &Cli, environment: Environment) -> Result<Self, Wrong> {
        let given = cli.config.clone().map(|it| (it, Origin::Flag("config".to_owned())));
        let variables = environment.variables.clone();
        let file = given.or_else(|| variables.config());
        let outside = Outside { file, variables, flags: cli.flags().0 };
        let loaded = outside.load()?;
        loaded.settings.check()?;
        Ok(Self { environment, outside, loaded })
    }
}

/// What is no text is none of its variables' values.
fn of_opentelemetry((name, value): (OsString, OsString)) -> Option<(String, String)> {
    let name = name.into_string().ok().filter(|it| it.starts_with("OTEL_"))?;
    Some((name, value.into_string().ok()?))
}

/// `$XDG_CACHE_HOME`, else `.cache` in the home folder. Only an absolute one counts.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn cache_dir() -> Option<PathBuf> {
    let folder = |variable| env::var_os(variable).map(PathBuf::from).filter(|it| it.is_absolute());
    folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|it| it.join(".cache")))
}
