//! Rules of one flag.

use vexilla_domain::{Flag, Strictness};
use vexilla_eval::Ruleset;

pub(crate) fn rules_of(flag: Flag) -> Ruleset {
    Ruleset::compile(&[flag], Vec::new(), Strictness::AsStored, None).ruleset
}
