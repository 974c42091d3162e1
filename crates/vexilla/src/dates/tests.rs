//! Which date a row gets.

use vexilla_domain::json::{read_flags, write_flag, write_flags};

use super::*;

const OLD: &str = "2026-11-23T10:00:00.123456789Z";
const MADE: &str = "2026-11-22T10:00:00.987654321Z";
const NOW: &str = "2026-11-26T10:00:00.5Z";

fn export(flag: &str) -> Flag {
    let dates = format!(r#""CreatedAt":"{MADE}","UpdatedAt":"{OLD}","ID""#);
    let text = format!("[{}]", flag.replace("\"ID\"", &dates));
    read_flags(text.as_bytes()).unwrap().flags.pop().unwrap()
}

/// As Flagr's REST API tells it.
fn rest(flag: &str) -> Flag {
    let text = format!("[{}]", flag.replacen("\"ID\"", &format!(r#""updatedAt":"{NOW}","ID""#), 1));
    read_flags(text.as_bytes()).unwrap().flags.pop().unwrap()
}

const FLAG: &str = r#"{"ID":1,"Key":"a","Enabled":true,
    "Variants":[{"ID":1,"Key":"on","Attachment":{"n":1}},{"ID":2,"Key":"off"}],"Tags":[{"ID":1,"Value":"t"}],
    "Segments":[{"ID":1,"RolloutPercent":50,"Constraints":[{"ID":1,"Property":"p","Operator":"EQ","Value":"1"}],
        "Distributions":[{"ID":1,"VariantID":1,"VariantKey":"on","Percent":100}]}]}"#;

#[test]
fn what_says_the_same_is_as_the_export_has_it_but_for_the_flags_own_change() {
    let mut flag = rest(FLAG);
    complete(&mut flag, &export(FLAG));
    let expected = write_flag(&export(FLAG)).replacen(OLD, NOW, 1);
    assert_eq!(write_flag(&flag), expected);
}

#[test]
fn what_changed_and_what_is_new_has_the_date_of_the_last_change() {
    let changed = [
        ("\"Key\":\"off\"", "\"Key\":\"other\""),
        ("\"Value\":\"1\"", "\"Value\":\"2\""),
        ("\"Value\":\"t\"}", "\"Value\":\"t\"},{\"ID\":9,\"Value\":\"new\"}"),
    ];
    let text = changed.iter().fold(FLAG.to_owned(), |it, (old, new)| it.replace(old, new));
    let mut flags = [rest(&text), rest(&FLAG.replacen("\"ID\":1", "\"ID\":2", 1))];
    complete_all(&mut flags, &write_flags([&export(FLAG)]));
    let dates = |it: &Times| [it.created_at.to_string(), it.updated_at.to_string()];
    let [flag, new] = &flags;
    let constraint = &flag.segments[0].constraints[0];
    for changed in [&flag.times, &flag.variants[1].times, &constraint.times] {
        assert_eq!(dates(changed), [MADE, NOW]);
    }
    for same in [&flag.segments[0].times, &flag.variants[0].times, &flag.tags[0].times] {
        assert_eq!(dates(same), [MADE, OLD], "what is below a segment is no change of it");
    }
    for new in [&flag.tags[1].times, &new.times, &new.variants[0].times] {
        assert_eq!(dates(new), [NOW, NOW]);
    }
}

#[test]
fn dates_that_are_known_stay() {
    let mut flag = export(FLAG);
    complete(&mut flag, &rest(FLAG));
    assert_eq!(flag, export(FLAG));
}
