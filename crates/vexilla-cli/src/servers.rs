//! The admin API and the webhook of `vexilla serve`, and what is handed on to Flagr.

use std::net::SocketAddr;

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
    check_apart(settings)?;
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

/// Refuses two servers at one address: the system would say that it is taken, and not by whom.
fn check_apart(settings: &Settings) -> Result<(), Wrong> {
    let mut taken: Vec<(&str, &str, ListenAddress)> = Vec::new();
    for (path, name, address) in [
        ("sidecar.listen", "the sidecar", Some(settings.sidecar.listen.clone())),
        ("admin.listen", "the admin API", settings.admin.listen.clone()),
        ("webhook.listen", "the webhook", webhook(settings)),
    ] {
        let Some(address) = address else { continue };
        if let Some(other) = taken.iter().find(|it| overlap(&it.2, &address)) {
            let (this, other) = ((path, name, address), other.clone());
            // The one that was given is at fault, and not a default that it meets.
            let is_given = |it: &str| settings.origins.of_setting(it) != Origin::Default;
            let (wrong, other) =
                if is_given(this.0) || !is_given(other.0) { (this, other) } else { (other, this) };
            let (path, name, address) = other;
            let reason = format!(
                "{} is taken by this process itself: {name} listens on {address} (`{path}`)",
                wrong.2
            );
            return Err(Wrong::new(&settings.origins.of_setting(wrong.0), wrong.0, reason));
        }
        taken.push((path, name, address));
    }
    Ok(())
}

/// Whether two servers cannot listen on these addresses at once. Port 0 takes a free one each time.
fn overlap(one: &ListenAddress, other: &ListenAddress) -> bool {
    match (one, other) {
        (ListenAddress::Tcp(one), ListenAddress::Tcp(other)) => {
            let takes = |it: &SocketAddr, other: &SocketAddr| {
                it.ip().is_unspecified() && (it.is_ipv6() || other.is_ipv4())
            };
            one.port() == other.port()
                && one.port() != 0
                && (one.ip() == other.ip() || takes(one, other) || takes(other, one))
        }
        (one, other) => one == other,
    }
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
