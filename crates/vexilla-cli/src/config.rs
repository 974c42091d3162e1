//! The environment, read once.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use vexilla::{Auth, OtlpSettings, Secret, WebhookHeader};
use vexilla_telemetry::LogFilter;

use crate::error::CommandError;

const LOG: &str = "VEXILLA_LOG";
const REDIS_PASSWORD: &str = "VEXILLA_REDIS_PASSWORD";
const NO_COLOR: &str = "NO_COLOR";
const TOKEN: &str = "VEXILLA_FLAGR_TOKEN";
const USER: &str = "VEXILLA_FLAGR_USER";
const PASSWORD: &str = "VEXILLA_FLAGR_PASSWORD";
const ADMIN_TOKEN: &str = "VEXILLA_ADMIN_TOKEN";
const WEBHOOK_SECRET: &str = "VEXILLA_WEBHOOK_SECRET";
const WEBHOOK_HEADER: &str = "VEXILLA_WEBHOOK_HEADER";

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Environment {
    /// What to log: a level, or levels by module as in `warn,vexilla=debug`.
    pub(crate) log: Option<LogFilter>,
    /// Whether logs may be coloured.
    pub(crate) color: bool,
    /// The user's cache folder, if there is one.
    pub(crate) cache_dir: Option<PathBuf>,
    /// Who we are to Flagr.
    pub(crate) flagr: Auth,
    /// What callers of the admin API have to know.
    pub(crate) admin_token: Option<Secret>,
    /// What notices are signed with.
    pub(crate) webhook_secret: Option<Secret>,
    /// What Flagr sends with its notices.
    pub(crate) webhook_header: Option<WebhookHeader>,
    /// The password for Redis, where its address has none.
    pub(crate) redis_password: Option<Secret>,
    /// Where metrics and traces are sent, by OpenTelemetry's own variables; only `serve` sends any.
    pub(crate) otlp: Result<OtlpSettings, WrongVariable>,
}

/// A variable that means nothing.
#[derive(Debug, Clone)]
pub(crate) struct WrongVariable {
    variable: String,
    reason: String,
}

impl WrongVariable {
    pub(crate) fn into_error(self) -> CommandError {
        CommandError::At {
            place: format!("environment variable {}", self.variable),
            source: self.reason.into(),
        }
    }
}

impl Environment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub(crate) fn read() -> Result<Self, CommandError> {
        let log = env::var_os(LOG).filter(|it| !it.is_empty());
        let log = log.map(|it| it.to_string_lossy().parse()).transpose();
        Ok(Self {
            log: log.map_err(|error| CommandError::At {
                place: format!("environment variable {LOG}"),
                source: Box::new(error),
            })?,
            color: io::stderr().is_terminal()
                && env::var_os(NO_COLOR).is_none_or(|it| it.is_empty()),
            cache_dir: cache_dir(),
            flagr: auth(text(TOKEN)?, text(USER)?, text(PASSWORD)?)?,
            admin_token: text(ADMIN_TOKEN)?.map(Secret::new),
            webhook_secret: text(WEBHOOK_SECRET)?.map(Secret::new),
            webhook_header: text(WEBHOOK_HEADER)?.map(|it| header(&it)).transpose()?,
            redis_password: text(REDIS_PASSWORD)?.map(Secret::new),
            otlp: otlp(),
        })
    }
}

/// A variable as text. What it holds is not repeated where it is none.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn text(variable: &'static str) -> Result<Option<String>, CommandError> {
    let text = env::var_os(variable).map(OsString::into_string).transpose();
    text.map_err(|_| wrong(variable, "is not UTF-8"))
}

/// What OpenTelemetry's variables say, and the certificates that they name.
fn otlp() -> Result<OtlpSettings, WrongVariable> {
    // What is no text is none of these variables' values.
    let get = |variable: &str| env_text(variable);
    let mut settings = OtlpSettings::default().with_env(get).map_err(|error| WrongVariable {
        variable: error.field().to_owned(),
        reason: error.reason(),
    })?;
    for (signal, own) in [
        (&mut settings.metrics, "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE"),
        (&mut settings.traces, "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"),
    ] {
        let Some(signal) = signal else { continue };
        let named = [own, "OTEL_EXPORTER_OTLP_CERTIFICATE"].into_iter().find_map(|variable| {
            get(variable).filter(|it| !it.is_empty()).map(|path| (variable, path))
        });
        if let Some((variable, path)) = named {
            signal.extra_roots = fs::read(&path).map_err(|error| WrongVariable {
                variable: variable.to_owned(),
                reason: format!("`{path}` cannot be read: {error}"),
            })?;
        }
    }
    Ok(settings)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn env_text(variable: &str) -> Option<String> {
    env::var(variable).ok()
}

/// Empty stands for none: Flagr refuses those who had to say who they are.
fn auth(
    token: Option<String>,
    user: Option<String>,
    password: Option<String>,
) -> Result<Auth, CommandError> {
    let given = |it: Option<String>| it.filter(|it| !it.is_empty());
    match (given(token), given(user), given(password)) {
        (None, None, None) => Ok(Auth::None),
        (Some(token), None, None) => Ok(Auth::Bearer(Secret::new(token))),
        (None, Some(user), Some(password)) => {
            Ok(Auth::Basic { user, password: Secret::new(password) })
        }
        (Some(_), ..) => Err(wrong(TOKEN, "is set beside a user or a password: name one of both")),
        (None, Some(_), None) => Err(wrong(USER, "is set without VEXILLA_FLAGR_PASSWORD")),
        (None, None, Some(_)) => Err(wrong(PASSWORD, "is set without VEXILLA_FLAGR_USER")),
    }
}

fn header(text: &str) -> Result<WebhookHeader, CommandError> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok(WebhookHeader { name: name.trim().to_owned(), value: Secret::new(value.trim()) })
        }
        _ => Err(wrong(WEBHOOK_HEADER, "is not of the form `Name: value`")),
    }
}

fn wrong(variable: &'static str, reason: &'static str) -> CommandError {
    CommandError::At { place: format!("environment variable {variable}"), source: reason.into() }
}

/// `$XDG_CACHE_HOME`, else `.cache` in the home folder. Only an absolute one counts.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn cache_dir() -> Option<PathBuf> {
    let folder = |variable| env::var_os(variable).map(PathBuf::from).filter(|it| it.is_absolute());
    folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|it| it.join(".cache")))
}

#[cfg(test)]
mod tests;
