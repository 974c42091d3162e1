//! What `vexilla serve` shares with others, and what it keeps of Flagr's answers.

use vexilla::{CachedRemoteConfig, ClientBuilder};

use crate::error::CommandError;
use crate::settings::{Section as _, Settings};

/// Sets on the builder what was asked for.
pub(crate) fn apply(
    settings: &Settings,
    mut builder: ClientBuilder,
) -> Result<ClientBuilder, CommandError> {
    let mut cache = CachedRemoteConfig::default();
    settings.remote_cache.apply(&mut cache);
    builder = if settings.remote_cache.enabled {
        builder.remote_cache(cache)
    } else {
        builder.no_remote_cache()
    };
    if let Some(budget) = settings.memory.config() {
        builder = builder.memory_budget_with(budget);
    }
    if let Some(redis) = settings.redis.config(&settings.origins)? {
        builder = builder.redis(redis);
    }
    Ok(builder)
}
