//! Tags and what names them.

use http::header::{ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use vexilla_domain::Revision;

use super::{Tags, mark_compressed};

const REVISION: Revision = Revision { epoch: 2, sequence: 7 };

fn check(header: &str, expected: bool) {
    let tag = Tags::of_process(255).of(REVISION);
    let mut headers = HeaderMap::new();
    headers.insert(IF_NONE_MATCH, HeaderValue::from_str(header).unwrap());
    assert_eq!(tag.is_known_to(&headers), expected, "{header}");
}

#[test]
fn a_tag_is_found_in_any_form() {
    for header in [
        r#""2.7-00000000000000ff""#,
        r#"W/"2.7-00000000000000ff""#,
        r#""2.7-00000000000000ff-gzip""#,
        r#""x", W/"y" ,"2.7-00000000000000ff""#,
        "*",
        " * ",
    ] {
        check(header, true);
    }
    for header in [
        "",
        "\"",
        "W/",
        r#""2.7-00000000000000fe""#,
        r#""2.8-00000000000000ff""#,
        "2.7-00000000000000ff",
        r#"w/"2.7-00000000000000ff""#,
        r#""*""#,
        r#""2.7-00000000000000ff-gzip-gzip""#,
    ] {
        check(header, false);
    }
    let tag = Tags::of_process(255).of(REVISION);
    assert!(!tag.is_known_to(&HeaderMap::new()));
}

#[test]
fn two_processes_share_no_tag_and_clones_do() {
    let (one, other) = (Tags::new(), Tags::new());
    assert_ne!(one.of(REVISION), other.of(REVISION));
    assert_eq!(one.of(REVISION), one.clone().of(REVISION));
    assert_ne!(one.of(REVISION), one.of_part(REVISION, &"ids=1"));
    assert_ne!(one.of_part(REVISION, &"ids=2"), one.of_part(REVISION, &"ids=1"));
}

#[test]
fn a_compressed_answer_has_a_tag_of_its_own() {
    let mut headers = HeaderMap::new();
    mark_compressed(&mut headers);
    assert!(headers.is_empty());
    headers.insert(ETAG, HeaderValue::from_static("\"a\""));
    for _ in 0..2 {
        mark_compressed(&mut headers);
        assert_eq!(headers[ETAG], "\"a-gzip\"", "once, however often");
    }
}
