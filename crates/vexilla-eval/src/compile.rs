//! From a flag's definition to a flag that is ready to run. What Flagr would refuse is reported on the way.

use std::sync::atomic::{AtomicU32, Ordering};

use vexilla_domain::{
    Flag, FlagHead, Needs, Problem, Segment, SegmentId, Strategy, Strictness, VariantHead,
};

use crate::bucket::Salt;
use crate::condition::{self, ConditionError, Expr};
use crate::file_rules;
use crate::pattern::Complaint;
use crate::program::{Compiler, Program};
use crate::report::Report;
use crate::rollout::{Positions, Rollout};

/// A flag that is ready to run.
#[derive(Debug)]
pub struct CompiledFlag {
    pub(crate) head: FlagHead,
    pub(crate) status: Status,
    pub(crate) segments: Box<[CompiledSegment]>,
    pub(crate) variants: Box<[VariantHead]>,
    pub(crate) salt: Salt,
    pub(crate) needs: Needs,
    /// A hash of the definition it was compiled from.
    pub(crate) fingerprint: u64,
    /// See [`tag`](Self::tag).
    pub(crate) tag: AtomicU32,
}

/// Whether a flag can be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Enabled,
    Disabled,
    /// In error from the start: there is no good version.
    Broken,
}

#[derive(Debug)]
pub(crate) struct CompiledSegment {
    pub(crate) id: SegmentId,
    /// None without constraints: everybody matches.
    pub(crate) condition: Option<Condition>,
    pub(crate) rollout: Rollout,
}

#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) program: Program,
    /// Whether it reads a key that Flagr puts into contexts.
    pub(crate) reads_injected: bool,
    /// The joined expression, for whoever asks why.
    pub(crate) text: Box<str>,
}

impl CompiledFlag {
    /// What evaluations report of the flag.
    pub fn head(&self) -> &FlagHead {
        &self.head
    }

    /// Whether the flag is enabled.
    pub fn is_enabled(&self) -> bool {
        self.status == Status::Enabled
    }

    /// Whether the flag is in error and has no good version: it cannot be evaluated.
    pub fn is_broken(&self) -> bool {
        self.status == Status::Broken
    }

    /// Why Flagr is to decide it rather than the rules held here.
    #[inline]
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// The flag's variants.
    pub fn variants(&self) -> &[VariantHead] {
        &self.variants
    }

    /// The [`fingerprint`](crate::fingerprint) of the definition it was compiled from; 0 for one in error from the start.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// A number that whoever publishes the flag keeps with it, 0 at first. It stays while the flag is taken over from rules
    /// to rules, and decides nothing.
    #[inline]
    pub fn tag(&self) -> u32 {
        self.tag.load(Ordering::Relaxed)
    }

    /// Keeps another number with the flag.
    pub fn set_tag(&self, tag: u32) {
        self.tag.store(tag, Ordering::Relaxed);
    }

    /// Compiles one flag, as the rules do. `None` for one with an error, which they would quarantine.
    pub fn compile(flag: &Flag, strictness: Strictness) -> Option<Self> {
        let (mut compiler, mut problems) = (Compiler::default(), Vec::new());
        compile(flag, crate::fingerprint(flag), strictness, &mut compiler, &mut problems)
    }

    /// Whether it is only what the rules know of a flag whose body is elsewhere: it cannot be evaluated.
    #[inline]
    pub fn is_paged(&self) -> bool {
        self.needs.any_of(Needs::BODY)
    }

    /// What stays in the rules of a flag whose body goes elsewhere. One that is disabled or has no segments is decided
    /// by that.
    pub(crate) fn shell(&self) -> Self {
        let is_decided = self.status != Status::Enabled || self.segments.is_empty();
        let body = if is_decided { Needs::NOTHING } else { Needs::BODY };
        Self {
            head: self.head.clone(),
            segments: Box::default(),
            variants: Box::default(),
            needs: self.needs.and(body),
            status: self.status,
            salt: self.salt,
            fingerprint: self.fingerprint,
            tag: AtomicU32::new(self.tag()),
        }
    }

    /// A flag that is in error and has no good version: only its id and key are known.
    pub(crate) fn broken(problem: &Problem) -> Self {
        Self {
            head: FlagHead {
                id: problem.flag_id,
                key: problem.flag.clone(),
                ..FlagHead::default()
            },
            status: Status::Broken,
            segments: Box::default(),
            variants: Box::default(),
            salt: Salt::of(problem.flag_id),
            needs: Needs::REPAIR,
            fingerprint: 0,
            tag: AtomicU32::new(0),
        }
    }
}

