//! Settings of what is kept, and where.

use vexilla::{CachedRemoteConfig, DiskConfig, RedisConfig};

use super::flagr::read;
use super::found::{Origins, Wrong};
use super::kind::{
    Count, Hidden, Kind, Maybe, MaybeNoTime, Place, Shown, Size, Switch, Text, Time,
};
use super::raw::Raw;
use super::table::{Section as _, section};

section! {
    /// Where the last good flags are kept, so that a restart needs no Flagr
    struct Archive for it: DiskConfig {
        /// The folder that the last good flags are kept in, so that a restart needs no Flagr; `off` keeps none
        dir: Maybe<Place> = None, [
            flag: Some("archive"), value: Some("DIR"), common: true,
            unset: "a folder for this Flagr in the user's cache folder; none for a file"
        ];
        /// How many of the last good flags are kept
        generations: Count<usize, 1> => it.generations;
        /// The largest document that is saved or loaded
        max_document_bytes: Size<usize> => it.max_document_bytes;
    }
}

section! {
    /// A Redis or Valkey through which sidecars share their flags, of which one asks Flagr
    struct Redis for it: RedisConfig {
        /// Share the flags with all sidecars of this Redis or Valkey, of which one asks Flagr: `redis://host:6379/0`, or
        /// `rediss://` for TLS
        url: RedisUrl = None, [flag: Some("redis"), value: Some("URL"), common: true, with_flagr: true];
        /// Its password, where the address has none
        password: Hidden = None, [alias: Some("VEXILLA_REDIS_PASSWORD")];
        /// A file of certificates in PEM that are trusted beside those of the system
        extra_roots: Maybe<Place> = None;
        /// What our keys in Redis begin with; sidecars of different Flagrs need different ones
        key_prefix: Text => it.key_prefix, [flag: Some("redis-prefix"), value: Some("TEXT"), common: true];
        /// How long connecting and logging in may take
        connect_timeout: Time => it.connect_timeout;
        /// How long Redis may take for one command
        response_timeout: Time => it.response_timeout;
        /// How long a sidecar that is gone keeps others from asking Flagr; also how often Redis is asked for something newer
        lease: Time => it.lease;
        /// The largest document that is saved or loaded
        max_document_bytes: Size<usize> => it.max_document_bytes;
    }
}

section! {
    /// Flagr's answers to evaluations that are its to decide, kept for the same question
    struct RemoteCache for it: CachedRemoteConfig {
        /// Keep Flagr's answers to evaluations that are its to decide for a while. Otherwise it is asked each time, and counts
        /// all of them
        enabled: Switch = true, [no_flag: Some("no-remote-cache"), common: true];
        /// How long an answer is given without asking Flagr again
        ttl: Time => it.ttl;
        /// An answer that is asked for when this much of its time is left is asked for again meanwhile; `0s` for never
        refresh_ahead: MaybeNoTime => it.refresh_ahead;
        /// How much longer than its time an answer is given while Flagr is away
        keep_stale: MaybeNoTime => it.keep_stale;
        /// Whether answers for flags that record data are kept too: Flagr records nothing when it is not asked
        cache_data_records: Switch => it.cache_data_records;
        /// How many bytes the answers and what was asked may take
        max_bytes: Size<u64> => it.cache.max_cost;
        /// Of how many questions the frequency is estimated
        counters: Count<usize, 1> => it.cache.counters;
        /// How many reads are gathered before they count for a question's frequency
        buffer_items: Count<usize, 1> => it.cache.buffer_items;
    }
}

/// An address that may hold a password. An error does not repeat it.
pub(crate) struct RedisUrl;

impl Kind for RedisUrl {
    type Value = <Hidden as Kind>::Value;
    const SECRET: bool = true;

    fn shape() -> String {
        "URL".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self::Value, String> {
        let url = Hidden::read(raw)?;
        if let Some(url) = &url {
            RedisConfig::from_url(url.reveal()).map_err(|error| error.to_string())?;
        }
        Ok(url)
    }

    fn shown(value: &Self::Value) -> Shown {
        match value {
            Some(url) if !url.reveal().contains('@') => Text::shown(&url.reveal().to_owned()),
            other => Hidden::shown(other),
        }
    }
}

impl Redis {
    /// The Redis that was asked for. What the address says goes before the password.
    pub(crate) fn config(&self, origins: &Origins) -> Result<Option<RedisConfig>, Wrong> {
        let Some(url) = &self.url else { return Ok(None) };
        let wrong = |reason| Wrong::new(&origins.of_setting("redis.url"), "redis.url", reason);
        let config = RedisConfig::from_url(url.reveal());
        let mut config = config.map_err(|error| wrong(error.to_string()))?;
        self.apply(&mut config);
        config.password = config.password.or_else(|| self.password.clone());
        let roots = read(origins, "redis.extra_roots", self.extra_roots.as_deref())?;
        config.extra_roots = roots.unwrap_or_default();
        Ok(Some(config))
    }
}
