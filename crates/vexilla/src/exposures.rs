//! What people saw: checked as Flagr checks it, and given to the courier.

use async_trait::async_trait;
use vexilla_domain::{
    Context, Evaluation, ExposeError, ExposeErrorKind, Exposure, ExposureInbox, FlagRef, Reason,
    RowError,
};
use vexilla_eval::CompiledFlag;

use crate::client::Client;
use crate::courier::Courier;
use crate::go_quote::quoted;
use crate::parcel;
use crate::published::Published;

impl Client {
    /// Tells Flagr that the entity of this context saw what this evaluation decided: an impression, which is another thing
    /// than an evaluation.
    ///
    /// It returns once the exposure is kept: in the queue in memory and, where
    /// [`ExposureConfig::spool`](crate::ExposureConfig::spool) names a folder, on the disk. From there it is sent in the
    /// background, again and again while Flagr is away. It arrives, or it is counted in
    /// [`Stats::exposures`](vexilla_domain::Stats::exposures) as dropped.
    ///
    /// It may arrive more than once, since Flagr does not tell one that comes twice from two: after a process was killed one
    /// batch at most is sent again, and so is a batch whose answer was lost.
    ///
    /// # Errors
    ///
    /// If Flagr would refuse it, if it cannot be kept, if the client was stopped, without a Flagr, or while that has no path
    /// for exposures.
    pub async fn expose(&self, evaluation: &Evaluation, ctx: &Context) -> Result<(), ExposeError> {
        let invalid = |why: &str| ExposeError::new(ExposeErrorKind::Invalid, why);
        let courier = self.exposures()?;
        let flag = evaluation.flag.as_ref().ok_or_else(|| invalid("flag not found"))?;
        if ctx.entity_id().is_empty() {
            return Err(invalid("entityID is required"));
        }
        if evaluation.variant.is_none() && evaluation.variant_id.0 != 0 {
            return Err(invalid(&no_such_id(evaluation.variant_id.0)));
        }
        let exposure = Exposure {
            flag_id: flag.id,
            flag_key: flag.key.clone(),
            variant_id: evaluation.variant_id,
            variant_key: evaluation.variant_key().unwrap_or_default().into(),
            snapshot_id: flag.snapshot_id,
            entity_id: ctx.entity_id().into(),
            entity_type: ctx.entity_type().into(),
            entity_context: ctx.attributes().cloned(),
            at: Some(self.parts().clock.now()),
        };
        courier.take(vec![parcel::write(&exposure)]).await
    }

    fn exposures(&self) -> Result<&Courier, ExposeError> {
        self.shared().exposures.get().ok_or_else(|| {
            ExposeError::new(ExposeErrorKind::NoFlagr, "there is no Flagr to be told")
        })
    }
}

/// Rows from a server.
#[async_trait]
impl ExposureInbox for Client {
    async fn take(&self, rows: Vec<Option<Exposure>>) -> Result<Vec<RowError>, ExposeError> {
        let courier = self.exposures()?;
        let mut published = self.shared().cell.load_full();
        let is_unknown =
            |row: &Option<Exposure>| check(row.as_ref(), &published).is_err_and(|it| it.may_be_new);
        if rows.iter().any(is_unknown) && self.look_for_unknown().await {
            published = self.shared().cell.load_full();
        }
        let now = self.parts().clock.now();
        let (mut records, mut errors) = (Vec::with_capacity(rows.len()), Vec::new());
        for (index, row) in rows.into_iter().enumerate() {
            match (check(row.as_ref(), &published), row) {
                (Ok(()), Some(mut row)) => {
                    row.at.get_or_insert(now);
                    records.push(parcel::write(&row));
                }
                (Ok(()), None) => {}
                (Err(wrong), _) => errors.push(RowError { index, message: wrong.message }),
            }
        }
        if !records.is_empty() {
            courier.take(records).await?;
        }
        Ok(errors)
    }
}

/// A row that Flagr refuses.
struct Wrong {
    message: Box<str>,
    /// What is missing may be new in Flagr.
    may_be_new: bool,
}

fn wrong(message: impl Into<Box<str>>) -> Wrong {
    Wrong { message: message.into(), may_be_new: false }
}

fn unknown(message: impl Into<Box<str>>) -> Wrong {
    Wrong { message: message.into(), may_be_new: true }
}

/// Checks a row in Flagr's order and words (`flagr-semantics` 9.4). What is not known here is for Flagr to judge: it tells
/// when the row is sent.
fn check(row: Option<&Exposure>, published: &Published) -> Result<(), Wrong> {
    let Some(row) = row else { return Err(wrong("exposure row is null")) };
    if row.entity_id.is_empty() {
        return Err(wrong("entityID is required"));
    }
    let (by_id, by_key) = (row.flag_id.0 != 0, !row.flag_key.is_empty());
    if !by_id && !by_key {
        return Err(wrong("flagID or flagKey is required"));
    }
    if published.is_empty() {
        return Ok(());
    }
    let rules = &published.ruleset;
    let id = row.flag_id.0;
    let flag_of_id = if by_id { rules.resolve(FlagRef { id, key: "" }) } else { None };
    let flag_of_key = if by_key { rules.find(&row.flag_key) } else { None };
    match (flag_of_id, flag_of_key) {
        (Some(one), Some(other)) if one.head().id != other.head().id => {
            Err(wrong("flagID and flagKey refer to different flags"))
        }
        (_, Some(flag)) | (Some(flag), None) => check_variant(row, flag),
        (None, None) => {
            let is_kept_out = (by_id && published.absent(&id.to_string()) == Reason::Filtered)
                || (by_key && published.absent(&row.flag_key) == Reason::Filtered);
            if is_kept_out { Ok(()) } else { Err(unknown("flag not found")) }
        }
    }
}

fn check_variant(row: &Exposure, flag: &CompiledFlag) -> Result<(), Wrong> {
    let (id, key) = (row.variant_id, &row.variant_key);
    if flag.is_broken() || (id.0 == 0 && key.is_empty()) {
        return Ok(());
    }
    // Of several that have a key, the last counts.
    let of_id = flag.variants().iter().rfind(|it| it.id == id);
    let of_key = flag.variants().iter().rfind(|it| it.key == *key);
    match (of_id, of_key) {
        (None, _) if id.0 != 0 => Err(unknown(no_such_id(id.0))),
        (_, None) if !key.is_empty() => {
            Err(unknown(format!("variantKey {} not found on flag", quoted(key))))
        }
        (Some(one), Some(other)) if id.0 != 0 && !key.is_empty() && one != other => {
            Err(wrong("variantID and variantKey do not match"))
        }
        _ => Ok(()),
    }
}

fn no_such_id(id: u64) -> String {
    format!("variantID {id} not found on flag")
}

#[cfg(test)]
mod tests;
