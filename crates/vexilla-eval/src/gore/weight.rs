//! What a part of a pattern costs: the sizes that Go limits, and the depth that we limit.

use super::{
    MAX_DEPTH,
    error::{Complaint, Limit, PatternError},
};

/// Go's bound on the height of its tree.
const MAX_HEIGHT: u32 = 1000;

/// Go's bound on the number of instructions.
const MAX_SIZE: u64 = (128 << 20) / 40;

/// Go's bound on how often nested repeats copy one part.
const MAX_COPIES: u64 = 1000;

/// How often a part is repeated; `most` is missing when there is no upper bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) least: u32,
    pub(super) most: Option<u32>,
}

impl Counts {
    /// Whether Go takes the two numbers for themselves.
    pub(super) fn are_valid(self) -> bool {
        let in_order = self.most.is_none_or(|most| self.least <= most);
        in_order
            && [Some(self.least), self.most]
                .into_iter()
                .flatten()
                .all(|count| u64::from(count) <= MAX_COPIES)
    }

    /// How often the part is copied, at most.
    fn copies(self) -> u64 {
        u64::from(self.most.unwrap_or(self.least))
    }
}

/// The parts that Go's parser joins with their neighbours, and all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Plain characters, all read in the same case mode.
    Literal {
        folded: bool,
        single: bool,
    },
    /// One character out of several.
    Class,
    Sequence,
    Alternatives,
    Repeat,
    Other,
}

/// The cost of one part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    pub(super) shape: Shape,
    /// Height of Go's tree: groups that capture count. Go also rewrites alternatives that begin alike, which we do not
    /// follow: it moves the height by a few levels in a thousand.
    height: u32,
    /// Depth of the engine's tree: no group counts.
    depth: u32,
    /// Go's instructions.
    size: u64,
    /// The product of nested counts.
    copies: u64,
}

impl Weight {
    pub(super) fn of(shape: Shape) -> Self {
        Self { shape, height: 1, depth: 1, size: 1, copies: 0 }
    }

    /// One part after the other.
    pub(super) fn sequence(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined: Option<Self> = None;
        for part in parts {
            joined = Some(match joined {
                None => part,
                Some(before) => before.followed_by(part),
            });
        }
        joined.unwrap_or(Self::of(Shape::Other))
    }

    fn followed_by(self, next: Self) -> Self {
        match (self.shape, next.shape) {
            (Shape::Literal { folded, .. }, Shape::Literal { folded: also, .. })
                if folded == also =>
            {
                let shape = Shape::Literal { folded, single: false };
                Self { shape, size: self.size + next.size, ..self }
            }
            _ => self.joined_with(next, Shape::Sequence, 0),
        }
    }

    /// This part or the other.
    pub(super) fn or(self, other: Self) -> Self {
        if self.is_one_char() && other.is_one_char() {
            return Self::of(Shape::Class);
        }
        self.joined_with(other, Shape::Alternatives, 1)
    }

    fn is_one_char(self) -> bool {
        matches!(self.shape, Shape::Class | Shape::Literal { single: true, .. })
    }

    /// A list of parts does not nest in a list of the same shape: its own parts move up.
    fn joined_with(self, other: Self, shape: Shape, extra: u64) -> Self {
        let as_item = |level: u32, part: Self| if part.shape == shape { level } else { level + 1 };
        Self {
            shape,
            height: as_item(self.height, self).max(as_item(other.height, other)),
            depth: as_item(self.depth, self).max(as_item(other.depth, other)),
            size: self.size.saturating_add(other.size).saturating_add(extra),
            copies: self.copies.max(other.copies),
        }
    }

    pub(super) fn captured(self) -> Self {
        Self {
            shape: Shape::Other,
            height: self.height + 1,
            size: self.size.saturating_add(2),
            ..self
        }
    }

    /// `*`, `+`, `?`.
    pub(super) fn repeated(self) -> Self {
        let size = self.size.saturating_add(2);
        Self { shape: Shape::Repeat, height: self.height + 1, depth: self.depth + 1, size, ..self }
    }

    /// `{2,3}`. `None` when the counts multiply to more than Go allows.
    pub(super) fn counted(self, counts: Counts) -> Option<Self> {
        let copies = match counts {
            Counts { most: Some(0), .. } => 0,
            Counts { least: 0, most: None } => self.copies,
            _ => self.copies.max(1).saturating_mul(counts.copies()),
        };
        // An upper bound: what comes near Go's limit is far above ours.
        let size = self.size.saturating_mul(counts.copies().max(1)).saturating_add(counts.copies());
        let checked = counts.copies() >= 2;
        (!checked || copies <= MAX_COPIES).then_some(Self { size, copies, ..self.repeated() })
    }

    /// Fails when the part is more than Go or we allow.
    pub(super) fn check(self, pattern: &str) -> Result<(), PatternError> {
        if self.size > MAX_SIZE {
            return Err(Complaint::TooLarge.about(pattern));
        }
        if self.height > MAX_HEIGHT {
            return Err(Complaint::NestsTooDeeply.about(pattern));
        }
        if self.depth > MAX_DEPTH {
            return Err(PatternError::Limit(Limit::Depth));
        }
        Ok(())
    }
}
