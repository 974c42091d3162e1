//! The servers that a client owns: open before the start returns, ended with the client.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vexilla_server::{
    Admin, AdminConfig, AdminSettings, BoundServer, Change, CredentialError, ForwardConfig,
    ListenAddress, Webhook, WebhookConfig, WebhookSettings,
};
#[cfg(feature = "prometheus")]
use vexilla_telemetry::Prometheus;

use crate::builder::ClientBuilder;
use crate::client::Client;
use crate::error::{ConfigError, StartError};
#[cfg(feature = "prometheus")]
use crate::telemetry::Telemetry;

/// How long running requests have to finish once the end was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// The servers that a builder was asked for.
#[derive(Debug, Default)]
pub(crate) struct WantedServers {
    admin: Option<(ListenAddress, AdminConfig)>,
    webhook: Option<(ListenAddress, WebhookConfig)>,
    wrong: Option<ConfigError>,
}

impl ClientBuilder {
    /// Serves the admin API at this address, `127.0.0.1:19000` or `unix:/run/vexilla.sock`, for as long as the client
    /// lives. Port 0 takes a free one: [`Client::admin_address`] tells it.
    ///
    /// Without a token it listens on a loopback address or a Unix socket only. The definition of a flag is there only
    /// where [`export`](Self::export) keeps the flags as a document.
    pub fn admin<A>(mut self, address: A, config: AdminConfig) -> Self
    where
        A: TryInto<ListenAddress, Error: fmt::Display>,
    {
        let address = self.servers.read("admin", address);
        self.servers.admin = address.map(|it| (it, config));
        self
    }

    /// Takes Flagr's notifications at this address, `127.0.0.1:18001`, for as long as the client lives, so that changes
    /// arrive at once. Port 0 takes a free one: [`Client::webhook_address`] tells it.
    ///
    /// Without a secret it listens on a loopback address or a Unix socket only.
    pub fn webhook<A>(mut self, address: A, config: WebhookConfig) -> Self
    where
        A: TryInto<ListenAddress, Error: fmt::Display>,
    {
        let address = self.servers.read("webhook", address);
        self.servers.webhook = address.map(|it| (it, config));
        self
    }

    /// The limits of what a [`sidecar`](Client::sidecar) hands on to Flagr. Its address and the time for connecting are
    /// those of the Flagr that flags come from.
    pub fn forward(mut self, limits: ForwardConfig) -> Self {
        self.forward = Some(limits);
        self
    }
}

impl WantedServers {
    fn read<A>(&mut self, field: &'static str, address: A) -> Option<ListenAddress>
    where
        A: TryInto<ListenAddress, Error: fmt::Display>,
    {
        let address = address.try_into();
        address.map_err(|it| self.wrong = Some(ConfigError::new(field, it.to_string()))).ok()
    }

    /// Refuses an address that is none.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.wrong.clone().map_or(Ok(()), Err)
    }

    /// Opens them all for this client and serves them. If one cannot be opened, the client is stopped.
    pub(crate) async fn open(self, client: &Client) -> Result<(), StartError> {
        match self.bind(client).await {
            Ok((admin, webhook)) => {
                let servers = client.servers();
                servers.serve(&servers.admin, admin);
                servers.serve(&servers.webhook, webhook);
                Ok(())
            }
            Err(error) => {
                client.stop().await;
                Err(error)
            }
        }
    }

    async fn bind(
        self,
        client: &Client,
    ) -> Result<(Option<Opened<AdminSettings>>, Option<Opened<WebhookSettings>>), StartError> {
        // The servers belong to the client and must not keep it going.
        let operator = Arc::new(client.lent());
        let clock = || Arc::clone(&client.parts().clock);
        let admin = match self.admin {
            Some((address, config)) => {
                let admin = Admin::new(operator.clone(), clock(), config);
                #[cfg(feature = "otel")]
                let admin = admin.with_trace(client.trace_parent());
                #[cfg(feature = "prometheus")]
                let admin = match client.telemetry().and_then(Telemetry::metrics) {
                    Some(render) => admin.with_metrics(Prometheus::CONTENT_TYPE, render),
                    None => admin,
                };
                let settings = admin.settings();
                Some((admin.bind(&address).await.map_err(StartError::Listen)?, settings))
            }
            None => None,
        };
        let webhook = match self.webhook {
            Some((address, config)) => {
                let webhook = Webhook::new(operator, clock(), config)
                    .map_err(|error| refused("webhook", &error))?
                    .with_observer(Arc::clone(&client.parts().observer));
                #[cfg(feature = "otel")]
                let webhook = webhook.with_trace(client.trace_parent());
                let settings = webhook.settings();
                Some((webhook.bind(&address).await.map_err(StartError::Listen)?, settings))
            }
            None => None,
        };
        Ok((admin, webhook))
    }
}

fn refused(field: &'static str, error: &CredentialError) -> ConfigError {
    ConfigError::new(field, error.to_string())
}

/// An open server, and the way to change it.
type Opened<S> = (BoundServer, S);

/// The running servers of a client: where each listens, and the way to change it.
#[derive(Debug)]
pub(crate) struct Servers {
    stop: CancellationToken,
    tasks: TaskTracker,
    admin: OnceLock<(ListenAddress, AdminSettings)>,
    webhook: OnceLock<(ListenAddress, WebhookSettings)>,
}

impl Servers {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        let (admin, webhook) = (OnceLock::new(), OnceLock::new());
        Self { stop, tasks: TaskTracker::new(), admin, webhook }
    }

    fn serve<S>(&self, place: &OnceLock<(ListenAddress, S)>, opened: Option<Opened<S>>) {
        let Some((server, settings)) = opened else { return };
        let address = server.address().clone();
        place.get_or_init(|| (address.clone(), settings));
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let cut = server.serve(stop.cancelled_owned(), DRAIN).await;
            if cut > 0 {
                tracing::warn!(connections = cut, %address, "requests took too long and were cut off");
            }
        });
    }

    /// Ends them in good order.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Client {
    /// Where the admin API of [`ClientBuilder::admin`] listens.
    pub fn admin_address(&self) -> Option<&ListenAddress> {
        self.servers().admin.get().map(|it| &it.0)
    }

    /// Where the webhook of [`ClientBuilder::webhook`] listens.
    pub fn webhook_address(&self) -> Option<&ListenAddress> {
        self.servers().webhook.get().map(|it| &it.0)
    }

    /// Other limits and secrets for the servers of [`ClientBuilder::admin`] and [`ClientBuilder::webhook`], from the next
    /// request and the next connection on. What is for a server that was not asked for changes nothing, and where a server
    /// listens and which certificate it has stays as it is.
    ///
    /// # Errors
    ///
    /// If one of them cannot be: then both stay as they are. A server that others than this machine reach cannot do without
    /// a secret.
    pub fn reconfigure_servers(
        &self,
        admin: AdminConfig,
        webhook: WebhookConfig,
    ) -> Result<(), ConfigError> {
        let servers = self.servers();
        let admin = servers.admin.get().map(|it| it.1.change(admin)).transpose();
        let admin = admin.map_err(|error| refused("admin", &error))?;
        let webhook = servers.webhook.get().map(|it| it.1.change(webhook)).transpose();
        let webhook = webhook.map_err(|error| refused("webhook", &error))?;
        admin.into_iter().chain(webhook).for_each(Change::apply);
        Ok(())
    }
}
