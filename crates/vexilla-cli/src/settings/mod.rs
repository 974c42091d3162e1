//! All settings: one table, and three places that each may be given in.
//!
//! A setting is one line in one of the `section!`s below ([`table`]). Its key in the file, its variable, its flag, its
//! default and its entry in the reference follow from that line. What is given is gathered by path, first from the
//! [`file`], over it the [`variables`], over them the [`flags`]; the strongest of each path is [`found`] and read by its
//! [`kind`]. Each value keeps the place it comes from, so that an error and `--print-config` can name it.
//!
//! To add a setting, add its line to the `section!` of its part, and use the value where the part is used; a part of its
//! own is a `section!` and a line in `parts!` below. Then write `vexilla.example.toml` and `docs/configuration.md` anew
//! with `vexilla config-reference`: a test compares them.
//!
//! The file is read by `toml` with the places of its keys. Rejected: the crates `figment` and `config`, which merge for
//! us, but know a value's file and not its line, guess at the types of variables, and report an unknown key by itself.

mod check;
mod client;
mod file;
mod flagr;
pub(crate) mod flags;
mod found;
mod kind;
mod logs;
mod names;
pub(crate) mod otlp;
mod print;
mod raw;
pub(crate) mod reference;
mod servers;
mod storage;
mod table;
mod telemetry;
mod variables;

use std::collections::BTreeMap;
use std::path::PathBuf;

use vexilla::{
    AdminConfig, BreakerConfig, CachedRemoteConfig, Config, FlagrConfig, ForwardConfig,
    ListenerConfig, SidecarConfig, WebhookConfig,
};

pub(crate) use self::client::{Breaker, Evaluation, Filter, Refresh};
pub(crate) use self::flagr::{Access, Flagr, Source};
use self::found::Found;
pub(crate) use self::found::{Effective, Given, Origins, Wrong};
use self::logs::Log;
use self::names::Names;
pub(crate) use self::raw::Origin;
pub(crate) use self::servers::{Admin, Forward, Listener, Sidecar, Webhook, local};
pub(crate) use self::storage::{Archive, Exposures, Memory, Redis, RemoteCache};
pub(crate) use self::table::{Part, Section};
pub(crate) use self::telemetry::Telemetry;
pub(crate) use self::variables::{PREFIX, Variables};

/// Lists the parts: the field, its name in the file, and what its defaults are made of.
macro_rules! parts {
    ($($field:ident: $Section:ty = $name:literal, $config:expr;)+) => {
        /// The value of each setting.
        #[derive(Debug, Clone)]
        pub(crate) struct Settings {
            $(pub(crate) $field: $Section,)+
            /// Where each value comes from.
            pub(crate) origins: Origins,
        }

        /// All settings.
        pub(crate) fn parts() -> Vec<Part> {
            vec![$(Part {
                name: $name,
                doc: <$Section>::doc(),
                settings: <$Section>::defaults(&$config).settings($name),
            }),+]
        }

        impl Settings {
            fn of(mut found: Found) -> Result<(Self, Vec<Effective>), Wrong> {
                $(let $field = <$Section>::defaults(&$config).read($name, &mut found);)+
                match found.wrong {
                    Some(wrong) => Err(wrong),
                    None => {
                        let origins = Origins::of(&found.effective);
                        Ok((Self { $($field,)+ origins }, found.effective))
                    }
                }
            }
        }
    };
}

parts! {
    source: Source = "source", ();
    flagr: Flagr = "flagr", FlagrConfig::new("");
    refresh: Refresh = "refresh", Config::default();
    evaluation: Evaluation = "evaluation", Config::default();
    filter: Filter = "filter", ();
    breaker: Breaker = "breaker", BreakerConfig::default();
    archive: Archive = "archive", vexilla::DiskConfig::default();
    redis: Redis = "redis", vexilla::RedisConfig::default();
    remote_cache: RemoteCache = "remote_cache", CachedRemoteConfig::default();
    memory: Memory = "memory", ();
    exposures: Exposures = "exposures", vexilla::ExposureConfig::default();
    sidecar: Sidecar = "sidecar", SidecarConfig::default();
    sidecar_listener: Listener = "sidecar.listener", ListenerConfig::default();
    forward: Forward = "forward", ForwardConfig::new("");
    admin: Admin = "admin", AdminConfig::default();
    admin_listener: Listener = "admin.listener", AdminConfig::default().listener;
    webhook: Webhook = "webhook", WebhookConfig::default();
    webhook_listener: Listener = "webhook.listener", WebhookConfig::default().listener;
    telemetry: Telemetry = "telemetry", ();
    log: Log = "log", ();
}

impl Settings {
    /// How the client behaves.
    pub(crate) fn client(&self) -> Result<Config, Wrong> {
        let mut config = Config::default();
        self.refresh.apply(&mut config);
        self.evaluation.apply(&mut config);
        config.refresh_interval = self.refresh.interval.unwrap_or(config.refresh_interval);
        config.filter = self.filter.filter(&self.origins)?;
        self.exposures.apply(&mut config.exposures);
        config.flag_events = self.telemetry.flag_events;
        Ok(config)
    }
}

/// What is given from outside: the file's name, the environment's variables that begin with [`PREFIX`], the flags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outside {
    pub(crate) file: Option<(PathBuf, Origin)>,
    pub(crate) variables: Variables,
    pub(crate) flags: BTreeMap<String, Given>,
}

/// The settings with how each came about.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    pub(crate) effective: Vec<Effective>,
}

impl Outside {
    /// Puts together what is given. May be called again later: the file and those that it names are read anew.
    pub(crate) fn load(&self) -> Result<Loaded, Wrong> {
        let parts = parts();
        let names = Names::of(&parts);
        let mut found = Found::default();
        if let Some((path, origin)) = &self.file {
            found.add(file::read(path, origin, &names)?);
        }
        found.add(variables::read(&self.variables, &parts, &names)?);
        found.add(self.flags.clone());
        let (settings, effective) = Settings::of(found)?;
        Ok(Loaded { settings, effective })
    }
}

#[cfg(test)]
mod tests;
