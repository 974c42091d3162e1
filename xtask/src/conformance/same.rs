//! Whether two answers say the same, but for what no two answers share.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// Members that hold a moment, as Flagr writes them.
const MOMENTS: [&str; 4] =
    ["\"timestamp\":\"", "\"CreatedAt\":\"", "\"UpdatedAt\":\"", "\"updatedAt\":\""];

/// How Flagr begins the id that it gives to an entity without one.
const RANDOM: &str = "randomly_generated_";

/// Whether only moments, random ids and random orders differ. `request` is what was asked: flags found by tag come in a
/// random order.
pub(super) fn same(one: &str, other: &str, request: &str) -> bool {
    if one == other {
        return true;
    }
    let lists: &[&str] = if request.contains("flagTags\"") {
        &["{\"Flags\":", "{\"evaluationResults\":"]
    } else {
        &["{\"Flags\":"]
    };
    let settled = |text: &str| {
        let text =
            MOMENTS.iter().fold(Cow::from(text), |text, it| without(text, it, |it| it != '"'));
        let text = without(text, RANDOM, |it| it.is_ascii_digit());
        in_order(&text, lists)
    };
    settled(one) == settled(other)
}

/// The answer with the times of evaluation that were recorded, so that a change shows what Flagr says otherwise alone.
pub(super) fn with_times_of(recorded: &str, answer: &str) -> String {
    const TIME: &str = MOMENTS[0];
    let time = |it: &'_ str| it.find('"').unwrap_or(it.len());
    let old: Vec<_> = recorded.split(TIME).skip(1).filter_map(|it| it.get(..time(it))).collect();
    let mut pieces = answer.split(TIME);
    let mut text = pieces.next().unwrap_or_default().to_owned();
    let pieces: Vec<_> = pieces.collect();
    if pieces.len() != old.len() {
        return answer.to_owned();
    }
    for (piece, old) in pieces.into_iter().zip(old) {
        text.extend([TIME, old, piece.get(time(piece)..).unwrap_or_default()]);
    }
    text
}

/// The text without what follows each `mark`, as far as it is `part` of it.
fn without<'a>(text: Cow<'a, str>, mark: &str, part: impl Fn(char) -> bool) -> Cow<'a, str> {
    if !text.contains(mark) {
        return text;
    }
    let mut pieces = text.split(mark);
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        kept.push_str(mark);
        kept.push_str(piece.trim_start_matches(&part));
    }
    kept.into()
}

/// The text with its list sorted, where it is one member with a list; and so with the methods of a path.
fn in_order(text: &str, lists: &[&str]) -> String {
    for list in lists {
        let Some(rest) = text.strip_prefix(list) else { continue };
        let Some(rest) = rest.trim_end().strip_suffix('}') else { continue };
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(rest) else { continue };
        let mut items: Vec<_> = items.into_iter().map(RawValue::get).collect();
        items.sort_unstable();
        return items.join("\n");
    }
    let methods = text.split_once("but [").and_then(|(a, rest)| Some((a, rest.split_once(']')?)));
    match methods {
        Some((before, (methods, after))) => format!("{before}[{}]{after}", sorted(methods)),
        None => text.to_owned(),
    }
}

/// The methods of a path, which Flagr tells in a random order.
pub(super) fn sorted(methods: &str) -> String {
    let mut methods: Vec<_> = methods.split(',').collect();
    methods.sort_unstable();
    methods.join(",")
}

#[cfg(test)]
mod tests;
