//! A document of flags, in either of Flagr's spellings. Input: the document.
//!
//! What is read and written as an export is the same when it is read again, and to the letter when it is written again.
//! The rules that are compiled from it take all flags over when they are compiled from it once more.

use vexilla_domain::Strictness;
use vexilla_domain::json::{read_flags, write_flags};
use vexilla_eval::{Context, Ruleset, fingerprint};

/// Checks one input.
pub fn check(input: &[u8]) {
    let Ok(document) = read_flags(input) else { return };
    let flags = document.flags;
    let written = write_flags(&flags);
    if flags.iter().all(|it| it.key.is_empty()) {
        return; // such a document is taken for something else than flags
    }
    let again = read_flags(&written).expect("what is written can be read");
    assert_eq!(again.problems, [], "{}", String::from_utf8_lossy(&written));
    assert_eq!(again.flags, flags);
    assert_eq!(write_flags(&again.flags), written);
    for (flag, again) in flags.iter().zip(&again.flags) {
        assert_eq!(fingerprint(flag), fingerprint(again), "{flag:?}");
    }

    let ctx = Context::new("entity").with("a", 1).with("country", "US");
    for strictness in [Strictness::AsStored, Strictness::Checked] {
        let first = Ruleset::compile(&flags, document.problems.clone(), strictness, None);
        let second = Ruleset::compile(
            &again.flags,
            document.problems.clone(),
            strictness,
            Some(&first.ruleset),
        );
        assert_eq!(first.ruleset.len(), second.ruleset.len());
        for flag in &flags {
            let silent = first.ruleset.evaluate(&flag.key, &ctx).to_owned();
            assert_eq!(second.ruleset.evaluate(&flag.key, &ctx).to_owned(), silent);
            let explained = first.ruleset.explain(&flag.key, &ctx).map(|it| it.evaluation);
            assert!(explained.is_none_or(|it| it == silent));
        }
    }
}
