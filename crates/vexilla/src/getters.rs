//! The typed calls of a client. One rule gives the value of all (`vexilla-domain/typed.rs`).

use vexilla_domain::{Context, Detail, Value};

use crate::client::Client;

impl Client {
    /// The flag as a boolean, or the default. The attachment's `value`, else its boolean `enabled`, else the variant's
    /// key; `on`, `true`, `enabled`, `yes`, `1` and their opposites count as booleans. Allocates nothing.
    pub async fn bool(&self, key: &str, ctx: &Context, default: bool) -> bool {
        self.evaluate_with(key, ctx, |it| it.bool()).await.unwrap_or(default)
    }

    /// The flag as an integer, or the default. The attachment's `value`, else the variant's key. Allocates nothing.
    pub async fn int(&self, key: &str, ctx: &Context, default: i64) -> i64 {
        self.evaluate_with(key, ctx, |it| it.int()).await.unwrap_or(default)
    }

    /// The flag as a float, or the default. The attachment's `value`, else the variant's key. Allocates nothing.
    pub async fn float(&self, key: &str, ctx: &Context, default: f64) -> f64 {
        self.evaluate_with(key, ctx, |it| it.float()).await.unwrap_or(default)
    }

    /// The flag as a text, or the default. The attachment's `value`, else the variant's key.
    pub async fn string(&self, key: &str, ctx: &Context, default: &str) -> String {
        self.evaluate_with(key, ctx, |it| it.string()).await.unwrap_or_else(|| default.to_owned())
    }

    /// The flag as JSON, or the default. The attachment's `value`, else the variant's key as a text.
    pub async fn json(&self, key: &str, ctx: &Context, default: Value) -> Value {
        self.evaluate_with(key, ctx, |it| it.json()).await.unwrap_or(default)
    }

    /// [`bool`](Self::bool) with how it came about.
    pub async fn bool_detail(&self, key: &str, ctx: &Context, default: bool) -> Detail<bool> {
        self.evaluate_with(key, ctx, |it| it.detail(it.bool(), default)).await
    }

    /// [`int`](Self::int) with how it came about.
    pub async fn int_detail(&self, key: &str, ctx: &Context, default: i64) -> Detail<i64> {
        self.evaluate_with(key, ctx, |it| it.detail(it.int(), default)).await
    }

    /// [`float`](Self::float) with how it came about.
    pub async fn float_detail(&self, key: &str, ctx: &Context, default: f64) -> Detail<f64> {
        self.evaluate_with(key, ctx, |it| it.detail(it.float(), default)).await
    }

    /// [`string`](Self::string) with how it came about.
    pub async fn string_detail(&self, key: &str, ctx: &Context, default: &str) -> Detail<String> {
        self.evaluate_with(key, ctx, |it| it.detail(it.string(), default.to_owned())).await
    }

    /// [`json`](Self::json) with how it came about.
    pub async fn json_detail(&self, key: &str, ctx: &Context, default: Value) -> Detail<Value> {
        self.evaluate_with(key, ctx, |it| it.detail(it.json(), default)).await
    }
}
