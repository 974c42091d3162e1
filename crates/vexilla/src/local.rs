//! Evaluating without ever waiting.

use vexilla_domain::{Context, Detail, Evaluation, EvaluationRef, Reason, Value};

use crate::client::Client;
use crate::error::Undecided;

/// A client's calls, without `await`: never any I/O. A flag that is Flagr's to decide is decided as in an outage, and says
/// so by its source. Got from [`Client::local`].
#[derive(Debug, Clone, Copy)]
pub struct Local<'c> {
    pub(crate) client: &'c Client,
}

impl Local<'_> {
    /// Evaluates a flag.
    pub fn evaluate(&self, key: &str, ctx: &Context) -> Evaluation {
        self.evaluate_with(key, ctx, |it| it.to_owned())
    }

    /// Evaluates a flag and lends the result. Allocates nothing.
    #[inline]
    pub fn evaluate_with<R>(
        &self,
        key: &str,
        ctx: &Context,
        f: impl FnOnce(EvaluationRef<'_>) -> R,
    ) -> R {
        self.client.decide(key, ctx, Reason::NeedsRemote, f)
    }

    /// Evaluates several flags for the same context, all by the same rules.
    pub fn evaluate_many<K: AsRef<str>>(&self, keys: &[K], ctx: &Context) -> Vec<Evaluation> {
        self.client.decide_many(keys, ctx)
    }

    /// Whether the flag is on; where nothing can decide, [`Config::fallback`](crate::Config::fallback) says so.
    ///
    /// # Errors
    ///
    /// As for [`Client::try_evaluate`](crate::Client::try_evaluate).
    pub fn is_enabled(&self, key: &str, ctx: &Context) -> Result<bool, Undecided> {
        let (value, reason) = self.evaluate_with(key, ctx, |it| (it.bool(), it.reason));
        self.client.enabled_or_fallback(key, value, reason)
    }

    /// The flag as a boolean, or the default. Allocates nothing.
    #[inline]
    pub fn bool(&self, key: &str, ctx: &Context, default: bool) -> bool {
        self.evaluate_with(key, ctx, |it| it.bool()).unwrap_or(default)
    }

    /// The flag as an integer, or the default. Allocates nothing.
    pub fn int(&self, key: &str, ctx: &Context, default: i64) -> i64 {
        self.evaluate_with(key, ctx, |it| it.int()).unwrap_or(default)
    }

    /// The flag as a float, or the default. Allocates nothing.
    pub fn float(&self, key: &str, ctx: &Context, default: f64) -> f64 {
        self.evaluate_with(key, ctx, |it| it.float()).unwrap_or(default)
    }

    /// The flag as a text, or the default.
    pub fn string(&self, key: &str, ctx: &Context, default: &str) -> String {
        self.evaluate_with(key, ctx, |it| it.string()).unwrap_or_else(|| default.to_owned())
    }

    /// The flag as JSON, or the default.
    pub fn json(&self, key: &str, ctx: &Context, default: Value) -> Value {
        self.evaluate_with(key, ctx, |it| it.json()).unwrap_or(default)
    }

    /// [`bool`](Self::bool) with how it came about.
    pub fn bool_detail(&self, key: &str, ctx: &Context, default: bool) -> Detail<bool> {
        self.evaluate_with(key, ctx, |it| it.detail(it.bool(), default))
    }

    /// [`int`](Self::int) with how it came about.
    pub fn int_detail(&self, key: &str, ctx: &Context, default: i64) -> Detail<i64> {
        self.evaluate_with(key, ctx, |it| it.detail(it.int(), default))
    }

    /// [`float`](Self::float) with how it came about.
    pub fn float_detail(&self, key: &str, ctx: &Context, default: f64) -> Detail<f64> {
        self.evaluate_with(key, ctx, |it| it.detail(it.float(), default))
    }

    /// [`string`](Self::string) with how it came about.
    pub fn string_detail(&self, key: &str, ctx: &Context, default: &str) -> Detail<String> {
        self.evaluate_with(key, ctx, |it| it.detail(it.string(), default.to_owned()))
    }

    /// [`json`](Self::json) with how it came about.
    pub fn json_detail(&self, key: &str, ctx: &Context, default: Value) -> Detail<Value> {
        self.evaluate_with(key, ctx, |it| it.detail(it.json(), default))
    }
}
