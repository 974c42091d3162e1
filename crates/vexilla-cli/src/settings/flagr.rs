//! Settings of the source: a Flagr, or a file.

use vexilla::{
    Auth, ClientCertificate, FlagFilter, FlagrConfig, HttpProxy, Secret, SharedAuth,
    SharedCertificates, TagsOperator,
};
use vexilla_domain::with_causes;
use vexilla_flagr::{ConfigError, ExportFilter, FlagrSource};

use super::found::{Origins, Wrong};
use super::kind::{
    Address, Content, Count, Hidden, Maybe, Named, OneOf, Place, SecretHeader, Size, Switch, Text,
    Time, Words,
};
use super::table::{Section as _, section};

section! {
    /// A file instead of a Flagr
    struct Source for it: () {
        /// Take flags from a file: Flagr's eval-cache export, or its REST list. It is read again when it changes
        file: Maybe<Place> = None, [flag: Some("flags"), value: Some("FILE"), common: true];
    }
}

section! {
    /// The Flagr that flags come from: where it is, who asks, and the limits of each request
    struct Flagr for it: FlagrConfig {
        /// Take flags from the Flagr at this address, `http://localhost:18000`, with its web prefix if it has one
        url: Maybe<Address> = None, [flag: Some("flagr"), value: Some("URL"), common: true];
        /// The token for Flagr's JWT gate, sent as `Authorization: Bearer …`
        token: Hidden = None, [alias: Some("VEXILLA_FLAGR_TOKEN"), live: true];
        /// The user for Flagr's Basic gate
        user: Maybe<Text> = None, [alias: Some("VEXILLA_FLAGR_USER"), live: true];
        /// The password for Flagr's Basic gate
        password: Hidden = None, [alias: Some("VEXILLA_FLAGR_PASSWORD"), live: true];
        /// A header for a gate of your own, instead of a token or a password
        header: SecretHeader = None, [live: true];
        /// How long connecting may take
        connect_timeout: Time => it.connect_timeout;
        /// How long a small call may take in all: the change probe, health
        timeout: Time => it.timeout;
        /// How long a bulk read, the export, may go without a byte
        bulk_idle_timeout: Time => it.bulk_idle_timeout;
        /// How long a bulk read may take in all, with all attempts
        bulk_timeout: Time => it.bulk_timeout;
        /// How long Flagr may take to evaluate
        evaluation_timeout: Time => it.evaluation_timeout;
        /// The largest small answer, after decompression
        max_answer_bytes: Size<usize> => it.max_answer_bytes;
        /// The largest export, after decompression
        max_export_bytes: Size<usize> => it.max_export_bytes;
        /// The largest answer to an evaluation or a batch, after decompression
        max_evaluation_bytes: Size<usize> => it.max_evaluation_bytes;
        /// How many evaluations, entities times flags, one batch request may ask for; more become several requests
        max_batch_evaluations: Count<usize, 1> => it.max_batch_evaluations;
        /// How far Flagr's export may be behind its database: its `FLAGR_EVALCACHE_REFRESHINTERVAL`, and the time that it
        /// needs to load its flags
        export_lag: Time => it.export_lag;
        /// How often a read is sent again when Flagr gave no answer, or a 408, 429 or 5xx
        retries: Count<u32> => it.retries;
        /// The longest pause before a read is sent again; it doubles with each attempt, and a random part of it is waited
        retry_base: Time => it.retry_base;
        /// What that pause may grow to
        retry_max: Time => it.retry_max;
        /// The longest pause that Flagr may ask for with `Retry-After`
        retry_after_max: Time => it.retry_after_max;
        /// A file of certificates in PEM that are trusted beside those of the system
        extra_roots: Maybe<Content> = None, [live: true];
        /// A file with our certificate in PEM, for a server that asks for it when the connection is made
        client_certificate: Maybe<Content> = None, [live: true];
        /// A file with the private key of that certificate in PEM
        client_key: Maybe<Content> = None, [live: true];
        /// The proxy that all requests go through. `HTTP_PROXY` and the like are not looked at
        proxy_url: Maybe<Address> = None;
        /// Who we are to the proxy
        proxy_user: Maybe<Text> = None;
        /// The password for the proxy
        proxy_password: Hidden = None;
        /// Ask Flagr for enabled flags only. What it leaves out is unknown here, not filtered: see `filter`
        export_only_enabled: Switch = false;
        /// Ask Flagr for flags with these tags only
        export_tags: Words = Vec::new();
        /// Whether one of those tags is enough, or all must be there
        export_tags_operator: OneOf<TagsOperator> = TagsOperator::Any;
    }
}

/// Credentials and certificates, which may be replaced while Flagr is asked. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    auth: SharedAuth,
    certificates: SharedCertificates,
}

impl Access {
    /// Has Flagr asked with these.
    pub(crate) fn apply(&self, config: &mut FlagrConfig) {
        config.auth = Auth::Shared(self.auth.clone());
        config.certificates = Some(self.certificates.clone());
    }

    /// Whether the others can be taken over.
    pub(crate) fn can_become(&self, others: &Self, origins: &Origins) -> Result<(), Wrong> {
        let checked = self.certificates.can_become(&others.certificates);
        checked.map_err(|error| Flagr::refused(&error, origins))
    }

    /// Takes over the others, from the next request and the next connection on. Where they cannot be, all stays.
    pub(crate) fn replace(&self, others: &Self, origins: &Origins) -> Result<(), Wrong> {
        let replaced = self.certificates.replace(&others.certificates);
        replaced.map_err(|error| Flagr::refused(&error, origins))?;
        self.auth.replace(&others.auth);
        Ok(())
    }
}

