//! How much a bounded cache may hold, and for how long.

use std::time::Duration;

/// The limits of a [`BoundedCache`](crate::BoundedCache). Start from [`with_budget`](Self::with_budget).
///
/// The members are those of Ristretto, which the reference design configures with 1 GiB, 10,000,000 counters, 64 buffer
/// items and 5 minutes. The default here is a sixteenth of that budget with counters in about the same proportion, since
/// it lives inside somebody else's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheConfig {
    /// How many bytes the entries may take, by their measured cost: from 1 to `i64::MAX`. On top come the counters, and
    /// some 200 KB for the first places in stretto's maps. Those matter where the budget is less than a few megabytes.
    pub max_cost: u64,
    /// Of how many keys the frequency is estimated, at some four bytes each. Ten times the entries that fit is good;
    /// too few let rare keys displace frequent ones. What is no power of two takes the memory of the next one. From 1 to
    /// 2³².
    pub counters: usize,
    /// How many reads are gathered before they count for a key's frequency: from 1 to 65,536.
    pub buffer_items: usize,
    /// How long an entry is good for when its insertion does not say; `None` for ever. Not zero.
    pub default_ttl: Option<Duration>,
}

impl CacheConfig {
    /// Bytes for each counter, as in the reference design: 1 GiB to 10,000,000.
    const BYTES_PER_COUNTER: u64 = 107;
    const MIN_COUNTERS: u64 = 1_000;
    const MAX_COUNTERS: u64 = 1 << 32;
    const MAX_BUFFER_ITEMS: usize = 1 << 16;

    /// The default configuration for a budget of so many bytes.
    pub fn with_budget(max_cost: u64) -> Self {
        let counters = max_cost / Self::BYTES_PER_COUNTER;
        let counters = counters.clamp(Self::MIN_COUNTERS, Self::MAX_COUNTERS);
        // Stretto takes the next power of two, and touches all of it at once: up to twice of what was meant.
        let counters = 1_u64 << counters.ilog2();
        Self {
            max_cost,
            counters: usize::try_from(counters).unwrap_or(usize::MAX),
            buffer_items: 64,
            default_ttl: Some(Duration::from_secs(5 * 60)),
        }
    }

    /// Replaces how long an entry is good for.
    #[must_use]
    pub fn with_default_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.default_ttl = ttl;
        self
    }

    /// Refuses what cannot work, as a cache that is made of it does.
    ///
    /// # Errors
    ///
    /// The first limit that is out of bounds.
    pub fn check(&self) -> Result<(), CacheConfigError> {
        self.checked().map(|_| ())
    }

    /// The budget as stretto counts it.
    pub(crate) fn checked(&self) -> Result<i64, CacheConfigError> {
        let counters = u64::try_from(self.counters).unwrap_or(u64::MAX);
        if !(1..=Self::MAX_COUNTERS).contains(&counters) {
            return Err(CacheConfigError::Counters);
        }
        if !(1..=Self::MAX_BUFFER_ITEMS).contains(&self.buffer_items) {
            return Err(CacheConfigError::BufferItems);
        }
        if self.default_ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Err(CacheConfigError::DefaultTtl);
        }
        match i64::try_from(self.max_cost) {
            Ok(max_cost) if 0 < max_cost => Ok(max_cost),
            _ => Err(CacheConfigError::MaxCost),
        }
    }
}

/// A budget of 64 MiB.
impl Default for CacheConfig {
    fn default() -> Self {
        Self::with_budget(64 << 20)
    }
}

/// Which member of a configuration is out of bounds. More may come: match with a catch-all arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CacheConfigError {
    /// [`CacheConfig::max_cost`].
    #[error("`max_cost` must be at least one byte, and no more than {} bytes", i64::MAX)]
    MaxCost,
    /// [`CacheConfig::counters`].
    #[error("`counters` must be from 1 to {}", CacheConfig::MAX_COUNTERS)]
    Counters,
    /// [`CacheConfig::buffer_items`].
    #[error("`buffer_items` must be from 1 to {}", CacheConfig::MAX_BUFFER_ITEMS)]
    BufferItems,
    /// [`CacheConfig::default_ttl`].
    #[error("`default_ttl` must be longer than nothing")]
    DefaultTtl,
    /// `CachedRemoteConfig::ttl`.
    #[error("`ttl` must be longer than nothing")]
    Ttl,
    /// `CachedRemoteConfig::refresh_ahead`.
    #[error("`refresh_ahead` must be shorter than `ttl`")]
    RefreshAhead,
}
