//! Values that may decide a constraint: some that match, some that nearly do, some of another type.

use fastrand::Rng;
use vexilla_domain::{Constraint, Number, Object, Value};

use super::literals::Literals;
use super::samples::sample;

/// What a property may hold; `None` leaves it out.
pub(crate) type Candidate = Option<Value>;

/// All candidates for a constraint, those that speak of its value first.
pub(crate) fn candidates(constraint: &Constraint, rng: &mut Rng) -> Vec<Candidate> {
    let literals = Literals::find(&constraint.value).values;
    let mut values = Vec::new();
    if constraint.operator.ends_with("EREG") {
        let text = constraint.value.trim();
        let pattern = text.trim_start_matches(['"', '/', '(']).trim_end_matches(['"', '/', ')']);
        for _ in 0..4 {
            near_text(&sample(pattern, rng), &mut values);
        }
    }
    for literal in &literals {
        match literal {
            Value::Number(number) => near_number(number, &mut values),
            Value::String(text) => near_text(text, &mut values),
            Value::Bool(value) => values.extend([Value::Bool(*value), Value::Bool(!value)]),
            _ => {}
        }
    }
    let lists: Vec<Value> = literals.iter().map(|it| Value::Array(vec![it.clone()])).collect();
    values.extend(lists);
    if 1 < literals.len() {
        values.push(Value::Array(literals));
    }
    values.extend(misfits());
    values.into_iter().map(Some).chain([None]).collect()
}

/// The number, others at the edge of equality with it, and other spellings and types of it.
fn near_number(number: &Number, values: &mut Vec<Value>) {
    values.push(Value::Number(number.clone()));
    if let Some(value) = number.as_f64() {
        for step in [5e-7, 9.99e-7, 1e-6, 1.000_001e-6, 2e-6, 1e-51, 1.5e-51, 1.0] {
            values.extend([Value::from(value + step), Value::from(value - step)]);
        }
        let related = [value * (1.0 + 9.99e-7), value * (1.0 + 1.01e-6), -value, value * 2.0, 0.0];
        values.extend(related.map(Value::from));
        values.extend(Number::from_json_text(&format!("{value:e}")).map(Value::Number));
        values.push(Value::Array(vec![Value::from(value), Value::from(value + 5e-7)]));
    }
    values.push(Value::from(number.to_string()));
}

/// The text, and others that look like it.
fn near_text(text: &str, values: &mut Vec<Value>) {
    values.push(Value::from(text));
    let mut shorter = text.chars();
    shorter.next_back();
    let look_alikes = [
        text.to_uppercase(),
        text.to_lowercase(),
        format!("{text}x"),
        format!("x{text}"),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{text}é"),
        shorter.as_str().to_owned(),
    ];
    values.extend(look_alikes.map(Value::from));
    values.push(Value::from(["other", text]));
    values.extend(Number::from_json_text(text).map(Value::Number));
    if let Ok(value) = text.parse::<bool>() {
        values.push(Value::Bool(value));
    }
}

/// Values that fit no operator, and plain ones that fit some without holding.
fn misfits() -> Vec<Value> {
    let object = Object::from_iter([(Box::from("x"), Value::from(1))]);
    vec![
        Value::Null,
        Value::from(""),
        Value::Bool(true),
        Value::from(0),
        Value::Array(Vec::new()),
        Value::Array(vec![Value::Null]),
        Value::from(["other"]),
        Value::from([-77]),
        Value::Array(vec![Value::from("a"), Value::from(1)]),
        Value::Array(vec![Value::from(1), Value::from("a")]),
        Value::Array(vec![Value::Bool(true)]),
        Value::Object(Object::new()),
        Value::Object(object),
        Number::from_json_text("1e400").map_or(Value::Null, Value::Number),
        Number::from_json_text("9007199254740993").map_or(Value::Null, Value::Number),
    ]
}
