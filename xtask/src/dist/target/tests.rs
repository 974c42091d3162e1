//! What is chosen, and what follows from it.

use super::Target;

#[test]
fn linux_is_static_and_windows_has_an_extension() {
    let check = |triple: &str, is_static: bool, program: &str| {
        let target = Target(triple.to_owned());
        assert_eq!((target.is_static(), &*target.program()), (is_static, program), "{triple}");
    };
    check("x86_64-unknown-linux-gnu", true, "vexilla");
    check("aarch64-unknown-linux-musl", true, "vexilla");
    check("aarch64-apple-darwin", false, "vexilla");
    check("x86_64-pc-windows-msvc", false, "vexilla.exe");
}

#[test]
fn this_machine_by_default() {
    let target = Target::chosen(None).unwrap();
    assert_eq!(target.triple(), super::host().unwrap());
}

#[test]
fn a_target_that_is_not_there() {
    assert!(Target::chosen(Some("such")).is_err());
}
