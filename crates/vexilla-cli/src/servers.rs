//! The admin API and the webhook of `vexilla serve`, and what is handed on to Flagr.

use vexilla::{BindError, ClientBuilder, ConfigError, ForwardConfig, ListenAddress, StartError};

use crate::args::SourceArgs;
use crate::error::CommandError;
use crate::settings::{Origin, Origins, Section as _, Settings, Wrong, local};
use crate::source::at;

/// A client in the making with the servers that were asked for.
pub(crate) fn wanted(
    mut builder: ClientBuilder,
    settings: &Settings,
) -> Result<ClientBuilder, Wrong> {
    let origins = &settings.origins;
    let mut forward = ForwardConfig::new("");
    settings.forward.apply(&mut forward);
    builder = builder.forward(forward);
    if let Some(address) = &settings.admin.listen {
        let listener = settings.admin_listener.config("admin.listener", origins)?;
        builder = builder.admin(address.clone(), settings.admin.config(listener));
    }
    if let Some(address) = webhook(settings) {
        let listener = settings.webhook_listener.config("webhook.listener", origins)?;
        builder = builder.webhook(address, settings.webhook.config(listener, origins)?);
    }
    Ok(builder)
}

/// Only a Flagr sends notifications.
fn webhook(settings: &Settings) -> Option<ListenAddress> {
    match &settings.webhook.listen {
        Some(listen) => listen.clone(),
        None => settings.flagr.url.is_some().then(|| local(18_001)),
    }
}

/// The error of a client that did not start, with the setting that names the address where that is the reason.
pub(crate) fn failed(settings: &Settings, source: &SourceArgs, error: StartError) -> CommandError {
    match error {
        StartError::Listen(error) => {
            let is_admin = settings.admin.listen.as_ref() == Some(error.address());
            let part = if is_admin { "admin" } else { "webhook" };
            unopened(settings, part, error)
        }
        StartError::Config(error) => settings.refused(&error).into(),
        error => source.failed(error),
    }
}

/// The error of a server that cannot listen, with the setting that says where.
pub(crate) fn unopened(settings: &Settings, part: &str, error: BindError) -> CommandError {
    let place = match (settings.origins.of_setting(&format!("{part}.listen")), part) {
        (Origin::Default, "sidecar") => "--listen".to_owned(),
        (Origin::Default, part) => format!("--{part}-listen"),
        (given, _) => given.to_string(),
    };
    at(place, error)
}

/// The error of a server that would be left without a secret where others than this machine reach it.
pub(crate) fn unsafe_without(error: &ConfigError, origins: &Origins) -> Wrong {
    let path = if error.field() == "admin" { "admin.token" } else { "webhook.secret" };
    origins.wrong(&[path], error.reason())
}

/// `http://127.0.0.1:18100`, the same with `https`, or `unix:/run/vexilla.sock`
pub(crate) fn place(address: &ListenAddress, speaks_tls: bool) -> String {
    match address {
        ListenAddress::Tcp(address) if speaks_tls => format!("https://{address}"),
        ListenAddress::Tcp(address) => format!("http://{address}"),
        ListenAddress::Unix(_) => address.to_string(),
    }
}

#[cfg(test)]
mod tests;
