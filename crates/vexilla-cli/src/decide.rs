//! What `eval` and `explain` share: the context that is asked about, and words for what comes out.

use std::time::Duration;

use vexilla::{Client, Context, Evaluation, Level, Object, Reason, Records, Source, Stats, Value};
use vexilla_domain::json::write_value;

use crate::args::{DecideArgs, Rollouts};
use crate::error::CommandError;
use crate::settings::Settings;

impl DecideArgs {
    /// A client that has loaded the flags and asks nobody for a decision, or asks as a service would.
    pub(crate) async fn start(
        &self,
        rollouts: Rollouts,
        settings: &Settings,
    ) -> Result<Client, CommandError> {
        let records = match rollouts {
            Rollouts::Remote => Records::Remote,
            Rollouts::Local => Records::Off,
        };
        let builder = self.source.reader(settings).await?;
        let builder = builder.rollouts(rollouts.into()).records(records);
        builder.start().await.map_err(|error| self.source.failed(error))
    }

    /// Who is asked about, and what is known of them.
    pub(crate) fn context(&self) -> Result<Context, CommandError> {
        let is_object = matches!(self.context, None | Some(Value::Object(_)));
        if !is_object && !self.set.is_empty() {
            return Err(CommandError::SetWithoutObject);
        }
        let context = Context::new(&*self.entity_id)
            .with_entity_type(&*self.entity_type)
            .with_attributes(self.context.clone());
        let set =
            |context: Context, (key, value): &(String, Value)| context.with(key, value.clone());
        Ok(self.set.iter().fold(context, set))
    }
}

impl From<Rollouts> for vexilla::Rollouts {
    fn from(rollouts: Rollouts) -> Self {
        match rollouts {
            Rollouts::Remote => Self::Remote,
            Rollouts::Local => Self::Local,
        }
    }
}

/// Who decided, in words.
pub(crate) fn decided_by(source: Source) -> &'static str {
    match source {
        Source::Local => "the rules here",
        Source::Standby => "the rules here, since Flagr could not be asked",
        Source::Remote => "Flagr",
        Source::RemoteCached => "Flagr, a while ago",
        _ => "nobody",
    }
}

/// `revision 0.1, less than a minute old, from file examples/shop.json`
pub(crate) fn rules(stats: &Stats) -> String {
    let age = match stats.age.unwrap_or_default().as_secs() {
        0..60 => "less than a minute".to_owned(),
        seconds => humantime::format_duration(Duration::from_secs(seconds)).to_string(),
    };
    format!("revision {}, {age} old, from {}", stats.revision, stats.origin)
}

/// A reason with what it means.
pub(crate) fn reason(reason: Reason) -> String {
    let meaning = match reason {
        Reason::TargetingMatch => "a segment's constraints hold, and everybody there gets the same",
        Reason::Static => "a segment without constraints gives everybody the same",
        Reason::Split => "the entity's bucket chose the variant",
        Reason::NoMatch => "no segment's constraints hold",
        Reason::Holdout => "a segment's constraints hold, and its rollout leaves the entity out",
        Reason::NoSegments => "the flag has no segments",
        Reason::Disabled => "the flag is disabled",
        Reason::NotFound => "there is no such flag",
        Reason::Fallback => "nobody could decide",
        Reason::Error => "the flag is in error",
        _ => return reason.to_string(),
    };
    format!("{reason}: {meaning}")
}

/// What is wrong with a flag that is in error.
pub(crate) fn errors(client: &Client, evaluation: &Evaluation) -> Vec<String> {
    let Some(flag) = evaluation.flag.as_ref().filter(|_| evaluation.reason == Reason::Error) else {
        return Vec::new();
    };
    let of_this_flag = |level, key: &str| level == Level::Error && *key == *flag.key;
    let problems = client.problems().into_iter().filter(|it| of_this_flag(it.level, &it.flag));
    problems.map(|it| it.to_string()).collect()
}

/// `new-checkout (id 2)`
pub(crate) fn flag(evaluation: &Evaluation, asked: &str) -> String {
    match &evaluation.flag {
        Some(flag) => format!("{} (id {})", flag.key, flag.id),
        None => asked.to_owned(),
    }
}

/// `on (id 3)`
pub(crate) fn variant(evaluation: &Evaluation) -> String {
    match (&evaluation.variant, evaluation.variant_id.0) {
        (Some(variant), _) => format!("{} (id {})", variant.key, variant.id),
        (None, 0) => "none".to_owned(),
        (None, id) => format!("id {id}, which the flag does not have"),
    }
}

/// An object as JSON.
pub(crate) fn object_text(object: &Object) -> String {
    let mut json = Vec::new();
    write_value(&mut json, &Value::Object(object.clone()));
    String::from_utf8_lossy(&json).into_owned()
}
