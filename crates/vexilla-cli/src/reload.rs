//! SIGHUP: what can change while the sidecar serves is read anew, and what cannot is named.

use vexilla::{Client, Sidecar};
use vexilla_telemetry::LogLevel;

use crate::servers;
use crate::settings::{Access, Effective, Listener, Outside, Wrong, parts};
use crate::signals::Hangups;

/// What can be changed.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) client: Client,
    pub(crate) sidecar: Sidecar,
    /// Who the sidecar is to Flagr, and whom it trusts.
    pub(crate) access: Access,
    pub(crate) level: LogLevel,
    /// What the program was told by.
    pub(crate) outside: Outside,
    /// What each setting is at the moment.
    pub(crate) in_force: Vec<Effective>,
}

impl Live {
    /// Reads the configuration anew at each signal, for ever.
    pub(crate) async fn reload_at(mut self, mut hangups: Hangups) {
        loop {
            hangups.next().await;
            if let Err(error) = self.reload().await {
                tracing::error!("the configuration stays as it was: {error}");
            }
        }
    }

    /// Takes over what can change. What is wrong anywhere changes nothing.
    async fn reload(&mut self) -> Result<(), Wrong> {
        let new = self.outside.load()?;
        let settings = &new.settings;
        let origins = &settings.origins;
        settings.check()?;
        let filter = settings.filter.filter(origins)?;
        let access = settings.flagr.access(origins)?;
        let listener = |it: &Listener, part| it.config(part, origins);
        let sidecar = listener(&settings.sidecar_listener, "sidecar.listener")?;
        let admin = listener(&settings.admin_listener, "admin.listener")?;
        let webhook = listener(&settings.webhook_listener, "webhook.listener")?;

        let (mut live, mut fixed) = (Vec::new(), Vec::new());
        let all = parts();
        let all = all.iter().flat_map(|it| &it.settings);
        for (setting, (old, new)) in all.zip(self.in_force.iter().zip(&new.effective)) {
            if old.shown != new.shown {
                let list = if setting.more.live { &mut live } else { &mut fixed };
                list.push(setting.path.clone());
            }
        }
        let part = |name: &str| live.iter().any(|it| it.split('.').next() == Some(name));

        self.access.can_become(&access, origins)?;
        if part("admin") || part("webhook") {
            let admin = settings.admin.config(admin);
            let webhook = settings.webhook.config(webhook, origins)?;
            let changed = self.client.reconfigure_servers(admin, webhook);
            changed.map_err(|error| servers::unsafe_without(&error, origins))?;
        }
        self.access.replace(&access, origins)?;
        for path in fixed {
            tracing::warn!("`{path}` has changed, which takes effect at the next start only");
        }
        if part("log")
            && let Err(error) = self.level.set(settings.log.level.filter())
        {
            tracing::error!(%error, "the level of the log stays as it was");
        }
        if part("sidecar") {
            self.sidecar.reconfigure(settings.sidecar.config(sidecar));
        }
        for (old, new) in self.in_force.iter_mut().zip(&new.effective) {
            if live.contains(&old.path) {
                old.clone_from(new);
            }
        }
        if part("filter") {
            if let Err(error) = self.client.set_filter(filter).await {
                tracing::warn!(%error, "the new filter waits for the next refresh");
            }
        } else if part("flagr") {
            // It shows at once whether the credentials are right; the refresher says it in the log where they are not.
            let _said = self.client.refresh().await;
        }
        tracing::info!(changed = ?live, "read the configuration anew");
        Ok(())
    }
}
