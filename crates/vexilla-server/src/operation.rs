//! The operations of a whole Flagr by path and method, under the names that it calls them in its errors.

use http::Method;

/// A path below `/api/v1/`, where `*` stands for any part, and what each method is. Of two paths that fit, the first counts.
type Paths = &'static [(&'static str, &'static [(&'static str, &'static str)])];

#[rustfmt::skip]
const PATHS: Paths = &[
    ("evaluation", &[("GET", "evaluation.GetEvaluation"), ("POST", "evaluation.PostEvaluation")]),
    ("evaluation/batch", &[("GET", "evaluation.GetEvaluationBatch"), ("POST", "evaluation.PostEvaluationBatch")]),
    ("health", &[("GET", "health.GetHealth")]),
    ("export/eval_cache/json", &[("GET", "export.GetExportEvalCacheJSON")]),
    ("export/sqlite", &[("GET", SQLITE)]),
    ("exposures", &[("POST", EXPOSURES)]),
    ("tags", &[("GET", "tag.FindAllTags")]),
    ("datar/summary", &[("GET", "datar.GetDatarSummary")]),
    ("datar/flags/*/summary", &[("GET", "datar.GetDatarFlagSummary")]),
    ("flags", &[("GET", "flag.FindFlags"), ("POST", "flag.CreateFlag")]),
    ("flags/entity_types", &[("GET", "flag.GetFlagEntityTypes")]),
    ("flags/snapshots/max_id", &[("GET", "flag.GetFlagSnapshotMaxID")]),
    ("flags/*", &[("DELETE", "flag.DeleteFlag"), ("GET", "flag.GetFlag"), ("PUT", "flag.PutFlag")]),
    ("flags/*/duplicate", &[("POST", "flag.DuplicateFlag")]),
    ("flags/*/enabled", &[("PUT", "flag.SetFlagEnabled")]),
    ("flags/*/restore", &[("PUT", "flag.RestoreFlag")]),
    ("flags/*/snapshots", &[("GET", "flag.GetFlagSnapshots")]),
    ("flags/*/tags", &[("GET", "tag.FindTags"), ("POST", "tag.CreateTag")]),
    ("flags/*/tags/*", &[("DELETE", "tag.DeleteTag")]),
    ("flags/*/variants", &[("GET", "variant.FindVariants"), ("POST", "variant.CreateVariant")]),
    ("flags/*/variants/*", &[("DELETE", "variant.DeleteVariant"), ("PUT", "variant.PutVariant")]),
    ("flags/*/segments", &[("GET", "segment.FindSegments"), ("POST", "segment.CreateSegment")]),
    ("flags/*/segments/reorder", &[("PUT", "segment.PutSegmentsReorder")]),
    ("flags/*/segments/*", &[("DELETE", "segment.DeleteSegment"), ("PUT", "segment.PutSegment")]),
    ("flags/*/segments/*/constraints", &[("GET", "constraint.FindConstraints"), ("POST", "constraint.CreateConstraint")]),
    ("flags/*/segments/*/constraints/*", &[("DELETE", "constraint.DeleteConstraint"), ("PUT", "constraint.PutConstraint")]),
    ("flags/*/segments/*/distributions", &[("GET", "distribution.FindDistributions"), ("PUT", "distribution.PutDistributions")]),
];

/// The operation that takes what people saw.
pub(crate) const EXPOSURES: &str = "exposure.PostExposures";

/// The operation whose error is no JSON.
pub(crate) const SQLITE: &str = "export.GetExportSqlite";

/// The operation of a request, if there is one.
pub(crate) fn find(method: &Method, path: &str) -> Option<&'static str> {
    of_path(path).iter().find(|it| it.0 == method.as_str()).map(|it| it.1)
}

/// The methods that a path has, in the order of their letters; none for a path that does not exist.
pub(crate) fn methods(path: &str) -> Vec<&'static str> {
    of_path(path).iter().map(|it| it.0).collect()
}

fn of_path(path: &str) -> &'static [(&'static str, &'static str)] {
    let Some(path) = path.strip_prefix("/api/v1/") else { return &[] };
    let fits = |pattern: &str| {
        let mut parts = path.split('/');
        pattern.split('/').all(|it| parts.next().is_some_and(|part| it == "*" || it == part))
            && parts.next().is_none()
    };
    PATHS.iter().find(|it| fits(it.0)).map_or(&[], |it| it.1)
}
