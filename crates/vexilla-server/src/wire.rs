//! Flagr's answers, byte for byte: members in alphabetical order, zero values left out (`flagr-semantics` 4.5).

use std::time::SystemTime;

use jiff::fmt::temporal::DateTimePrinter;
use vexilla_domain::json::{write_string, write_value};
use vexilla_domain::{
    Answer, Batch, BatchAnswer, Context, Debug, DebugLog, FlagRef, SelectedBy, TagsOperator, Value,
    VariantHead,
};

/// What of a request, beside the entity, is repeated in its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked<'a> {
    /// The flag that was named.
    pub flag: FlagRef<'a>,
    /// The tags that were named; on a single evaluation they are repeated and mean nothing.
    pub flag_tags: &'a [Box<str>],
    /// How the tags were to be combined, if it was said.
    pub flag_tags_operator: Option<TagsOperator>,
    /// Whether an explanation was asked for.
    pub debug: Debug,
}

/// The body of Flagr's `POST /evaluation`, with the newline at its end.
///
/// ```
/// use std::time::SystemTime;
/// use vexilla_domain::{Answer, Context, DebugLog, EvaluationRef, Reason};
/// use vexilla_server::wire::{Asked, evaluation_body};
///
/// let answer = Answer {
///     evaluation: EvaluationRef::blank(None, Reason::NotFound).to_owned(),
///     entity_id: "".into(),
///     log: DebugLog { message: "flagID 0 not found or deleted".into(), segments: None },
/// };
/// let body = evaluation_body(&Asked::default(), &Context::default(), &answer, SystemTime::UNIX_EPOCH);
/// assert_eq!(
///     String::from_utf8_lossy(&body),
///     concat!(
///         r#"{"evalContext":{},"evalDebugLog":{"msg":"flagID 0 not found or deleted","segmentDebugLogs":null},"#,
///         r#""recordSource":"evaluation","timestamp":"1970-01-01T00:00:00Z"}"#,
///         "\n"
///     )
/// );
/// ```
pub fn evaluation_body(
    asked: &Asked<'_>,
    context: &Context,
    answer: &Answer,
    now: SystemTime,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(768);
    write_evaluation(&mut out, asked, context, answer, &Timestamp::at(now));
    out.push(b'\n');
    out
}

/// The body of Flagr's `POST /evaluation/batch`, with the newline at its end. `operator` is how the tags were to be
/// combined, if it was said. `None` as soon as it is longer than `most` bytes.
pub fn batch_body(
    batch: &Batch<'_>,
    operator: Option<TagsOperator>,
    answers: &[BatchAnswer],
    now: SystemTime,
    most: usize,
) -> Option<Vec<u8>> {
    let nobody = Context::default();
    let timestamp = Timestamp::at(now);
    let mut out =
        Vec::with_capacity(answers.len().saturating_mul(512).saturating_add(64).min(most));
    out.extend_from_slice(b"{\"evaluationResults\":[");
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let mut asked = Asked { debug: batch.debug, ..Asked::default() };
        match answer.selected_by {
            SelectedBy::Id(id) => asked.flag.id = id,
            SelectedBy::Key(index) => {
                asked.flag.key = batch.flag_keys.get(index).map_or("", |key| key);
            }
            SelectedBy::Tags => {
                asked.flag_tags = batch.flag_tags;
                asked.flag_tags_operator = operator;
            }
        }
        let context = batch.entities.get(answer.entity).unwrap_or(&nobody);
        write_evaluation(&mut out, &asked, context, &answer.answer, &timestamp);
        if most < out.len() {
            return None;
        }
    }
    out.extend_from_slice(b"]}\n");
    (out.len() <= most).then_some(out)
}

const PRINTER: DateTimePrinter = DateTimePrinter::new();

/// A time as RFC 3339 in UTC, in whole seconds.
struct Timestamp(Vec<u8>);

impl Timestamp {
    fn at(now: SystemTime) -> Self {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.as_secs());
        let time = i64::try_from(seconds).ok().and_then(|it| jiff::Timestamp::from_second(it).ok());
        let mut out = Vec::with_capacity(20);
        // INVARIANT: writing to memory does not fail.
        let _done = PRINTER.print_timestamp(&time.unwrap_or_default(), &mut out);
        Self(out)
    }
}

/// Writes the members of an object that are there.
struct Members<'o> {
    out: &'o mut Vec<u8>,
    before: u8,
}

