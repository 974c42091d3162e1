//! What `vexilla serve` shares with others, and what it keeps of Flagr's answers.

use vexilla::{ClientBuilder, RedisConfig};

use crate::args::{PrivateUrl, SharingArgs};
use crate::config::Environment;
use crate::error::CommandError;

/// Sets on the builder what was asked for.
pub(crate) fn apply(
    args: &SharingArgs,
    environment: &Environment,
    mut builder: ClientBuilder,
) -> Result<ClientBuilder, CommandError> {
    if args.no_remote_cache {
        builder = builder.no_remote_cache();
    }
    match &args.redis {
        None => Ok(builder),
        Some(url) => Ok(builder.redis(redis(url, &args.redis_prefix, environment)?)),
    }
}

/// What the address says goes before the environment.
fn redis(
    url: &PrivateUrl,
    prefix: &str,
    environment: &Environment,
) -> Result<RedisConfig, CommandError> {
    let config = RedisConfig::from_url(&url.0);
    let mut config = config.map_err(|error| CommandError::Redis(Box::new(error)))?;
    config.password = config.password.or_else(|| environment.redis_password.clone());
    prefix.clone_into(&mut config.key_prefix);
    Ok(config)
}
