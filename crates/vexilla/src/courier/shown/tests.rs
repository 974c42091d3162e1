//! What `shown` lets through.

use std::io;

use vexilla_domain::{DeliveryError, DeliveryErrorKind};

use super::*;

#[test]
fn rows_are_refused_for_reasons_that_name_nobody() {
    for (message, shown) in [
        ("flag not found", "flag not found"),
        ("entityID is required", "entityID is required"),
        ("variantID 9 not found on flag", "variantID not found on flag"),
        (r#"variantKey "ana@example.com" not found on flag"#, "variantKey not found on flag"),
        ("flag not found: ana@example.com", "for a reason that level `debug` shows"),
        ("", "for a reason that level `debug` shows"),
    ] {
        assert_eq!(of_row("exposures", message), shown);
    }
}

#[test]
fn an_error_is_shown_with_its_causes_and_without_flagrs_words() {
    let error = DeliveryError::new(DeliveryErrorKind::BadBatch, "POST /x answered 400")
        .with_words("`cannot take ana@example.com`")
        .with_source(io::Error::other("reset"));
    assert_eq!(&*of_error("exposures", &error), "POST /x answered 400: reset");
    assert_eq!(error.to_string(), "POST /x answered 400: `cannot take ana@example.com`");
}
