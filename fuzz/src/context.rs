//! Values: contexts and attachments. Input: bytes, repaired as Go repairs text.
//!
//! What is read and written is the same value when it is read again, to the letter when it is written again, and
//! `serde_json` sees the same structure in both texts.

use serde_json::value::RawValue;
use vexilla_domain::json::{Numbers, read_value, repair, write_value};

/// Checks one input.
pub fn check(input: &[u8]) {
    let text = repair(input);
    let Ok(raw) = serde_json::from_str::<&RawValue>(&text) else { return };
    for numbers in [Numbers::AsWritten, Numbers::Float64] {
        let Ok(value) = read_value(raw, numbers) else { continue };
        let mut written = Vec::new();
        write_value(&mut written, &value);
        let again: &RawValue = serde_json::from_slice(&written).expect("what is written is JSON");
        let read = read_value(again, numbers).expect("what is written can be read");
        let mut rewritten = Vec::new();
        write_value(&mut rewritten, &read);
        assert_eq!(rewritten, written, "{:?}", String::from_utf8_lossy(&written));
        if numbers == Numbers::AsWritten {
            assert_eq!(read, value);
            // A number out of range may stand in the input, in a member that another one of its name replaces.
            if let Ok(structure) = serde_json::from_str::<serde_json::Value>(&text) {
                assert_eq!(
                    serde_json::from_slice::<serde_json::Value>(&written).ok(),
                    Some(structure)
                );
            }
        }
    }
}
