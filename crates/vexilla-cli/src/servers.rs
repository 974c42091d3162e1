//! The admin API and the webhook of `vexilla serve`.

use std::net::{Ipv4Addr, SocketAddr};

use vexilla::{AdminConfig, ClientBuilder, ListenAddress, StartError, WebhookConfig};

use crate::args::{Place, ServeArgs};
use crate::config::Environment;
use crate::error::CommandError;
use crate::source::at;

/// Where Flagr's notifications are taken by default.
const WEBHOOK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 18001);

/// A client in the making with the servers that were asked for.
pub(crate) fn wanted(
    mut builder: ClientBuilder,
    args: &ServeArgs,
    environment: &Environment,
) -> ClientBuilder {
    if let Place::At(address) = &args.servers.admin_listen {
        let mut config = AdminConfig::default();
        config.token.clone_from(&environment.admin_token);
        builder = builder.admin(address.clone(), config);
    }
    if let Some(address) = webhook(args) {
        let mut config = WebhookConfig::default();
        config.signing_secret.clone_from(&environment.webhook_secret);
        config.header.clone_from(&environment.webhook_header);
        builder = builder.webhook(address, config);
    }
    builder
}

/// Only a Flagr sends notifications.
fn webhook(args: &ServeArgs) -> Option<ListenAddress> {
    match &args.servers.webhook_listen {
        Some(Place::At(address)) => Some(address.clone()),
        None if args.source.flagr.is_some() => Some(WEBHOOK.into()),
        Some(Place::Off) | None => None,
    }
}

/// The error of a client that did not start, with the argument that names the address where that is the reason.
pub(crate) fn failed(args: &ServeArgs, error: StartError) -> CommandError {
    match error {
        StartError::Listen(error)
            if args.servers.admin_listen == Place::At(error.address().clone()) =>
        {
            at("--admin-listen".to_owned(), error)
        }
        StartError::Listen(error) => at("--webhook-listen".to_owned(), error),
        error => args.source.failed(error),
    }
}

#[cfg(test)]
mod tests;
