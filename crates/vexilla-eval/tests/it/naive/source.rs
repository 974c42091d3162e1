//! From constraints to the text that is parsed (6.1).

use vexilla_domain::Constraint;

/// All constraints of a segment, joined. None where a part is missing or the operator unknown.
pub(crate) fn segment(constraints: &[Constraint]) -> Option<String> {
    let texts: Option<Vec<String>> = constraints.iter().map(constraint).collect();
    Some(texts?.join(" AND "))
}

pub(crate) fn constraint(it: &Constraint) -> Option<String> {
    let symbol = match &*it.operator {
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
    };
    let value = it.value.trim();
    if it.property.is_empty() || value.is_empty() {
        return None;
    }
    let is_pattern = it.operator.ends_with("EREG");
    if is_pattern && value.len() >= 2 && value.starts_with('"') && value.ends_with('"') {
        let pattern = &value[1..value.len() - 1];
        if !pattern.contains('/') {
            return Some(format!("({{{}}} {symbol} /{pattern}/)", it.property));
        }
    }
    Some(format!("({{{}}} {symbol} {value})", it.property))
}
