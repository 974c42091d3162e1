//! The archive in memory.

use vexilla_domain::{ArchiveErrorKind, FlagArchive};

use super::MemoryArchive;
use crate::sample::{flags, saved};

#[tokio::test]
async fn it_gives_back_the_newest() {
    let archive = MemoryArchive::new();
    assert_eq!(archive.load().await.unwrap(), None);
    archive.save(&flags(1, 2)).await.unwrap();
    archive.save(&flags(1, 2)).await.unwrap();
    let error = archive.save(&flags(1, 1)).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Superseded);
    assert_eq!(error.to_string(), "memory holds the later revision 1.2");
    archive.save(&flags(2, 1)).await.unwrap();

    let loaded = archive.load().await.unwrap().unwrap();
    assert_eq!(&*loaded.origin, "memory");
    assert_eq!(saved(loaded), flags(2, 1));
    assert!(archive.leads().await);
}
