//! Objects keep one value a name, in order.

use super::{Object, Value};

#[test]
fn the_last_of_several_members_counts_and_names_are_in_order() {
    let object: Object = [("b", 1), ("a", 2), ("b", 3)]
        .map(|(name, n)| (name.into(), Value::from(n)))
        .into_iter()
        .collect();
    let members: Vec<_> =
        object.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    assert_eq!(members, [("a".to_owned(), 2.into()), ("b".to_owned(), 3.into())]);
}

#[test]
fn members_are_found_in_small_and_large_objects() {
    for count in [0_u32, 1, 8, 9, 100] {
        let mut object = Object::new();
        for n in (0..count).rev() {
            object.insert(&format!("k{n}"), n.into());
            object.insert(&format!("k{n}"), (n + 1).into());
        }
        assert_eq!(object.len(), usize::try_from(count).unwrap());
        for n in 0..count {
            assert_eq!(object.get(&format!("k{n}")), Some(&Value::from(n + 1)));
        }
        assert_eq!(object.get("k"), None);
    }
}
