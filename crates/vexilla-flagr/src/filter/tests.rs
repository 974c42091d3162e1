//! What Flagr is asked.

use super::*;

#[test]
fn parts_that_are_not_set_are_not_asked() {
    let check = |enabled_only, tags: &[&str], tags_operator, expected: &[(&str, &str)]| {
        let tags = tags.iter().map(|&it| it.into()).collect();
        let query = ExportQuery::new(&ExportFilter { enabled_only, tags, tags_operator }).unwrap();
        assert_eq!(query.pairs(), expected);
    };
    check(false, &[], TagsOperator::All, &[]);
    check(true, &[], TagsOperator::Any, &[("enabled", "true")]);
    check(false, &["web"], TagsOperator::Any, &[("tags", "web")]);
    let all = [("enabled", "true"), ("tags", "web,service:my shop"), ("tagsOperator", "ALL")];
    check(true, &["web", "service:my shop"], TagsOperator::All, &all);
}

#[test]
fn tags_that_flagr_would_take_for_others_are_refused() {
    for tag in ["", "a,b", " a", "a "] {
        let filter = ExportFilter { tags: vec!["web".into(), tag.into()], ..Default::default() };
        let error = ExportQuery::new(&filter).unwrap_err();
        assert_eq!(error.field(), "export_filter");
        assert!(error.to_string().contains(&format!("`{tag}`")), "{error}");
    }
}
