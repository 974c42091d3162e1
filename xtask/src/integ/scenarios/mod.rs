//! The scenarios, in the order in which they are run.
//!
//! A scenario waits for what it expects and for nothing else.

mod access;
mod changes;
mod decisions;
mod files;
mod outages;
mod remote;
mod webhooks;

use anyhow::Result;

use super::needs::{BASIC_AUTH, CONDITIONS, EVAL_ONLY, EXPOSURES, Need, RESULTS, TAGS, WEBHOOKS};
use super::stage::Stage;

/// Something that must work with a real Flagr.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) needs: &'static [Need],
    pub(super) body: fn(&Stage<'_>) -> Result<()>,
}

const fn scenario(
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
    body: fn(&Stage<'_>) -> Result<()>,
) -> Scenario {
    Scenario { name, about, needs, body }
}

/// For what sets up a Flagr of its own.
const SETTINGS: Need = Need::Settings;
const CONTROL: Need = Need::Control;
const WEBHOOK: &[Need] = &[SETTINGS, Need::Callback, Need::Flagr(&WEBHOOKS)];

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("load", "flags that were there are answered as Flagr does", &[], decisions::load),
    scenario("commands", "eval, check and export speak with Flagr", &[], decisions::commands),
    scenario(
        "verify",
        "20,000 generated cases come out alike",
        &[Need::Flagr(&CONDITIONS)],
        decisions::verify,
    ),
    scenario(
        "recorded",
        "2,000 recorded questions get the same answer from both",
        &[SETTINGS, Need::Files, Need::Flagr(&RESULTS)],
        files::recorded,
    ),
    scenario("change-by-poll", "a change arrives", &[], changes::by_poll),
    scenario("new-flag", "a flag that is made later arrives", &[], changes::new_flag),
    scenario("delete", "a deleted flag is unknown", &[], changes::delete),
    scenario("rename", "a renamed flag is known by its new key only", &[], changes::rename),
    scenario("tags", "batches by tag, ANY and ALL", &[Need::Flagr(&TAGS)], changes::tags),
    scenario(
        "filters",
        "with a filter, flags without the tag are not served",
        &[Need::Flagr(&TAGS)],
        changes::filters,
    ),
    scenario("disabled", "a disabled flag gives nothing", &[], changes::disabled),
    scenario(
        "quarantine",
        "a bad row in Flagr's database takes no flag away",
        &[SETTINGS, Need::Files],
        files::quarantine,
    ),
    scenario(
        "eval-only",
        "a Flagr that reads a file is followed",
        &[SETTINGS, Need::Files, Need::Flagr(&EVAL_ONLY)],
        files::eval_only,
    ),
    scenario("web-prefix", "a Flagr below a path", &[SETTINGS], access::web_prefix),
    scenario(
        "refused",
        "a Flagr that asks for a token is told apart from an outage",
        &[SETTINGS],
        access::refused,
    ),
    scenario(
        "basic-auth",
        "a Flagr that asks for a password",
        &[SETTINGS, Need::Flagr(&BASIC_AUTH)],
        access::basic,
    ),
    scenario("jwt-auth", "a Flagr that asks for a token", &[SETTINGS], access::jwt),
    scenario(
        "remote-rollouts",
        "partial rollouts are decided by Flagr, or here, alike",
        &[],
        remote::rollouts,
    ),
    scenario(
        "exposures",
        "an exposure reaches Flagr",
        &[SETTINGS, Need::Flagr(&EXPOSURES)],
        remote::exposures,
    ),
    scenario(
        "pass-through",
        "who writes through Vexilla reads the own write",
        &[],
        remote::pass_through,
    ),
    scenario("change-by-webhook", "a change arrives without a poll", WEBHOOK, webhooks::change),
    scenario(
        "webhook-lost",
        "a change arrives though its webhook does not",
        WEBHOOK,
        webhooks::lost,
    ),
    scenario(
        "outage-stopped",
        "Flagr is stopped, and started again with a change",
        &[SETTINGS, CONTROL],
        outages::stopped,
    ),
    scenario(
        "outage-killed",
        "Flagr is killed, and started again with a change",
        &[SETTINGS, CONTROL],
        outages::killed,
    ),
    scenario(
        "outage-paused",
        "Flagr accepts and does not answer, and goes on",
        &[SETTINGS, CONTROL],
        outages::paused,
    ),
    scenario(
        "start-in-outage",
        "without Flagr and without an archive the start fails and says why",
        &[SETTINGS, CONTROL],
        outages::start,
    ),
    scenario(
        "restart-in-outage",
        "Vexilla restarts from its archive while Flagr is away",
        &[SETTINGS, CONTROL],
        outages::restart,
    ),
];

#[cfg(test)]
mod tests;
