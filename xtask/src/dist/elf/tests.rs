//! Binaries made by hand, and the one that runs this test.

use super::needs_interpreter;

/// A head, and segments of these kinds.
fn binary(segments: &[u32]) -> Vec<u8> {
    let mut binary = vec![0; 0x40];
    binary[..6].copy_from_slice(b"\x7fELF\x02\x01");
    binary[0x20] = 0x40;
    binary[0x36] = 56;
    binary[0x38] = u8::try_from(segments.len()).unwrap();
    for kind in segments {
        binary.extend(kind.to_le_bytes());
        binary.extend([0; 52]);
    }
    binary
}

#[test]
fn the_segments_tell() {
    assert!(!needs_interpreter(&binary(&[6, 1, 1, 2])).unwrap());
    assert!(needs_interpreter(&binary(&[6, 3, 1])).unwrap());
}

#[test]
fn what_cannot_be_read_is_not_called_static() {
    let check = |binary: &[u8], expected: &str| {
        assert_eq!(needs_interpreter(binary).unwrap_err().to_string(), expected);
    };
    check(b"", "it is no ELF file");
    check(b"MZ", "it is no ELF file");
    check(b"\x7fELF\x01\x01", "it is for a machine that is not known here");
    check(b"\x7fELF\x02\x01", "it is cut off");
    check(&binary(&[]), "it has no segments");
    let mut far = binary(&[1]);
    far[0x20..0x28].fill(0xff);
    assert!(needs_interpreter(&far).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn this_test_is_loaded_by_the_system() {
    let me = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(needs_interpreter(&me).unwrap(), cfg!(not(target_feature = "crt-static")));
}
