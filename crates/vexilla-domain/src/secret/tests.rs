//! What of a secret can be seen, and how it compares.

use super::Secret;

#[test]
fn no_way_of_printing_shows_it() {
    let secret = Secret::new("hunter2");
    assert_eq!(format!("{secret} {secret:?} {:#?}", Some(&secret)).matches("hunter2").count(), 0);
    assert_eq!(secret.reveal(), "hunter2");
}

#[test]
fn only_the_same_text_is_equal() {
    let secret = Secret::from("hunter2");
    assert_eq!(secret, Secret::from("hunter2"));
    for other in ["", "hunter", "hunter22", "Hunter2"] {
        assert_ne!(secret, Secret::from(other));
    }
}
