//! Why a condition was refused, told to whoever wrote it.

use std::fmt;

use pest::error::{ErrorVariant, InputLocation};

use super::parse::{MAX_DEPTH, MAX_LENGTH, Rule, next_token};

/// A constraint, or all constraints of a segment together, cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    kind: ConditionErrorKind,
    message: Box<str>,
    position: Option<TextPosition>,
}

/// What is wrong with a condition. Further kinds may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConditionErrorKind {
    /// The property, the operator or the value is missing or blank.
    Empty,
    /// Flagr has no such operator.
    UnknownOperator,
    /// The text is not a condition; Flagr refuses it too.
    Syntax,
    /// The text is longer than we read. Flagr has no such limit.
    TooLong,
    /// Parentheses are nested deeper than we follow. Flagr has no such limit.
    TooDeep,
}

/// A place in the text of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextPosition {
    /// Bytes before it.
    pub offset: usize,
    /// Its line; the first is 1.
    pub line: usize,
    /// Its character within the line; the first is 1.
    pub column: usize,
}

impl ConditionError {
    pub(super) fn empty(part: &str) -> Self {
        Self::new(ConditionErrorKind::Empty, format!("the {part} is empty"), None)
    }

    pub(super) fn unknown_operator(operator: &str) -> Self {
        // Other flag servers, and the Vexilla before this one, have a name of their own for it.
        let hint = if operator == "MATCHES" { "; Flagr's is `EREG`" } else { "" };
        let message = format!("unknown operator {}{hint}", quoted(operator));
        Self::new(ConditionErrorKind::UnknownOperator, message, None)
    }

    pub(super) fn too_long(length: usize) -> Self {
        let message =
            format!("the condition is {length} bytes long, at most {MAX_LENGTH} are read");
        Self::new(ConditionErrorKind::TooLong, message, None)
    }

    /// A token at `offset` reads well but means nothing.
    pub(super) fn bad_literal(text: &str, offset: usize, message: String) -> Self {
        Self::new(ConditionErrorKind::Syntax, message, Some(TextPosition::find(text, offset)))
    }

    /// Puts the grammar's complaint about `text` into words.
    pub(super) fn from_grammar(text: &str, error: &pest::error::Error<Rule>) -> Self {
        let offset = match error.location {
            InputLocation::Pos(offset) | InputLocation::Span((offset, _)) => offset,
        };
        let position = Some(TextPosition::find(text, offset));
        let too_deep = |message| Self::new(ConditionErrorKind::TooDeep, message, position);
        match &error.variant {
            // The parser says this when it finds too little stack left to go on.
            ErrorVariant::CustomError { .. } => {
                too_deep("parentheses are nested too deep for this thread".into())
            }
            ErrorVariant::ParsingError { negatives, .. } if negatives.contains(&Rule::too_deep) => {
                too_deep(format!("parentheses are nested more than {MAX_DEPTH} deep"))
            }
            ErrorVariant::ParsingError { positives, .. } => {
                let found = next_token(text.get(offset..).unwrap_or_default());
                Self::new(ConditionErrorKind::Syntax, describe(positives, found), position)
            }
        }
    }

    fn new(kind: ConditionErrorKind, message: String, position: Option<TextPosition>) -> Self {
        Self { kind, message: message.into(), position }
    }

    /// What is wrong.
    pub fn kind(&self) -> ConditionErrorKind {
        self.kind
    }

    /// Where in the condition's text, which is the constraint as Flagr writes it: `({property} == value)`.
    pub fn position(&self) -> Option<TextPosition> {
        self.position
    }
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.position {
            Some(at) if at.line > 1 => write!(f, " (line {}, column {})", at.line, at.column),
            Some(at) => write!(f, " (column {})", at.column),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConditionError {}

impl TextPosition {
    fn find(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or(before);
        Self { offset, line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}

/// Shows a piece of the author's text, cut when it is long.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        None => format!("`{text}`"),
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
    }
}

/// Says what stands in the wrong place, and what the grammar would have taken there.
fn describe(wanted: &[Rule], found: &str) -> String {
    let wants = |rules: &[Rule]| rules.iter().any(|rule| wanted.contains(rule));
    if found.is_empty() {
        return "the condition ends too early: a quote, a bracket, a brace or a comment before it is not closed".into();
    }
    let found = quoted(found);
    if wants(&[Rule::dash, Rule::dot, Rule::index, Rule::ident]) {
        return format!(
            "unexpected {found} in a property: letters, digits, `_`, `-`, or a path such as `a.b[0]` may stand here"
        );
    }
    if wants(&[Rule::number, Rule::string]) {
        let text_meant =
            found.chars().nth(1).is_some_and(|it| it.is_alphabetic() || matches!(it, '\'' | '`'));
        let hint = if text_meant { ": a text needs double quotes" } else { "" };
        return format!("expected a value, found {found}{hint}");
    }
    if wants(&[Rule::and, Rule::equal]) {
        return format!(
            "expected an operator or the end, found {found}: a text or a pattern needs double quotes"
        );
    }
    format!("unexpected {found}")
}
