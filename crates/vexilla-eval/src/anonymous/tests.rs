//! Random ids.

use super::AnonymousId;

#[test]
fn ids_have_flagrs_form_and_differ() {
    for number in [0, 7, 10, 695_938_701, (1 << 31) - 1] {
        assert_eq!(AnonymousId::numbered(number).as_str(), format!("randomly_generated_{number}"));
    }
    let drawn: std::collections::HashSet<String> =
        (0..1000).map(|_| AnonymousId::random().as_str().to_owned()).collect();
    assert!(drawn.len() > 990);
}
