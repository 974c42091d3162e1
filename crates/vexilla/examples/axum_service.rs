//! A web service on axum that decides flags for whoever asks.
//!
//! ```text
//! cargo run -p vexilla --features axum --example axum_service
//! curl -H 'X-User-ID: ana' http://127.0.0.1:3000/
//! ```

use std::error::Error;

use axum::Router;
use axum::routing::get;
use vexilla::middleware::{ContextConfig, SessionCookie};
use vexilla::{Client, RequestFlags};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop.json");
    let client = Client::builder().flags_file(flags).start().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, shop(&client)?).await?;
    Ok(())
}

/// The service. Its users are told apart by `X-User-ID`, else by a cookie that lasts as long as their session; their
/// country is what the gate in front says in `X-Country`.
pub(crate) fn shop(client: &Client) -> Result<Router, Box<dyn Error>> {
    let mut config = ContextConfig::default().with_header("x-country".parse()?)?;
    config.entity_type = String::from("customer");
    config.anonymous = Some(SessionCookie { name: "shop_session".to_owned(), secure: false });
    Ok(Router::new().route("/", get(home)).layer(client.layer(config)))
}

async fn home(RequestFlags { client, context }: RequestFlags) -> String {
    if !client.bool("payments-enabled", &context, false).await {
        return "The shop is closed.".to_owned();
    }
    let layout = client.evaluate("price-layout", &context).await;
    let columns = match layout.variant_key() {
        Some("compact") => 2,
        _ => 1,
    };
    let results = client.int("search-config", &context, 20).await;
    format!("{columns} columns, {results} results a page")
}
