//! Each flag of a list for itself, from a server that does not give all of them with everything in them at once.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;
use vexilla_domain::json::{Row, repair};
use vexilla_domain::{FlagId, SourceError, SourceErrorKind};

use crate::api::{Api, FLAGS};
use crate::error;
use crate::exchange::Limits;
use crate::read::Answer;
use crate::reading::{self, Reading};

/// How many flags are asked for at a time.
const AT_ONCE: usize = 8;

impl Api {
    /// The flags of a list as they are by themselves: all of them or none. They share the time and the size of one bulk
    /// read.
    pub(crate) async fn with_details(&self, list: &Reading) -> Result<Reading, SourceError> {
        // A flag that cannot be read in the list may be readable by itself; it is not dropped in any case.
        let readable = list.rows.iter().map(Row::id);
        let ids: Vec<_> =
            readable.chain(list.rows.problems().iter().map(|it| it.flag_id)).collect();
        let Ok(flags) = timeout(self.bulk.total, self.details(ids)).await else {
            let call = self.client.call(&Method::GET, "/api/v1/flags/{id}");
            return Err(error::too_slow(&call, self.bulk.total).into());
        };
        self.parsed(FLAGS, flags?, reading::list).await
    }

    /// The bodies of these flags as an array.
    async fn details(&self, ids: Vec<FlagId>) -> Result<Vec<u8>, SourceError> {
        let bodies = stream::iter(ids).map(|id| self.detail(id)).buffer_unordered(AT_ONCE);
        let joined = bodies.try_fold(vec![b'['], async |mut joined, body| {
            if self.bulk.max_bytes < joined.len() + body.len() {
                let call = self.client.call(&Method::GET, "/api/v1/flags/{id}");
                return Err(error::too_large(&call, self.bulk.max_bytes).into());
            }
            if 1 < joined.len() {
                joined.push(b',');
            }
            joined.extend_from_slice(body.as_bytes());
            Ok(joined)
        });
        let mut joined = joined.await?;
        joined.push(b']');
        Ok(joined)
    }

    /// One flag as JSON.
    async fn detail(&self, id: FlagId) -> Result<String, SourceError> {
        let path = format!("{FLAGS}/{id}");
        let call = self.client.call(&Method::GET, &path);
        // Those that are under way at once must not be larger together than all of them may be.
        let limits = Limits { max_bytes: (self.bulk.max_bytes / AT_ONCE).max(1), ..self.bulk };
        match self.client.get(&path, &[], limits, self.retries).await? {
            Answer::Json(body) => {
                let body = repair(&body).into_owned();
                check_id(&call, &body, id)?;
                Ok(body)
            }
            Answer::Declined(it) if it.no_such_object() => Err(SourceError::new(
                SourceErrorKind::Unavailable,
                format!("{call}: the flag went away while the flags were read"),
            )),
            Answer::Declined(it) => Err(self.client.refused(&path, it.status)),
        }
    }
}

/// Checks that a body is one JSON object with this id in it. What else is in it is the reader's business.
pub(crate) fn check_id(call: &str, body: &str, id: FlagId) -> Result<(), SourceError> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }

    let read: Body = serde_json::from_str(body).map_err(|it| error::unreadable(call, &it))?;
    let told = read.id.and_then(|it| it.get().parse().ok()).map(FlagId);
    if told == Some(id) {
        return Ok(());
    }
    Err(error::unreadable(call, &"another flag than was asked for").into())
}
