//! Flagrs that are not simply there.

use anyhow::{Result, ensure};

use crate::integ::flagr::Start;
use crate::integ::settings_of_vexilla::{bearer, login};
use crate::integ::stage::Stage;

const SECRET: &str = "vexilla-integ";

/// Of `{"sub":"integ"}`, signed with [`SECRET`] by HS256.
const TOKEN: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJpbnRlZyJ9.",
    "0X-dkBJeTopvRx5bddnGC3DXSEXInMTswuy1iXoybyI"
);
const BEARER: &str = concat!(
    "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJpbnRlZyJ9.",
    "0X-dkBJeTopvRx5bddnGC3DXSEXInMTswuy1iXoybyI"
);

/// `integ` with [`SECRET`] as its password.
const LOGIN: &str = "Basic aW50ZWc6dmV4aWxsYS1pbnRlZw==";

pub(super) fn web_prefix(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr_with(&Start { prefix: "/flags/of/ours", ..Start::default() })?;
    let key = stage.key("flag");
    let flag = flagr.rest().simple(&key)?;
    let vexilla = stage.vexilla(&flagr)?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("on"))?;
    flagr.rest().give(&flag, "off")?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("off"))
}

fn with_tokens() -> Start {
    let settings = vec![
        ("FLAGR_JWT_AUTH_ENABLED", "true".to_owned()),
        ("FLAGR_JWT_AUTH_SECRET", SECRET.to_owned()),
        ("FLAGR_JWT_AUTH_NO_TOKEN_REDIRECT_URL", "http://127.0.0.1:9/login".to_owned()),
    ];
    Start { settings, authorization: Some(BEARER), ..Start::default() }
}

/// Flagr answers with a redirect to a login page, which is neither flags nor an outage.
pub(super) fn refused(stage: &Stage<'_>) -> Result<()> {
    let flagr = stage.flagr_with(&with_tokens())?;
    flagr.rest().simple(&stage.key("flag"))?;
    let said = stage.vexilla_fails(&flagr)?;
    ensure!(said.starts_with("error: "), "it says {said}");
    ensure!(said.contains("307"), "it does not tell what Flagr answered: {said}");
    Ok(())
}

pub(super) fn jwt(stage: &Stage<'_>) -> Result<()> {
    follows(stage, &with_tokens(), &bearer(TOKEN))
}

pub(super) fn basic(stage: &Stage<'_>) -> Result<()> {
    let settings = vec![
        ("FLAGR_BASIC_AUTH_ENABLED", "true".to_owned()),
        ("FLAGR_BASIC_AUTH_USERNAME", "integ".to_owned()),
        ("FLAGR_BASIC_AUTH_PASSWORD", SECRET.to_owned()),
    ];
    let start = Start { settings, authorization: Some(LOGIN), ..Start::default() };
    follows(stage, &start, &login("integ", SECRET))
}

/// Loads from such a Flagr and follows a change.
fn follows(stage: &Stage<'_>, start: &Start, environment: &[(&str, &str)]) -> Result<()> {
    let flagr = stage.flagr_with(start)?;
    let key = stage.key("flag");
    let flag = flagr.rest().simple(&key)?;
    let vexilla = stage.vexilla_with(&flagr, &[], environment)?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("on"))?;
    flagr.rest().give(&flag, "off")?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("off"))
}
