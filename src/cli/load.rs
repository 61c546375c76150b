//! The configuration that a command works with.

use super::common::Common;
use super::logging;
use crate::config::{Config, ConfigError, Environment, Flags, KnownNames, Secrets};
use crate::stream::CATALOGUE;

/// Reads the configuration, and starts logging as it says.
pub(super) fn load(
    common: &Common,
    environment: &Environment,
    secrets: Secrets,
) -> Result<Config, ConfigError> {
    let config = read(common, environment, secrets)?;
    logging::start(common, &config.log);
    Ok(config)
}

/// Reads the configuration.
pub(super) fn read(
    common: &Common,
    environment: &Environment,
    secrets: Secrets,
) -> Result<Config, ConfigError> {
    let streams: Vec<&str> = CATALOGUE.iter().map(|stream| stream.name()).collect();
    let endpoints: Vec<&str> = CATALOGUE.iter().map(|stream| stream.endpoint().name).collect();
    let flags = Flags { file: common.config.as_deref(), set: &common.set, secrets };
    let known = KnownNames { streams: &streams, endpoints: &endpoints };
    Config::load(flags, environment, known)
}