impl<'o> Members<'o> {
    fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, before: b'{' }
    }

    /// Opens a member; its value is to be written next.
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.out.push(self.before);
        self.before = b',';
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// The same with a name that has to be escaped.
    fn any_name(&mut self, name: &str) -> &mut Vec<u8> {
        self.out.push(self.before);
        self.before = b',';
        write_string(self.out, name);
        self.out.push(b':');
        self.out
    }

    fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            write_string(self.name(name), value);
        }
    }

    /// A text in which nothing has to be escaped.
    fn plain(&mut self, name: &str, value: &[u8]) {
        let out = self.name(name);
        out.push(b'"');
        out.extend_from_slice(value);
        out.push(b'"');
    }

    fn number(&mut self, name: &str, value: u64) {
        if value != 0 {
            write_decimal(self.name(name), value);
        }
    }

    fn flag(&mut self, name: &str, set: bool) {
        if set {
            self.name(name).extend_from_slice(b"true");
        }
    }

    fn texts(&mut self, name: &str, values: &[Box<str>]) {
        if !values.is_empty() {
            let mut before = b'[';
            let out = self.name(name);
            for value in values {
                out.push(before);
                before = b',';
                write_string(out, value);
            }
            out.push(b']');
        }
    }

    fn end(self) {
        if self.before == b'{' {
            self.out.push(b'{');
        }
        self.out.push(b'}');
    }
}

/// Writes the digits of a number; formatting it would take several times as long.
fn write_decimal(out: &mut Vec<u8>, mut value: u64) {
    let start = out.len();
    loop {
        out.push(b'0' + u8::try_from(value % 10).unwrap_or(0));
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

fn write_evaluation(
    out: &mut Vec<u8>,
    asked: &Asked<'_>,
    context: &Context,
    answer: &Answer,
    timestamp: &Timestamp,
) {
    let evaluation = &answer.evaluation;
    let flag = evaluation.flag.as_ref();
    let mut members = Members::new(out);
    members.flag("dataRecordsEnabled", flag.is_some_and(|it| it.data_records_enabled));
    write_eval_context(members.name("evalContext"), asked, context, answer);
    write_debug_log(members.name("evalDebugLog"), &answer.log);
    members.number("flagID", flag.map_or(asked.flag.id, |it| it.id.0));
    members.text("flagKey", flag.map_or(asked.flag.key, |it| &it.key));
    members.number("flagSnapshotID", flag.map_or(0, |it| it.snapshot_id.0));
    members.texts("flagTags", flag.map_or(&[], |it| &it.tags));
    members.plain("recordSource", b"evaluation");
    members.number("segmentID", evaluation.segment_id.0);
    members.plain("timestamp", &timestamp.0);
    if let Some(variant) = &evaluation.variant {
        write_attachment(members.name("variantAttachment"), variant);
    }
    members.number("variantID", evaluation.variant_id.0);
    members.text("variantKey", evaluation.variant_key().unwrap_or_default());
    members.end();
}

fn write_eval_context(out: &mut Vec<u8>, asked: &Asked<'_>, context: &Context, answer: &Answer) {
    let (mut entity_id, mut entity_type) = (context.entity_id(), context.entity_type());
    if answer.evaluation.reason.reached_segments() {
        entity_id = &answer.entity_id;
        if let Some(flag) = answer.evaluation.flag.as_ref().filter(|it| !it.entity_type.is_empty())
        {
            entity_type = &flag.entity_type;
        }
    }
    let mut members = Members::new(out);
    members.flag("enableDebug", asked.debug == Debug::On);
    match context.attributes() {
        None | Some(Value::Null) => {}
        Some(attributes) => write_value(members.name("entityContext"), attributes),
    }
    members.text("entityID", entity_id);
    members.text("entityType", entity_type);
    members.number("flagID", asked.flag.id);
    members.text("flagKey", asked.flag.key);
    members.texts("flagTags", asked.flag_tags);
    match asked.flag_tags_operator {
        None => {}
        Some(TagsOperator::Any) => members.text("flagTagsOperator", "ANY"),
        Some(TagsOperator::All) => members.text("flagTagsOperator", "ALL"),
    }
    members.end();
}

fn write_debug_log(out: &mut Vec<u8>, log: &DebugLog) {
    let mut members = Members::new(out);
    members.text("msg", &log.message);
    let out = members.name("segmentDebugLogs");
    match &log.segments {
        None => out.extend_from_slice(b"null"),
        Some(segments) => {
            out.push(b'[');
            for (index, segment) in segments.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                let mut members = Members::new(out);
                members.text("msg", &segment.message);
                members.number("segmentID", segment.segment_id.0);
                members.end();
            }
            out.push(b']');
        }
    }
    members.end();
}

fn write_attachment(out: &mut Vec<u8>, variant: &VariantHead) {
    match &variant.attachment {
        None => out.extend_from_slice(b"null"),
        Some(attachment) => {
            let mut members = Members::new(out);
            for (name, value) in attachment.iter() {
                write_value(members.any_name(name), value);
            }
            members.end();
        }
    }
}

#[cfg(test)]
mod tests;
