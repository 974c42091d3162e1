//! Each rule with what it lets through and what it finds.

use std::collections::BTreeMap;

use crate::workspace::{Package, Workspace};

use super::{edges, manifests, msrv, sources};

#[test]
fn edges_between_our_crates() {
    let check = |name, depends_on: &[&str], expected: &[&str]| {
        assert_eq!(
            edges::of(name, depends_on.iter().copied()),
            expected,
            "{name} on {depends_on:?}"
        );
    };
    check("vexilla-domain", &[], &[]);
    check("vexilla-eval", &["vexilla-domain"], &[]);
    check("vexilla", &["vexilla-domain", "vexilla-breaker", "vexilla-server"], &[]);
    check("vexilla-cli", &["vexilla", "vexilla-eval"], &[]);
    check("vexilla-eval", &["vexilla-flagr"], &["vexilla-eval: may not depend on vexilla-flagr"]);
    check("vexilla-domain", &["vexilla-eval"], &["vexilla-domain: may not depend on vexilla-eval"]);
    check(
        "vexilla-breaker",
        &["vexilla-domain"],
        &["vexilla-breaker: may not depend on vexilla-domain"],
    );
    check("vexilla", &["vexilla-cli"], &["vexilla: may not depend on vexilla-cli"]);
    check("vexilla-cli", &["xtask"], &["vexilla-cli: may not depend on xtask"]);
    check("xtask", &["vexilla-domain"], &["xtask: may not depend on vexilla-domain"]);
    check(
        "surprise",
        &[],
        &["surprise: a new crate; say in xtask/src/tidy/edges.rs what it may depend on"],
    );
}

#[test]
fn a_crate_that_stands_alone() {
    let check =
        |tree: &str, expected: &[&str]| assert_eq!(edges::not_alone("e", tree), expected, "{tree}");
    check("e v0.1.0\nserde v1.0.0\nhttparse v1.0.0\ntokiox v1.0.0\n", &[]);
    check("e v0.1.0\ntokio v1.0.0\n", &["e: stands alone, but brings tokio"]);
    check(
        "hyper-util v0.1.0\naxum v0.8.0\naxum v0.8.0 (*)\n",
        &["e: stands alone, but brings axum", "e: stands alone, but brings hyper-util"],
    );
}

#[test]
fn text_of_files() {
    let check = |path: &str, text: &str, expected: &[&str]| {
        assert_eq!(sources::of(path, text), expected, "{path}: {text}");
    };
    let code = |line: &str| format!("//! A module.\n{line}\n");
    let expect = ["a.rs:2: use `expect` with a reason"];
    let write_it = ["a.rs:2: write it, or an issue"];

    check("a.rs", &code("fn f() {}"), &[]);
    check("a.rs", "fn f() {}\n", &["a.rs: starts with no `//!` that says what it is for"]);
    check("README.md", "# Vexilla\n", &[]);

    check("a.rs", &code(concat!("#", "[allow(dead_code)]")), &expect);
    check("a.rs", &code(concat!("#!", "[allow(dead_code)]")), &expect);
    check("a.rs", &code(concat!("// no #", "[allow(…)]")), &[]);
    check("a.rs", &code("#[expect(dead_code, reason = \"…\")]"), &[]);
    check(
        "a.rs",
        &code(concat!("#", "[ignore = \"slow\"]")),
        &["a.rs:2: a test that is not run proves nothing"],
    );
    check("a.rs", &code(concat!("todo", "!()")), &write_it);
    check("a.rs", &code(concat!("unimplemented", "!(\"x\")")), &write_it);
    check("a.rs", &code(concat!("my_todo", "!()")), &[]);
}

