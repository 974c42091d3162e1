//! The same decisions by Unleash's own evaluator, `unleash-yggdrasil`.

use std::collections::HashMap;

use unleash_types::client_features::ClientFeatures;
pub use unleash_yggdrasil::{Context, EngineState};

/// Strategies that let everybody in: none.
pub const PLAIN: &str = "[]";

/// One strategy with two constraints, and no split.
pub const TWO_CONSTRAINTS: &str = r#"[{"name":"default","constraints":[
    {"contextName":"country","operator":"IN","values":["US"]},
    {"contextName":"tier","operator":"IN","values":["gold"]}]}]"#;

/// An engine with features `flag-0`, `flag-1`, … of these strategies.
pub fn engine(count: usize, strategies: &str) -> EngineState {
    let feature =
        |n: usize| format!(r#"{{"name":"flag-{n}","enabled":true,"strategies":{strategies}}}"#);
    let features: Vec<String> = (0..count).map(feature).collect();
    let document = format!(r#"{{"version":2,"features":[{}]}}"#, features.join(","));
    let features: ClientFeatures = serde_json::from_str(&document).unwrap();
    let engine = EngineState::default();
    assert!(engine.apply_client_features(features).is_none());
    engine
}

/// The same somebody as [`flags::context`](crate::flags::context).
pub fn context() -> Context {
    let properties =
        [("country", "US"), ("tier", "gold"), ("age", "30"), ("email", "ann@example.org")];
    let properties: HashMap<String, String> =
        properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Context {
        user_id: Some("user-2".to_owned()),
        session_id: None,
        environment: None,
        app_name: None,
        current_time: None,
        remote_address: None,
        properties: Some(properties),
    }
}
