//! Which flags belong to which recording.

use super::Served;

#[test]
fn a_recording_is_known_by_its_flags() {
    for it in Served::ALL {
        assert_eq!(Served::with_flags_of(&it.export().unwrap()).unwrap(), Some(it));
    }
    assert_eq!(Served::with_flags_of(r#"{"Flags":[]}"#).unwrap(), None);
    assert!(Served::with_flags_of("no").is_err());
}
