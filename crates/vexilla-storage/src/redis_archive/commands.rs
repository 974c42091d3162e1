//! What is asked of Redis, and how its answers are read.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisError, cmd};
use vexilla_domain::{Confirmation, Revision};

const SAVE: &str = include_str!("scripts/save.lua");
const LOAD: &str = include_str!("scripts/load.lua");
const CONFIRM: &str = include_str!("scripts/confirm.lua");
const LEASE: &str = include_str!("scripts/lease.lua");
const RELEASE: &str = include_str!("scripts/release.lua");

/// The names that we use in Redis, and what this instance calls itself.
#[derive(Debug)]
pub(super) struct Names {
    flags: String,
    lease: String,
    pub(super) channel: String,
    pub(super) token: String,
}

/// What became of a save.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Saved {
    Done,
    Superseded(String),
    Foreign,
}

/// What a load found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Foreign,
    TooLarge(Option<Revision>),
    Flags(Option<Revision>, Vec<u8>, Option<Confirmation>),
}

/// Who has the lease.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Holder {
    We,
    /// Somebody else, for so long.
    Other(Duration),
    Nobody,
}

impl Names {
    pub(super) fn new(prefix: &str, token: String) -> Self {
        Self {
            flags: format!("{prefix}flags"),
            lease: format!("{prefix}lease"),
            channel: format!("{prefix}events"),
            token,
        }
    }

    /// The key of the flags, for people.
    pub(super) fn flags(&self) -> &str {
        &self.flags
    }

    pub(super) async fn save(
        &self,
        connection: &mut MultiplexedConnection,
        confirmation: &Confirmation,
        sealed: &[u8],
    ) -> Result<Saved, RedisError> {
        let message = self.message("saved");
        let arguments: [&[u8]; 7] = [
            &digits(confirmation.revision.epoch),
            &digits(confirmation.revision.sequence),
            sealed,
            self.channel.as_bytes(),
            message.as_bytes(),
            &written(confirmation),
            &digits(Revision::MOST),
        ];
        let (status, epoch, sequence): (String, Vec<u8>, Vec<u8>) =
            run(SAVE, &self.flags, &arguments, connection).await?;
        Ok(match status.as_str() {
            "saved" => Saved::Done,
            "superseded" => Saved::Superseded(match revision_of(&epoch, &sequence) {
                Some(revision) => revision.to_string(),
                None => "of another kind".into(),
            }),
            _ => Saved::Foreign,
        })
    }

    pub(super) async fn load(
        &self,
        connection: &mut MultiplexedConnection,
        most: usize,
    ) -> Result<Found, RedisError> {
        let most = most.to_string();
        let (status, epoch, sequence, sealed, confirmed): (
            String,
            Vec<u8>,
            Vec<u8>,
            Vec<u8>,
            Vec<u8>,
        ) = run(LOAD, &self.flags, &[most.as_bytes()], connection).await?;
        let revision = revision_of(&epoch, &sequence);
        Ok(match status.as_str() {
            "none" => Found::Nothing,
            "long" => Found::TooLarge(revision),
            "found" => Found::Flags(revision, sealed, confirmation_in(&confirmed)),
            _ => Found::Foreign,
        })
    }

    /// Notes when these flags were confirmed, and says whether they are there.
    pub(super) async fn confirm(
        &self,
        connection: &mut MultiplexedConnection,
        confirmation: &Confirmation,
    ) -> Result<bool, RedisError> {
        let Revision { epoch, sequence } = confirmation.revision;
        let arguments: [&[u8]; 3] = [&digits(epoch), &digits(sequence), &written(confirmation)];
        run(CONFIRM, &self.flags, &arguments, connection).await
    }

