//! Texts that a pattern matches, most of the time.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// A repeat is written out so many times at most.
const MOST_REPEATS: u32 = 8;

/// A text that the pattern matches if Rust reads the pattern as Go does; for others its letters alone.
pub(crate) fn sample(pattern: &str, rng: &mut fastrand::Rng) -> String {
    match regex_syntax::parse(pattern) {
        Ok(hir) => {
            let mut text = String::new();
            write(&hir, &mut text, rng);
            text
        }
        Err(_) => pattern.chars().filter(|it| it.is_alphanumeric()).collect(),
    }
}

fn write(hir: &Hir, out: &mut String, rng: &mut fastrand::Rng) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges();
            let readable = ranges.iter().find(|it| it.start().is_ascii_graphic());
            out.extend(readable.or(ranges.first()).map(ClassUnicodeRange::start));
        }
        HirKind::Class(Class::Bytes(class)) => {
            out.extend(class.ranges().first().map(|it| char::from(it.start())));
        }
        HirKind::Repetition(repetition) => {
            let least = repetition.min.min(MOST_REPEATS);
            let most = repetition.max.unwrap_or(least + 2).clamp(least, least + 2);
            for _ in 0..rng.u32(least..=most) {
                write(&repetition.sub, out, rng);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, out, rng),
        HirKind::Concat(parts) => parts.iter().for_each(|it| write(it, out, rng)),
        HirKind::Alternation(parts) => {
            if let Some(part) = rng.choice(parts) {
                write(part, out, rng);
            }
        }
    }
}
