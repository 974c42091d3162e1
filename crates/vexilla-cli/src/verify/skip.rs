//! Flags that are not asked for.

use vexilla_domain::{Flag, FlagName, FlagRef};
use vexilla_eval::Ruleset;

use super::literals::Literals;
use super::options::{Options, RecordedFlags};
use super::report::Skipped;

/// Why a flag is left out, if it is.
pub(crate) fn reason(flag: &Flag, rules: &Ruleset, options: &Options) -> Option<Skipped> {
    let held = rules.resolve(FlagRef { id: flag.id.0, key: "" });
    let reason = match held {
        None => "the rules do not hold it",
        Some(held) if held.is_broken() => "it has an error, and is not decided here",
        Some(held) if held.head().key != flag.key => "another flag has its id",
        Some(_) if flag.data_records_enabled && options.recorded_flags == RecordedFlags::Skip => {
            "Flagr records its evaluations"
        }
        Some(_) if reads_injected(flag) => {
            "it reads `@ts…` or `@http_…`, which Flagr may set by itself"
        }
        Some(_) => return None,
    };
    Some(Skipped::new(name(flag), reason))
}

pub(crate) fn name(flag: &Flag) -> FlagName {
    FlagName { id: flag.id, key: flag.key.clone() }
}

fn reads_injected(flag: &Flag) -> bool {
    let is_injected = |name: &str| {
        let name = name.trim_start();
        name.starts_with("@ts") || name.starts_with("@http_")
    };
    flag.segments.iter().flat_map(|it| &it.constraints).any(|it| {
        is_injected(&it.property)
            || Literals::find(&it.value).properties.iter().any(|it| is_injected(it))
    })
}