#[test]
fn sleeping_tests() {
    let message = "a test waits for an event, or sets the time; it does not sleep";
    let check = |path: &str, line: &str, found: bool| {
        let expected: Vec<String> =
            found.then(|| format!("{path}:2: {message}")).into_iter().collect();
        assert_eq!(
            sources::of(path, &format!("//! A module.\n{line}\n")),
            expected,
            "{path}: {line}"
        );
    };
    check("crates/a/src/b/tests.rs", concat!("thread::sle", "ep(ONE);"), true);
    check("crates/a/tests/it/b.rs", concat!("tokio::time::sle", "ep(ONE).await;"), true);
    check("crates/a/tests/it/b.rs", concat!("sle", "ep(ONE).await;"), true);
    check("crates/a/tests/it/b.rs", concat!("script.sle", "ep(ONE);"), false);
    check("crates/a/tests/it/b.rs", concat!("// no sle", "ep(ONE)"), false);
    check("crates/a/src/b.rs", concat!("sle", "ep(ONE).await;"), false);
}

#[test]
fn long_files() {
    let lines = |count: usize, extra: &str| {
        format!("//! A module.\n{extra}\n{}", "f();\n".repeat(count - 2))
    };
    let check = |text: &str, found: bool| assert_eq!(!sources::of("a.rs", text).is_empty(), found);
    check(&lines(400, ""), false);
    check(&lines(401, ""), true);
    check(&lines(401, "// tidy: long because it is one table"), false);
    check(&lines(401, "// tidy: long because "), true);
}

#[test]
fn folders_of_one_machine() {
    let check = |line: &str, found: bool| {
        assert_eq!(!sources::of("a.md", line).is_empty(), found, "{line}");
    };
    for folder in ["work", "root", "home"] {
        check(&format!("see /{folder}/ann/file"), true);
        check(&format!("`/{folder}/ann`"), true);
        check(&format!("file:///{folder}/ann"), true);
        check(&format!("https://example.com/{folder}/page"), false);
        check(&format!("../{folder}/ann"), false);
        check(&format!("a /{folder} alone"), false);
    }
}

#[test]
fn lines_of_manifests() {
    let inherited = [
        "version",
        "edition",
        "rust-version",
        "license",
        "repository",
        "readme",
        "keywords",
        "categories",
    ];
    let full = inherited.map(|it| format!("{it}.workspace = true\n")).concat()
        + "[lints]\nworkspace = true\n";
    let published = package("p", None);
    let private = Package { publish: Some(Vec::new()), ..package("p", None) };

    let check = |package: &Package, manifest: &str, expected: &[&str]| {
        assert_eq!(manifests::of(package, manifest), expected, "{manifest}");
    };
    let without_readme = full.replace("readme.workspace = true\n", "");
    check(&published, &full, &[]);
    check(&published, &without_readme, &["p: its Cargo.toml lacks `readme.workspace = true`"]);
    check(&private, &without_readme, &[]);
    check(
        &private,
        &full.replace("license.workspace = true", "license = \"MIT\""),
        &["p: its Cargo.toml lacks `license.workspace = true`"],
    );
    check(
        &private,
        &full.replace("[lints]", "[other]"),
        &["p: its Cargo.toml lacks `[lints] workspace = true`"],
    );
    check(
        &Package { description: None, ..published },
        &full,
        &["p: its Cargo.toml lacks `description`"],
    );
}

#[test]
fn minimum_rust_versions() {
    assert!(msrv::parse("1.88") == msrv::parse("1.88.0"));
    assert!(msrv::parse("1.9") < msrv::parse("1.88"));
    assert!(msrv::parse("1.88.1") > msrv::parse("1.88"));

    let check = |needed: Option<&str>, expected: &[&str]| {
        let packages = vec![package("ours", Some("1.88")), package("theirs", needed)];
        let workspace = Workspace { packages, workspace_members: ["ours".to_owned()].into() };
        assert_eq!(msrv::too_new(&workspace), expected, "{needed:?}");
    };
    check(None, &[]);
    check(Some("1.88.0"), &[]);
    check(Some("1.56"), &[]);
    check(Some("1.90"), &["theirs 1.0.0: needs Rust 1.90, but we promise 1.88"]);
}

fn package(name: &str, rust_version: Option<&str>) -> Package {
    Package {
        id: name.to_owned(),
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        description: Some("a package".to_owned()),
        rust_version: rust_version.map(str::to_owned),
        manifest_path: String::new(),
        publish: None,
        features: BTreeMap::new(),
        dependencies: Vec::new(),
    }
}
