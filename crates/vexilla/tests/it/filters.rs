//! Which flags a client keeps, and what becomes of the others.

use std::time::Duration;

use vexilla::{ActiveHours, Client, Config, Context, FlagFilter, Reason, TagsOperator};
use vexilla_domain::Strictness;

use crate::refresh::settle;
use crate::scripted::{Answer, Scripted, flag};

fn tagged(id: u64, key: &str, tag: &str) -> String {
    let tags = format!(r#""Tags":[{{"ID":{id},"Value":"{tag}"}}],"ID""#);
    flag(id, key, "").replacen("\"ID\"", &tags, 1)
}

fn reason(client: &Client, key: &str) -> Reason {
    client.local().evaluate(key, &Context::new("u")).reason
}

#[tokio::test]
async fn filtered_disabled_and_unknown_stay_different() {
    let source = Scripted::new(Strictness::AsStored);
    let disabled = tagged(3, "c", "pay").replace("\"Enabled\":true", "\"Enabled\":false");
    source.then_flags(&[&tagged(1, "a", "pay"), &tagged(2, "b", "web"), &disabled]);
    let mut config = Config::default();
    config.filter = FlagFilter::default().with_service_tag("pay", true);
    let client = source.client(config).await;
    assert_eq!(reason(&client, "a"), Reason::Static);
    assert_eq!((reason(&client, "b"), reason(&client, "2")), (Reason::Filtered, Reason::Filtered));
    assert_eq!(reason(&client, "c"), Reason::Disabled);
    assert_eq!(reason(&client, "d"), Reason::NotFound);
    assert!(client.bool("b", &Context::new("u"), true).await, "the caller's default");
    assert_eq!(client.evaluate("b", &Context::new("u")).await.reason, Reason::Filtered);

    let savings = client.stats().savings;
    assert_eq!((savings.total_flags, savings.cached_flags, savings.filtered_flags), (3, 2, 1));
    assert!((savings.percent_filtered - 100.0 / 3.0).abs() < 1e-9);
    assert!((300..1500).contains(&savings.bytes_saved), "{savings:?}");

    // The tag goes: so does the flag. Another gets it: so it is there.
    source.then_flags(&[&tagged(1, "a", "web"), &tagged(2, "b", "pay")]);
    client.refresh().await.unwrap();
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Filtered, Reason::Static));
    assert_eq!(reason(&client, "c"), Reason::NotFound);
}

#[tokio::test]
async fn a_filter_may_change_while_the_client_runs() {
    let source = Scripted::new(Strictness::AsStored);
    let flags = [&*tagged(1, "a", "pay"), &tagged(2, "b", "web")];
    source.then_flags(&flags);
    let client = source.client(Config::default()).await;
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Static, Reason::Static));

    source.then_flags(&flags);
    let pay = FlagFilter::default().with_service_tag("pay", true);
    client.set_filter(pay.clone()).await.unwrap();
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Static, Reason::Filtered));

    // In an outage the former flags stay; the next refresh is by the new filter.
    source.then(Answer::Fails);
    client.set_filter(FlagFilter::default()).await.unwrap_err();
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Static, Reason::Filtered));
    source.then_flags(&flags);
    client.refresh().await.unwrap();
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Static, Reason::Static));
}

#[tokio::test]
async fn nothing_is_saved_of_no_flags() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[]);
    let client = source.client(Config::default()).await;
    assert_eq!(client.stats().savings, vexilla::MemorySavings::default());
}

#[tokio::test(start_paused = true)]
async fn hours_come_and_go() {
    let source = Scripted::new(Strictness::AsStored);
    source.then_flags(&[&tagged(1, "a", "night"), &tagged(2, "b", "day")]);
    let mut config = Config::default();
    let hours = ActiveHours::between("00:00", "01:00").unwrap().for_tag("night");
    config.filter = FlagFilter::default().with_active_hours(hours);
    config.refresh_interval = Duration::from_secs(24 * 3600);
    config.full_refresh_interval = Duration::from_secs(24 * 3600);
    let client = source.client(config).await;
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Static, Reason::Static));
    let mut changes = client.subscribe();
    settle().await;
    source.advance(Duration::from_secs(3600));
    assert_eq!(changes.next().await.unwrap().removed, [Box::<str>::from("a")]);
    assert_eq!((reason(&client, "a"), reason(&client, "b")), (Reason::Filtered, Reason::Static));
    let document = vexilla_domain::json::read_flags(
        format!("[{},{}]", tagged(1, "a", "night"), tagged(2, "b", "day")).as_bytes(),
    );
    let flags = document.unwrap().flags;
    assert_eq!(flags.iter().map(|it| client.should_cache(it)).collect::<Vec<_>>(), [false, true]);
    source.then(Answer::Fails);
    client.refresh().await.unwrap_err();
    assert_eq!(reason(&client, "b"), Reason::Static);
}

#[tokio::test]
async fn the_builder_has_the_rules_that_most_need() {
    let source = Scripted::new(Strictness::AsStored);
    let off = tagged(3, "c", "pay").replace("\"Enabled\":true", "\"Enabled\":false");
    source.then_flags(&[&tagged(1, "a", "pay"), &tagged(2, "b", "web"), &off]);
    let client = Client::builder()
        .source(source)
        .only_enabled()
        .with_additional_tags(["pay", "x"], TagsOperator::Any)
        .start()
        .await
        .unwrap();
    let reasons = ["a", "b", "c"].map(|key| reason(&client, key));
    assert_eq!(reasons, [Reason::Static, Reason::Filtered, Reason::Filtered]);
}
