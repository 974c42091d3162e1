//! One flag, for hot loops.

use std::sync::atomic::{AtomicU64, Ordering};

use vexilla_domain::{Context, Evaluation, EvaluationRef, Reason, Value};

use crate::client::Client;
use crate::error::Undecided;
use crate::published::Published;

/// A flag by its key, which is looked up once for each publication of the rules. Got from [`Client::flag`].
#[derive(Debug)]
pub struct FlagHandle {
    client: Client,
    key: Box<str>,
    /// Which publication the flag was looked up in and its place there. A place of [`ABSENT`] means that there is no such
    /// flag. All zero before the first look-up.
    found: AtomicU64,
}

const ABSENT: u32 = u32::MAX;

impl FlagHandle {
    pub(crate) fn new(client: Client, key: &str) -> Self {
        Self { client, key: key.into(), found: AtomicU64::new(0) }
    }

    /// The flag's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Evaluates the flag and lends the result. Allocates nothing, never waits.
    #[inline]
    pub fn evaluate_with<R>(&self, ctx: &Context, f: impl FnOnce(EvaluationRef<'_>) -> R) -> R {
        let published = self.client.shared().cell.load();
        let flag = published.ruleset.at(self.position(&published));
        self.client.decide_with(&published, flag, &self.key, ctx, Reason::NeedsRemote, f)
    }

    /// Evaluates the flag. Never waits.
    pub fn evaluate(&self, ctx: &Context) -> Evaluation {
        self.evaluate_with(ctx, |it| it.to_owned())
    }

    /// Whether the flag is on: its value as a boolean, or the default. Allocates nothing, never waits.
    #[inline]
    pub fn bool(&self, ctx: &Context, default: bool) -> bool {
        self.evaluate_with(ctx, |it| it.bool()).unwrap_or(default)
    }

    /// Whether the flag is on; where nothing can decide, [`Config::fallback`](crate::Config::fallback) says so.
    /// Allocates nothing, never waits.
    ///
    /// # Errors
    ///
    /// As for [`Client::try_evaluate`](crate::Client::try_evaluate).
    pub fn is_enabled(&self, ctx: &Context) -> Result<bool, Undecided> {
        let (value, reason) = self.evaluate_with(ctx, |it| (it.bool(), it.reason));
        self.client.enabled_or_fallback(&self.key, value, reason)
    }

    /// The flag as an integer, or the default. Allocates nothing, never waits.
    pub fn int(&self, ctx: &Context, default: i64) -> i64 {
        self.evaluate_with(ctx, |it| it.int()).unwrap_or(default)
    }

    /// The flag as a float, or the default. Allocates nothing, never waits.
    pub fn float(&self, ctx: &Context, default: f64) -> f64 {
        self.evaluate_with(ctx, |it| it.float()).unwrap_or(default)
    }

    /// The flag as a text, or the default. Never waits.
    pub fn string(&self, ctx: &Context, default: &str) -> String {
        self.evaluate_with(ctx, |it| it.string()).unwrap_or_else(|| default.to_owned())
    }

    /// The flag as JSON, or the default. Never waits.
    pub fn json(&self, ctx: &Context, default: Value) -> Value {
        self.evaluate_with(ctx, |it| it.json()).unwrap_or(default)
    }

    /// Where the flag is in these rules.
    #[inline]
    fn position(&self, published: &Published) -> u32 {
        let found = self.found.load(Ordering::Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let (seen, position) = ((found >> 32) as u32, found as u32);
        if seen == published.generation && found != 0 {
            return position;
        }
        let position = published.ruleset.position(&self.key).unwrap_or(ABSENT);
        self.found
            .store(u64::from(published.generation) << 32 | u64::from(position), Ordering::Relaxed);
        position
    }
}

impl Clone for FlagHandle {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), &self.key)
    }
}
