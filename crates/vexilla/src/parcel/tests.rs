//! What is kept comes out as it went in.

use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use vexilla_domain::{Context, Exposure, FlagId, SnapshotId, VariantId};

use super::{read, write};

proptest! {
    #[test]
    fn an_exposure_comes_back(
        ids: [u64; 3],
        texts: [String; 4],
        attributes in prop::option::of((any::<String>(), any::<i64>())),
        millis in prop::option::of(-62_000_000_000_000..250_000_000_000_000_i64),
    ) {
        let [flag_key, variant_key, entity_id, entity_type] = texts.map(String::into_boxed_str);
        let context = attributes.map(|(name, value)| Context::new("").with(&name, value));
        let distance = Duration::from_millis(millis.unwrap_or_default().unsigned_abs());
        let exposure = Exposure {
            flag_id: FlagId(ids[0]),
            flag_key,
            variant_id: VariantId(ids[1]),
            variant_key,
            snapshot_id: SnapshotId(ids[2]),
            entity_id,
            entity_type,
            entity_context: context.and_then(|it| it.attributes().cloned()),
            at: millis.map(|it| if it < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }),
        };
        prop_assert_eq!(read(&write(&exposure)), Some(exposure));
    }

    #[test]
    fn nonsense_is_no_exposure_and_no_panic(bytes: Vec<u8>) {
        let _ = read(&bytes);
    }
}

#[test]
fn what_a_later_version_adds_is_let_pass() {
    let exposure = read(br#"{"k":"f","e":"x","new":[1]}"#).unwrap();
    assert_eq!((&*exposure.flag_key, &*exposure.entity_id), ("f", "x"));
    assert_eq!(read(b"[]"), None);
    assert_eq!(read(br#"{"f":"one"}"#), None);
}
