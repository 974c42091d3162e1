//! What the settings may be, and what does not go together. Each error names a setting that it is about: the one that was
//! given, where there are several.

use std::path::Path;

use vexilla::{BreakerConfig, CacheConfigError, CachedRemoteConfig, ConfigError};

use super::found::{Origins, Wrong};
use super::{Section as _, Settings};

/// How many threads may serve the sidecar's connections.
const MOST_THREADS: usize = 1024;

impl Settings {
    /// Refuses what cannot work, what does not go together, and what names files that cannot be used.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let origins = &self.origins;
        let client = self.client()?;
        client.check().map_err(|error| self.refused(&error))?;
        let mut breaker = BreakerConfig::default();
        self.breaker.apply(&mut breaker);
        vexilla::Breaker::new(breaker)
            .map_err(|error| origins.wrong(&[&format!("breaker.{}", error.field())], &error))?;
        let mut cache = CachedRemoteConfig::default();
        self.remote_cache.apply(&mut cache);
        cache.check().map_err(|error| of_cache(error, "remote_cache", "max_bytes", origins))?;
        if let Some(budget) = self.memory.config() {
            budget.check().map_err(|error| of_cache(error, "memory", "budget", origins))?;
        }
        folder(self.archive.dir.as_deref(), "archive.dir", origins)?;
        folder(self.exposures.spool.as_deref(), "exposures.spool", origins)?;
        self.telemetry.check(origins)?;
        self.flagr.check(&client.filter, origins)?;
        self.redis.config(origins)?;
        if let Some(threads) = self.sidecar.threads.filter(|it| MOST_THREADS < *it) {
            let reason =
                format!("`{threads}` are more than {MOST_THREADS}, the most that are started");
            return Err(origins.wrong(&["sidecar.threads"], reason));
        }
        self.sidecar_listener.config("sidecar.listener", origins)?;
        self.admin_listener.config("admin.listener", origins)?;
        let listener = self.webhook_listener.config("webhook.listener", origins)?;
        self.webhook.config(listener, origins)?;
        Ok(())
    }

    /// The error of a client's configuration, with the settings that the field is made of.
    pub(crate) fn refused(&self, error: &ConfigError) -> Wrong {
        let wrong = |paths: &[&str]| self.origins.wrong(paths, error.reason());
        match error.field() {
            "refresh_interval" => wrong(&["refresh.interval"]),
            "full_refresh_interval" => wrong(&["refresh.full_interval"]),
            "initial_timeout" => wrong(&["refresh.initial_timeout"]),
            "max_staleness" => wrong(&["evaluation.max_staleness"]),
            "miss_interval" => wrong(&["evaluation.miss_interval"]),
            "miss_timeout" => wrong(&["evaluation.miss_timeout"]),
            "strict_timeout" => wrong(&["evaluation.strict_timeout"]),
            "exposures.retry_max" => wrong(&["exposures.retry_max", "exposures.retry_base"]),
            "memory_budget" => wrong(&["memory.budget"]),
            same => wrong(&[same]),
        }
    }
}

/// The error of a cache in this part, whose size is the setting that is called so.
fn of_cache(error: CacheConfigError, part: &str, size: &str, origins: &Origins) -> Wrong {
    let path = |key: &str| format!("{part}.{key}");
    let text = error.to_string();
    // The member has another name than the setting.
    let reason = text.split_once("` ").map_or(text.as_str(), |(_, reason)| reason);
    match error {
        // By default it comes of the size.
        CacheConfigError::Counters => origins.wrong(&[&path("counters"), &path(size)], reason),
        CacheConfigError::BufferItems => origins.wrong(&[&path("buffer_items")], reason),
        CacheConfigError::DefaultTtl | CacheConfigError::Ttl => {
            origins.wrong(&[&path("ttl")], reason)
        }
        CacheConfigError::RefreshAhead => {
            origins.wrong(&[&path("refresh_ahead"), &path("ttl")], &text)
        }
        _ => origins.wrong(&[&path(size)], reason),
    }
}

/// Refuses a folder that is something else. It need not be there.
fn folder(folder: Option<&Path>, path: &str, origins: &Origins) -> Result<(), Wrong> {
    match folder.filter(|it| it.exists() && !it.is_dir()) {
        Some(file) => Err(origins.wrong(&[path], format!("`{}` is no folder", file.display()))),
        None => Ok(()),
    }
}
