//! Settings of what is kept, and where.

use std::path::PathBuf;
use std::time::Duration;

use vexilla::{CacheConfig, CachedRemoteConfig, DiskConfig, ExposureConfig, RedisConfig};
use vexilla_domain::with_causes;

use super::found::{Origins, Wrong};
use super::kind::{
    Content, Count, Hidden, Kind, Maybe, MaybeNoTime, OrOff, Place, Shown, Size, Switch, Text, Time,
};
use super::raw::Raw;
use super::table::{Section as _, section};

section! {
    /// Where the last good flags are kept, so that a restart needs no Flagr
    struct Archive for it: DiskConfig {
        /// The folder that the last good flags are kept in, so that a restart needs no Flagr; `off` keeps none. Exposures wait
        /// in it too, with the ids and contexts of people, unless `exposures.spool` says otherwise
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
        extra_roots: Maybe<Content> = None;
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

section! {
    /// How much memory the rules of flags may take, for more flags than memory should hold. The others are read from the
    /// archive, which this needs, or from Flagr, when somebody asks for them
    struct Memory for it: () {
        /// How many bytes the rules in memory may take; `off` keeps all of them
        budget: OrOff<Size<u64>> = None;
        /// Of how many flags the use is estimated; ten times as many as fit are good
        counters: Maybe<Count<usize, 1>> = None, [unset: "one for each 107 bytes of the budget"];
        /// How many reads are gathered before they count for a flag's use
        buffer_items: Count<usize, 1> = 64;
        /// How long rules stay in memory before they are read again; `off` for as long as there is room
        ttl: OrOff<Time> = Some(Duration::from_secs(300));
    }
}

section! {
    /// Exposures: what the sidecar's callers report that people saw, on its way to Flagr, and evaluations that Flagr is to
    /// record with `evaluation.records = "replay"`
    struct Exposures for it: ExposureConfig {
        /// The folder in which they are kept until Flagr has them, with the ids and contexts of people; `off` keeps them in
        /// memory, where they are lost with the process
        spool: Maybe<Place> = None, [
            value: Some("DIR|off"),
            unset: "the folder `exposures` in that of the archive; in memory without one"
        ];
        /// How many bytes they may take there, exposures and evaluations that much each; beyond it the oldest are dropped
        spool_bytes: Size<u64> => it.spool_bytes;
        /// How often what was written there is made safe from a power failure; a process that ends in any other way loses
        /// nothing
        sync_interval: Time => it.sync_interval;
        /// How many are sent at once; Flagr takes no more than 100 by its defaults, and fewer are sent where it refuses so many
        batch_size: Count<usize, 1> => it.batch_size;
        /// How long one waits for others to be sent with it
        interval: Time => it.interval;
        /// How many may wait in memory: without a folder until they are sent, with one until they are written. One more is
        /// refused
        queue: Count<usize, 1> => it.queue;
        /// How many bytes those may have
        queue_bytes: Size<usize> => it.queue_bytes;
        /// How long the end waits for those that are not sent yet
        flush_limit: Time => it.flush_limit;
        /// How long Flagr is left alone after a failure; it doubles from failure to failure
        retry_base: Time => it.retry_base;
        /// What that grows to
        retry_max: Time => it.retry_max;
    }
}

impl Exposures {
    /// Where they are kept, if in a folder: the one that was named, or one in the archive's.
    pub(crate) fn folder(&self, archive: Option<PathBuf>) -> Option<PathBuf> {
        match &self.spool {
            Some(off) if off.as_os_str() == "off" => None,
            Some(folder) => Some(folder.clone()),
            None => archive.map(|it| it.join("exposures")),
        }
    }
}

impl Memory {
    /// The limits that were asked for.
    pub(crate) fn config(&self) -> Option<CacheConfig> {
        let mut config = CacheConfig::with_budget(self.budget?).with_default_ttl(self.ttl);
        config.counters = self.counters.unwrap_or(config.counters);
        config.buffer_items = self.buffer_items;
        Some(config)
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
        config.extra_roots = self.extra_roots.clone().map(|it| it.bytes).unwrap_or_default();
        config.check().map_err(|error| {
            let path = match error.field() {
                "host" | "password" | "tls" | "url" => "redis.url".to_owned(),
                field => format!("redis.{field}"),
            };
            origins.wrong(&[&path], with_causes(&error))
        })?;
        Ok(Some(config))
    }
}
