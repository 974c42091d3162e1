//! Which variant an entity's bucket gives: Flagr's distribution and rollout, made a table at compile time.

use std::collections::HashMap;

use rapidhash::fast::RandomState;
use vexilla_domain::{Segment, VariantId};

use crate::bucket::BUCKETS;

/// Where a flag has its variants, by id. Of several with one id the last counts.
pub(crate) type Positions = HashMap<VariantId, u32, RandomState>;

/// A segment's distribution under its rollout.
#[derive(Debug)]
pub(crate) struct Rollout {
    /// As configured; above 100 means always.
    percent: u64,
    rows: Box<[Row]>,
    /// The outcome where it is the same for everybody.
    fixed: Option<Choice>,
}

/// A distribution row.
#[derive(Debug)]
struct Row {
    /// The first bucket behind the row's range: ten for each percent so far.
    end: u32,
    /// The first bucket of the range that the rollout leaves out.
    cut: u32,
    choice: Choice,
}

/// The variant of a distribution row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) variant_id: VariantId,
    /// Where the flag has that variant; none where a row names a variant that the flag lacks.
    pub(crate) position: Option<u32>,
}

/// What a bucket comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// This variant.
    In(Choice),
    /// The bucket is in a range, beyond what the rollout lets through.
    Out,
    /// The rollout is at 0 %.
    Closed,
    /// There are no distribution rows.
    Undistributed,
    /// The rows end before the bucket: percents that sum to less than 100, where Flagr panics.
    Uncovered,
}

impl Rollout {
    pub(crate) fn compile(segment: &Segment, positions: &Positions) -> Self {
        let percent = segment.rollout_percent;
        let mut start = 0_u32;
        let rows: Box<[Row]> = segment
            .distributions
            .iter()
            .map(|it| {
                let end = start.saturating_add(
                    u32::try_from(it.percent).unwrap_or(u32::MAX).saturating_mul(10),
                );
                let choice = Choice {
                    variant_id: it.variant_id,
                    position: positions.get(&it.variant_id).copied(),
                };
                let row = Row {
                    end,
                    cut: start.saturating_add(let_through(end - start, percent)),
                    choice,
                };
                start = end;
                row
            })
            .collect();
        let first = rows.iter().find(|row| row.end > 0);
        let fixed = first.filter(|row| percent >= 100 && row.end >= BUCKETS).map(|row| row.choice);
        Self { percent, rows, fixed }
    }

    /// The outcome that does not depend on the bucket, if there is one.
    #[inline]
    pub(crate) fn fixed(&self) -> Option<Choice> {
        self.fixed
    }

    /// Whether the outcome depends on the bucket.
    #[inline]
    pub(crate) fn is_split(&self) -> bool {
        self.fixed.is_none() && self.percent > 0 && !self.rows.is_empty()
    }

    /// What the bucket comes to (`flagr-semantics` 5.2 and 5.3).
    #[inline]
    pub(crate) fn outcome(&self, bucket: u32) -> Outcome {
        if self.percent == 0 {
            return Outcome::Closed;
        }
        if self.rows.is_empty() {
            return Outcome::Undistributed;
        }
        match self.row(bucket) {
            Some(row) if bucket < row.cut => Outcome::In(row.choice),
            Some(_) => Outcome::Out,
            None => Outcome::Uncovered,
        }
    }

    /// The row whose range holds the bucket.
    #[inline]
    fn row(&self, bucket: u32) -> Option<&Row> {
        self.rows.iter().find(|row| bucket < row.end)
    }

    /// What Flagr logs of a bucket's outcome.
    pub(crate) fn describe(&self, bucket: u32) -> String {
        let ids = self
            .rows
            .iter()
            .map(|row| row.choice.variant_id.to_string())
            .collect::<Vec<_>>()
            .join(" ");
        let ends = self.rows.iter().map(|row| row.end.to_string()).collect::<Vec<_>>().join(" ");
        let verdict = match self.outcome(bucket) {
            Outcome::Closed => return "rollout no. 0% rolloutPercent".to_owned(),
            Outcome::Undistributed => return "rollout no. there's no distribution set".to_owned(),
            Outcome::In(_) => "yes",
            Outcome::Out | Outcome::Uncovered => "no",
        };
        let chosen = self.row(bucket).map_or(VariantId(0), |row| row.choice.variant_id);
        format!(
            "rollout {verdict}. {{BucketNum:{bucket} DistributionArray:{{VariantIDs:[{ids}] \
             PercentsAccumulated:[{ends}]}} VariantID:{chosen} RolloutPercent:{}}}",
            self.percent
        )
    }

    /// The ranges for people: variant id, first bucket, first bucket left out, end.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range> {
        let starts = std::iter::once(0).chain(self.rows.iter().map(|row| row.end));
        self.rows.iter().zip(starts).map(|(row, start)| Range {
            choice: row.choice,
            start,
            cut: row.cut.min(row.end),
            end: row.end,
        })
    }

    pub(crate) fn row_bytes(&self) -> usize {
        size_of_val(&*self.rows)
    }

    pub(crate) fn percent(&self) -> u64 {
        self.percent
    }
}

/// A variant's range of buckets: `start..end`, of which the rollout lets `start..cut` through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) choice: Choice,
    pub(crate) start: u32,
    pub(crate) cut: u32,
    pub(crate) end: u32,
}

/// How many buckets at the start of a range of this width are let through: those with `100·k ≤ (width - 1)·percent`.
fn let_through(width: u32, percent: u64) -> u32 {
    match percent {
        0 => 0,
        100.. => u32::MAX,
        _ => {
            let last = u64::from(width.saturating_sub(1)) * percent / 100;
            u32::try_from(last).unwrap_or(u32::MAX).saturating_add(1)
        }
    }
}
