//! Tests of the translation.

use super::compile;

#[test]
fn dump() {
    let out = super::translate::translate(r"(?i)a\d+(?:b|\Q.\E){2,3}$").unwrap();
    println!("{out}");
    compile(b"x").unwrap();
}