/// Compiles one flag, or finds the errors that quarantine it. Warnings go to `problems` either way.
pub(crate) fn compile(
    flag: &Flag,
    fingerprint: u64,
    strictness: Strictness,
    compiler: &mut Compiler,
    problems: &mut Vec<Problem>,
) -> Option<CompiledFlag> {
    let mut report = Report::new(flag, problems);
    if strictness == Strictness::Checked {
        file_rules::check(flag, &mut report);
    }
    let variants: Box<[VariantHead]> = flag
        .variants
        .iter()
        .map(|it| VariantHead {
            id: it.id,
            key: it.key.clone(),
            attachment: it.attachment.as_ref().map(|it| compiler.shared_attachment(it)),
        })
        .collect();
    let positions: Positions = variants.iter().map(|it| it.id).zip(0..).collect();
    let segments: Box<[CompiledSegment]> = flag
        .segments
        .iter()
        .enumerate()
        .map(|(index, segment)| CompiledSegment {
            id: segment.id,
            condition: compile_condition(segment, index, strictness, compiler, &mut report),
            rollout: Rollout::compile(segment, &positions),
        })
        .collect();
    let needs = needs(flag, &segments);
    (report.errors == 0).then(|| CompiledFlag {
        head: FlagHead {
            id: flag.id,
            key: flag.key.clone(),
            snapshot_id: flag.snapshot_id,
            entity_type: flag.entity_type.clone(),
            tags: compiler.shared_tags(&flag.tags),
            data_records_enabled: flag.data_records_enabled,
        },
        status: if flag.enabled { Status::Enabled } else { Status::Disabled },
        segments,
        variants,
        salt: Salt::of(flag.id),
        needs,
        fingerprint,
        tag: AtomicU32::new(0),
    })
}

/// Why Flagr is to decide the flag. One that is disabled or has no segments is a blank, which Flagr does not record.
fn needs(flag: &Flag, segments: &[CompiledSegment]) -> Needs {
    if !flag.enabled || segments.is_empty() {
        return Needs::NOTHING;
    }
    let reads_injected = segments.iter().flat_map(|it| &it.condition).any(|it| it.reads_injected);
    let needs = [
        (flag.strategy() == Strategy::Remote, Needs::BUCKET),
        (flag.data_records_enabled, Needs::RECORD),
        (reads_injected, Needs::INJECTION),
    ];
    let needed = needs.into_iter().filter(|(applies, _)| *applies).map(|(_, need)| need);
    needed.fold(Needs::NOTHING, Needs::and)
}

/// Whether Flagr puts this key into contexts, where it is told to (`flagr-semantics` 7).
fn is_injected(key: &str) -> bool {
    key.starts_with("@ts") || key.starts_with("@http_")
}

fn compile_condition(
    segment: &Segment,
    index: usize,
    strictness: Strictness,
    compiler: &mut Compiler,
    report: &mut Report<'_>,
) -> Option<Condition> {
    if segment.constraints.is_empty() {
        return None;
    }
    let parts = segment.constraints.iter().map(|it| (&*it.property, &*it.operator, &*it.value));
    let joined = condition::segment_text(parts.clone());
    let parsed = joined.and_then(|text| condition::parse(&text).map(|expr| (text, expr)));

    // Flagr parses each constraint for itself when a file is loaded, and all of them together in any case. A single
    // one is both at once.
    let errors = report.errors;
    if parsed.is_err() || (strictness == Strictness::Checked && segment.constraints.len() > 1) {
        for (at, (property, operator, value)) in parts.enumerate() {
            if let Err(error) = parse_constraint(property, operator, value) {
                report.error(format!("segments[{index}].constraints[{at}]"), error.to_string());
            }
        }
    }
    match parsed {
        Ok((text, expr)) => {
            let reads_injected = expr.reads(&is_injected);
            let program = compiler.compile(expr);
            for complaint in compiler.complaints() {
                let path = format!("segments[{index}]");
                match complaint {
                    Complaint::NeverMatches(words) => {
                        report.warning(
                            path,
                            format!("{words}; Flagr accepts it, and it never matches"),
                        );
                    }
                    Complaint::Undecidable(words) => report.error(path, words),
                }
            }
            Some(Condition { program, reads_injected, text: text.into() })
        }
        Err(error) => {
            if report.errors == errors {
                let message = format!("the constraints are not a condition when joined: {error}");
                report.error(format!("segments[{index}].constraints"), message);
            }
            None
        }
    }
}

pub(crate) fn parse_constraint(
    property: &str,
    operator: &str,
    value: &str,
) -> Result<Expr, ConditionError> {
    condition::parse(&condition::constraint_text(property, operator, value)?)
}