    /// The revision that is there now, and when it was confirmed. A version of Vexilla that knows of no confirmations saves
    /// without one, and leaves that of other flags.
    pub(super) async fn held(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(Option<Revision>, Option<Confirmation>), RedisError> {
        let [epoch, sequence, confirmed]: [Option<Vec<u8>>; 3] = cmd("HMGET")
            .arg(&self.flags)
            .arg(&["epoch", "sequence", "confirmed"])
            .query_async(connection)
            .await?;
        let revision =
            epoch.zip(sequence).and_then(|(epoch, sequence)| revision_of(&epoch, &sequence));
        let confirmation = confirmed.and_then(|it| confirmation_in(&it));
        Ok((revision, confirmation.filter(|it| Some(it.revision) == revision)))
    }

    /// The revision that is there now.
    pub(super) async fn head(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Option<Revision>, RedisError> {
        let (epoch, sequence): (Option<Vec<u8>>, Option<Vec<u8>>) = cmd("HMGET")
            .arg(&self.flags)
            .arg(&["epoch", "sequence"])
            .query_async(connection)
            .await?;
        Ok(epoch.zip(sequence).and_then(|(epoch, sequence)| revision_of(&epoch, &sequence)))
    }

    pub(super) async fn lease(
        &self,
        connection: &mut MultiplexedConnection,
        lease: Duration,
    ) -> Result<Holder, RedisError> {
        let milliseconds = lease.as_millis().to_string();
        let arguments = [self.token.as_bytes(), milliseconds.as_bytes()];
        let (ours, left): (bool, u64) = run(LEASE, &self.lease, &arguments, connection).await?;
        Ok(if ours { Holder::We } else { Holder::Other(Duration::from_millis(left)) })
    }

    /// Who has the lease, without taking it.
    pub(super) async fn holder(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Holder, RedisError> {
        let left: i64 = cmd("PTTL").arg(&self.lease).query_async(connection).await?;
        Ok(match u64::try_from(left) {
            Ok(left) => Holder::Other(Duration::from_millis(left)),
            Err(_) => Holder::Nobody,
        })
    }

    pub(super) async fn release(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), RedisError> {
        let message = self.message("released");
        let arguments = [self.token.as_bytes(), self.channel.as_bytes(), message.as_bytes()];
        run::<i64>(RELEASE, &self.lease, &arguments, connection).await.map(drop)
    }

    /// Ends with who sent it, which does not read it then.
    fn message(&self, what: &str) -> String {
        format!("{what} by {}", self.token)
    }
}

/// The scripts are short, so they are sent each time: a Redis that was restarted has forgotten them.
async fn run<T: FromRedisValue>(
    script: &str,
    key: &str,
    arguments: &[&[u8]],
    connection: &mut MultiplexedConnection,
) -> Result<T, RedisError> {
    cmd("EVAL").arg(script).arg(1).arg(key).arg(arguments).query_async(connection).await
}

/// As many digits as the largest number has: texts then compare as numbers do. Lua's own numbers are too small.
fn digits(number: u64) -> Vec<u8> {
    format!("{number:020}").into_bytes()
}

fn revision_of(epoch: &[u8], sequence: &[u8]) -> Option<Revision> {
    let number = |digits: &[u8]| str::from_utf8(digits).ok()?.parse().ok();
    let revision = Revision { epoch: number(epoch)?, sequence: number(sequence)? };
    revision.is_possible().then_some(revision)
}

/// Epoch, sequence, content and time: a confirmation names the flags that it speaks of.
fn written(confirmation: &Confirmation) -> Vec<u8> {
    let Confirmation { revision: Revision { epoch, sequence }, content, refreshed_at_ms } =
        confirmation;
    format!("{epoch} {sequence} {content} {refreshed_at_ms}").into_bytes()
}

fn confirmation_in(text: &[u8]) -> Option<Confirmation> {
    let mut words = str::from_utf8(text).ok()?.split(' ');
    let mut number = || words.next()?.parse().ok();
    let confirmation = Confirmation {
        revision: Revision { epoch: number()?, sequence: number()? },
        content: number()?,
        refreshed_at_ms: number()?,
    };
    words.next().is_none().then_some(confirmation)
}
