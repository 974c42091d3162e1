//! SIGHUP: what can change while the sidecar serves is read anew, and what cannot is named.

use vexilla::{Client, Sidecar};
use vexilla_telemetry::LogLevel;

use crate::settings::{Effective, Outside, Wrong, parts};
use crate::signals::Hangups;

/// What can be changed.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) client: Client,
    pub(crate) sidecar: Sidecar,
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
        let filter = settings.filter.filter(&settings.origins)?;
        let listener = settings.sidecar_listener.config("sidecar.listener", &settings.origins)?;
        settings.check()?;

        let (mut live, mut fixed) = (Vec::new(), Vec::new());
        let all = parts();
        let all = all.iter().flat_map(|it| &it.settings);
        for (setting, (old, new)) in all.zip(self.in_force.iter_mut().zip(&new.effective)) {
            if old.shown == new.shown {
                continue;
            }
            if setting.more.live {
                old.clone_from(new);
                live.push(setting.path.as_str());
            } else {
                fixed.push(setting.path.as_str());
            }
        }
        for path in fixed {
            tracing::warn!("`{path}` has changed, which takes effect at the next start only");
        }
        let part = |name: &str| live.iter().any(|it| it.split('.').next() == Some(name));
        if part("log")
            && let Err(error) = self.level.set(settings.log.level.filter())
        {
            tracing::error!(%error, "the level of the log stays as it was");
        }
        if part("sidecar") {
            self.sidecar.reconfigure(settings.sidecar.config(listener));
        }
        if part("filter")
            && let Err(error) = self.client.set_filter(filter).await
        {
            tracing::warn!(%error, "the new filter waits for the next refresh");
        }
        tracing::info!(changed = ?live, "read the configuration anew");
        Ok(())
    }
}
