//! The example of a web service on axum, in process.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;
use vexilla::Client;

use crate::axum_service::shop;

/// What the service answers, and the cookie that it sets.
async fn home(client: &Client, header: Option<(&str, &str)>) -> (String, Option<String>) {
    let mut request = Request::get("/");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let request = request.body(Body::empty()).unwrap();
    let (head, body) = shop(client).unwrap().oneshot(request).await.unwrap().into_parts();
    assert_eq!(head.status, 200);
    let body = body.collect().await.unwrap().to_bytes();
    let cookie = head.headers.get("set-cookie").map(|it| it.to_str().unwrap().to_owned());
    (String::from_utf8(body.to_vec()).unwrap(), cookie)
}

#[tokio::test]
async fn the_example_decides_for_whoever_asks() {
    let flags = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop.json");
    let client = Client::builder().flags_file(flags).start().await.unwrap();
    let expected = |columns: u8| format!("{columns} columns, 50 results a page");
    for (user, columns) in [("ana", 1), ("ben", 2)] {
        let answered = home(&client, Some(("x-user-id", user))).await;
        assert_eq!(answered, (expected(columns), None), "{user}");
        let cookie = format!("user_id={user}");
        assert_eq!(home(&client, Some(("cookie", &cookie))).await.0, expected(columns), "{user}");
    }
    // Who is anonymous gets the same answer for as long as the session lasts.
    let (first, cookie) = home(&client, None).await;
    let cookie = cookie.unwrap();
    let (pair, _) = cookie.split_once(';').unwrap();
    for _ in 0..3 {
        assert_eq!(home(&client, Some(("cookie", pair))).await, (first.clone(), None));
    }
}
