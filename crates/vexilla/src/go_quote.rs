//! Text in quotes, as Go shows it.

use std::fmt::Write;

/// A text as `fmt`'s `%q` shows it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{07}' => out.push_str("\\a"),
            '\u{08}' => out.push_str("\\b"),
            '\u{0c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0b}' => out.push_str("\\v"),
            ' '..='~' => out.push(letter),
            '\0'..='\u{7f}' => push(&mut out, format_args!("\\x{:02x}", u32::from(letter))),
            // Behind another letter, Rust escapes what Go does.
            _ if !format!("a{letter}").escape_debug().any(|it| it == '\\') => out.push(letter),
            '\u{80}'..='\u{ffff}' => push(&mut out, format_args!("\\u{:04x}", u32::from(letter))),
            _ => push(&mut out, format_args!("\\U{:08x}", u32::from(letter))),
        }
    }
    out.push('"');
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok(), "writing to memory does not fail");
}