impl Named for TagsOperator {
    const NAMES: &'static [(&'static str, Self)] = &[("any", Self::Any), ("all", Self::All)];
}

impl Flagr {
    /// This Flagr, or another one that is reached in the same way.
    pub(crate) fn config(&self, url: &str, origins: &Origins) -> Result<FlagrConfig, Wrong> {
        let mut config = FlagrConfig::new(url);
        self.apply(&mut config);
        self.access(origins)?.apply(&mut config);
        config.proxy = self.proxy(origins)?;
        if self.export_only_enabled || !self.export_tags.is_empty() {
            let filter = config.export_filter.insert(ExportFilter::default());
            filter.enabled_only = self.export_only_enabled;
            filter.tags.clone_from(&self.export_tags);
            filter.tags_operator = self.export_tags_operator;
        }
        Ok(config)
    }

    /// Refuses what cannot work, also with a filter that Flagr is asked to apply.
    pub(crate) fn check(&self, filter: &FlagFilter, origins: &Origins) -> Result<(), Wrong> {
        let mut config = self.config(self.url.as_deref().unwrap_or_default(), origins)?;
        if self.url.is_none() {
            return Ok(());
        }
        if let (None, Some((_, tags, _))) = (&config.export_filter, filter.for_source()) {
            let asked = config.export_filter.insert(ExportFilter::default());
            asked.tags = tags.into_iter().map(String::from).collect();
        }
        FlagrSource::new(config).map(drop).map_err(|error| Self::refused(&error, origins))
    }

    /// Which setting is at fault where the configuration of these settings was refused, and why.
    pub(crate) fn refused(error: &ConfigError, origins: &Origins) -> Wrong {
        let whole = with_causes(error);
        let bare = whole.strip_prefix(&format!("{}: ", error.field()));
        let reason = bare.unwrap_or(&whole).to_owned();
        match error.field() {
            "auth" => origins.wrong(&["flagr.token", "flagr.user", "flagr.header"], reason),
            "client_certificate.key" => origins.wrong(&["flagr.client_key"], reason),
            "proxy" => origins.wrong(&["flagr.proxy_url"], reason),
            "proxy.user" => origins.wrong(&["flagr.proxy_user"], reason),
            "export_filter" => {
                origins.wrong(&["flagr.export_tags", "filter.tags", "filter.service"], reason)
            }
            field => origins.wrong(&[&format!("flagr.{field}")], reason),
        }
    }

    /// Who we are to Flagr, and whom we trust.
    pub(crate) fn access(&self, origins: &Origins) -> Result<Access, Wrong> {
        Ok(Access { auth: self.auth(origins)?, certificates: self.certificates(origins)? })
    }

    fn auth(&self, origins: &Origins) -> Result<SharedAuth, Wrong> {
        let auth = match (&self.token, &self.user, &self.password, &self.header) {
            (None, None, None, None) => Auth::None,
            (Some(token), None, None, None) => Auth::Bearer(token.clone()),
            (None, Some(user), Some(password), None) => {
                Auth::Basic { user: user.clone(), password: password.clone() }
            }
            (None, None, None, Some(SecretHeader { name, value })) => {
                Auth::Header { name: name.clone(), value: value.clone() }
            }
            (.., Some(_)) => {
                let reason = "is set beside a token, a user or a password: name one of them";
                return Err(wrong(origins, "header", reason));
            }
            (Some(_), ..) => {
                let reason = "is set beside a user or a password: name one of both";
                return Err(wrong(origins, "token", reason));
            }
            (None, Some(_), None, None) => return Err(alone(origins, "user", "password")),
            (None, None, Some(_), None) => return Err(alone(origins, "password", "user")),
        };
        SharedAuth::new(auth).map_err(|error| Self::refused(&error, origins))
    }

    /// Whom we trust, and who we are when a connection is made.
    fn certificates(&self, origins: &Origins) -> Result<SharedCertificates, Wrong> {
        let identity = match (&self.client_certificate, &self.client_key) {
            (None, None) => None,
            (Some(_), None) => return Err(alone(origins, "client_certificate", "client_key")),
            (None, Some(_)) => return Err(alone(origins, "client_key", "client_certificate")),
            (Some(certificate), Some(key)) => {
                let key = String::from_utf8(key.bytes.clone())
                    .map_err(|_| wrong(origins, "client_key", "is no key in PEM"))?;
                Some(ClientCertificate::new(certificate.bytes.clone(), Secret::new(key)))
            }
        };
        let roots = self.extra_roots.as_ref().map_or(&[][..], |it| &it.bytes);
        SharedCertificates::new(roots, identity).map_err(|error| Self::refused(&error, origins))
    }

    fn proxy(&self, origins: &Origins) -> Result<Option<HttpProxy>, Wrong> {
        let login = match (&self.proxy_user, &self.proxy_password) {
            (None, None) => None,
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => return Err(alone(origins, "proxy_user", "proxy_password")),
            (None, Some(_)) => return Err(alone(origins, "proxy_password", "proxy_user")),
        };
        let proxy = self.proxy_url.as_deref().map(HttpProxy::new);
        match (proxy, login) {
            (None, Some(_)) => Err(alone(origins, "proxy_user", "proxy_url")),
            (proxy, None) => Ok(proxy),
            (Some(proxy), Some((user, password))) => {
                Ok(Some(proxy.with_login(user.clone(), password.clone())))
            }
        }
    }
}

fn wrong(origins: &Origins, key: &str, reason: &str) -> Wrong {
    let path = format!("flagr.{key}");
    Wrong::new(&origins.of_setting(&path), &path, reason)
}

fn alone(origins: &Origins, key: &str, missing: &str) -> Wrong {
    wrong(origins, key, &format!("is set without `flagr.{missing}`"))
}
