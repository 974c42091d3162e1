//! Ids as Flagr numbers things: one newtype each, so that two of them are never mixed up.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A flag's id; its decimal text is also the salt of the flag's rollouts. 0 means "none".
    FlagId
    /// A segment's id. 0 means "none".
    SegmentId
    /// A constraint's id. 0 means "none".
    ConstraintId
    /// A distribution row's id. 0 means "none".
    DistributionId
    /// A variant's id. 0 means "none".
    VariantId
    /// A tag's id. 0 means "none".
    TagId
    /// The id of a flag's newest snapshot: it grows over a whole Flagr. 0 means "unknown", as in hand-written files and
    /// in the REST form of a flag.
    SnapshotId
}
