//! How long Flagr's answers are good for.

use std::time::Duration;

use crate::{CacheConfig, CacheConfigError};

/// The limits of a [`CachedRemote`](crate::CachedRemote).
///
/// Why 10 seconds: a change of a flag that is held here shows at once, by its snapshot id, so the time bounds only what
/// Flagr decides by other things than the flag, and flags that are not held here. Flagr itself evaluates by rules that
/// are up to three seconds old by its defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedRemoteConfig {
    /// How many bytes the answers and what was asked may take. Its `default_ttl` plays no part.
    pub cache: CacheConfig,
    /// How long an answer is given without asking Flagr again. Not zero. 10 s by default.
    pub ttl: Duration,
    /// An answer that is asked for when this much of `ttl` is left or less is asked for again meanwhile. Shorter than
    /// `ttl`; zero for never. 2 s by default.
    pub refresh_ahead: Duration,
    /// How much longer than `ttl` an answer is given while Flagr is away. 10 min by default.
    pub keep_stale: Duration,
    /// Whether answers for flags that record data are kept too. Flagr records nothing when it is not asked, so exposures
    /// get lost. `false` by default.
    pub cache_data_records: bool,
}

impl CachedRemoteConfig {
    /// Refuses what cannot work, as a cache that is made of it does.
    ///
    /// # Errors
    ///
    /// The first limit that is out of bounds.
    pub fn check(&self) -> Result<(), CacheConfigError> {
        self.cache.check()?;
        if self.ttl.is_zero() {
            return Err(CacheConfigError::Ttl);
        }
        if self.ttl <= self.refresh_ahead {
            return Err(CacheConfigError::RefreshAhead);
        }
        Ok(())
    }
}

impl Default for CachedRemoteConfig {
    fn default() -> Self {
        let mut cache = CacheConfig::default().with_default_ttl(None);
        // What is estimated takes memory from the first answer on; of more of them than this fit a cache is slow anyway.
        cache.counters = 1 << 17;
        Self {
            cache,
            ttl: Duration::from_secs(10),
            refresh_ahead: Duration::from_secs(2),
            keep_stale: Duration::from_secs(10 * 60),
            cache_data_records: false,
        }
    }
}
