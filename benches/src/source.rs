//! A source that has these flags and no others, or nothing to say at all.

use async_trait::async_trait;
use vexilla_domain::json::{Document, read_flags};
use vexilla_domain::{Depth, Fetch, FlagSource, Marker, SourceError, Strictness};

/// Gives an export once, and then says that nothing changed; without one it never answers.
#[derive(Debug)]
pub struct Flags(pub Option<Vec<u8>>);

#[async_trait]
impl FlagSource for Flags {
    async fn fetch(&self, seen: Option<&Marker>, _: Depth) -> Result<Fetch, SourceError> {
        let Some(export) = &self.0 else { return std::future::pending().await };
        let document = || read_flags(export).unwrap();
        let changed: Option<Document> = seen.is_none().then(document);
        Ok(Fetch { changed, marker: Marker::default(), again_in: None })
    }

    fn describe(&self) -> String {
        "flags of a benchmark".to_owned()
    }

    fn strictness(&self) -> Strictness {
        Strictness::AsStored
    }
}
