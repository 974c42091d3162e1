//! Flagr's notifications.

use anyhow::Result;

use crate::integ::flagr::{Start, free_port};
use crate::integ::settings_of_vexilla::webhook_secret;
use crate::integ::stage::Stage;

const SECRET: &str = "vexilla-integ";

/// No poll can bring the change: the interval is an hour.
pub(super) fn change(stage: &Stage<'_>) -> Result<()> {
    let port = free_port()?;
    follows(stage, (port, port), "1h")
}

/// Flagr calls a port where nobody listens.
pub(super) fn lost(stage: &Stage<'_>) -> Result<()> {
    follows(stage, (free_port()?, free_port()?), "100ms")
}

fn follows(stage: &Stage<'_>, (called, listening): (u16, u16), interval: &str) -> Result<()> {
    let (us, bind) = stage.place.callback();
    let settings = vec![
        ("FLAGR_NOTIFICATION_WEBHOOK_ENABLED", "true".to_owned()),
        ("FLAGR_NOTIFICATION_WEBHOOK_URL", format!("http://{us}:{called}/webhook")),
        ("FLAGR_NOTIFICATION_WEBHOOK_HEADERS", format!("Authorization: Bearer {SECRET}")),
    ];
    let flagr = stage.flagr_with(&Start { settings, ..Start::default() })?;
    let key = stage.key("flag");
    let flag = flagr.rest().simple(&key)?;
    let listen = format!("{bind}:{listening}");
    let arguments = ["--webhook-listen", listen.as_str(), "--refresh-interval", interval];
    let vexilla = stage.vexilla_with(&flagr, &arguments, &webhook_secret(SECRET))?;
    stage.until_both_give(&vexilla, &flagr, &key, Some("on"))?;
    for variant in ["off", "on"] {
        flagr.rest().give(&flag, variant)?;
        stage.until_both_give(&vexilla, &flagr, &key, Some(variant))?;
    }
    flagr.rest().enable(flag.id, false)?;
    stage.until_both_give(&vexilla, &flagr, &key, None)
}
