//! The book in `docs` is whole: its table of contents, its links, and the log lines that it explains.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::command::ROOT;

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below a folder with this extension, as `folder/…`.
fn files(folder: &str, extension: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&path, extension));
        } else if Path::new(&path).extension().is_some_and(|it| it == extension) {
            found.insert(path);
        }
    }
    found
}

/// The targets of a page's links, without those to the web and with what stands before a `#`.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let targets = page.split("](").skip(1).filter_map(|it| it.split_once(')')).map(|it| it.0);
    let local = targets.filter(|it| !it.starts_with("http"));
    local.map(|it| it.split_once('#').map_or(it, |parts| parts.0)).filter(|it| !it.is_empty())
}

#[test]
fn the_table_of_contents_names_every_page_once() {
    let summary = text("docs/SUMMARY.md");
    let listed: Vec<_> = links(&summary).map(|it| format!("docs/{it}")).collect();
    let mut pages = files("docs", "md");
    assert!(pages.remove("docs/SUMMARY.md"));
    let unique: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "a page is listed twice: {listed:?}");
    assert_eq!(unique, pages, "left: what is listed, right: what is there");
}

#[test]
fn every_link_leads_somewhere() {
    for page in files("docs", "md") {
        let folder = Path::new(ROOT).join(&page);
        let folder = folder.parent().unwrap();
        for link in links(&text(&page)) {
            assert!(folder.join(link).is_file(), "{page}: {link} is not there");
        }
    }
}

#[test]
fn every_page_begins_with_its_title() {
    for page in files("docs", "md") {
        let text = text(&page);
        let mut lines = text.lines().filter(|it| !it.starts_with("<!--") && !it.is_empty());
        assert!(lines.next().unwrap().starts_with("# "), "{page}");
    }
}

/// A log line of level warn or error: the parts of its message that never change.
fn messages(source: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for call in ["warn!(", "error!("] {
        for (at, _) in source.match_indices(call) {
            let (before, rest) = source.split_at(at);
            // `compile_error!(`, or a line of documentation
            let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
            if before.ends_with(|it: char| it.is_alphanumeric() || it == '_')
                || line.starts_with("//")
            {
                continue;
            }
            let (arguments, _) = rest.split_once(");").unwrap_or((rest, ""));
            let message = arguments.split('"').nth(1).expect("a message");
            found.push(fixed(message));
        }
    }
    found
}

/// `{error}: a restart` is told by `: a restart`. What is too short to tell anything is left out.
fn fixed(message: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for (index, part) in message.split('{').enumerate() {
        let part = if index == 0 { part } else { part.split_once('}').expect("a brace").1 };
        parts.extend(Some(part.trim_matches([' ', ':', ';', '`', ','])).filter(|it| it.len() > 5));
    }
    parts.into_iter().map(str::to_owned).collect()
}

#[test]
fn messages_of_a_source() {
    let source = r#"
        warn!("{error}: a restart of this one will need Flagr");
        tracing::error!(error = %self, "a handler cannot be called");
        // warn!("not this");
        warn!(
            "the flags of {place} come from {} here",
            name
        );
        compile_error!("nor this");
    "#;
    let mut found = messages(source);
    found.sort_unstable();
    let expected: [&[&str]; 3] = [
        &["a handler cannot be called"],
        &["a restart of this one will need Flagr"],
        &["the flags of", "come from"],
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_page_for_operators_explains_every_warning_and_error() {
    let page = text("docs/operating.md");
    let mut count = 0;
    for path in files("crates", "rs") {
        if path.contains("/tests") || path.contains("/examples/") {
            continue;
        }
        for parts in messages(&text(&path)) {
            count += 1;
            assert!(
                !parts.is_empty(),
                "{path}: a message that is nowhere the same cannot be found"
            );
            for part in parts {
                assert!(page.contains(&part), "{path}: docs/operating.md lacks `{part}`");
            }
        }
    }
    assert!(count > 25, "only {count} were found");
}
