//! Builds the text of a condition from constraints, exactly as Flagr does.

use super::error::ConditionError;

/// The text of one constraint: `({property} operator value)`.
///
/// Nothing is escaped. A regular expression in quotes is rewritten to the form `/…/` when it holds no `/`,
/// which is why white space in it gets lost.
///
/// # Errors
///
/// A part is empty, the value is blank, or the operator is unknown.
pub(crate) fn constraint_text(
    property: &str,
    operator: &str,
    value: &str,
) -> Result<String, ConditionError> {
    let trimmed = value.trim();
    for (part, text) in [("property", property), ("operator", operator), ("value", trimmed)] {
        if text.is_empty() {
            return Err(ConditionError::empty(part));
        }
    }
    let symbol = symbol(operator).ok_or_else(|| ConditionError::unknown_operator(operator))?;
    Ok(match trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(pattern) if matches!(symbol, "=~" | "!~") && !pattern.contains('/') => {
            format!("({{{property}}} {symbol} /{pattern}/)")
        }
        _ => format!("({{{property}}} {symbol} {trimmed})"),
    })
}

/// The text of a segment: its constraints as `(property, operator, value)`, all of which must hold.
/// It is parsed as a whole, so one constraint can change what the others mean. No constraints give no text.
///
/// # Errors
///
/// See [`constraint_text`]; the first constraint that fails decides.
pub(crate) fn segment_text<'a>(
    constraints: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
) -> Result<String, ConditionError> {
    let mut text = String::new();
    for (property, operator, value) in constraints {
        if !text.is_empty() {
            text.push_str(" AND ");
        }
        text.push_str(&constraint_text(property, operator, value)?);
    }
    Ok(text)
}

/// The operator as the condition language writes it.
fn symbol(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "EQ" => "==",
        "NEQ" => "!=",
        "LT" => "<",
        "LTE" => "<=",
        "GT" => ">",
        "GTE" => ">=",
        "EREG" => "=~",
        "NEREG" => "!~",
        "IN" => "IN",
        "NOTIN" => "NOT IN",
        "CONTAINS" => "CONTAINS",
        "NOTCONTAINS" => "NOT CONTAINS",
        _ => return None,
    })
}
