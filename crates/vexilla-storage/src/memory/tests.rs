//! The archive in memory.

use vexilla_domain::{ArchiveErrorKind, Confirmation, FlagArchive};

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

#[tokio::test]
async fn it_takes_confirmations_of_what_it_has() {
    let archive = MemoryArchive::new();
    let confirmation = Confirmation { refreshed_at_ms: 7, ..flags(1, 2).confirmation() };
    assert!(!archive.confirm(&confirmation).await.unwrap());
    assert_eq!(archive.held().await.unwrap(), None);
    archive.save(&flags(1, 2)).await.unwrap();
    assert_eq!(archive.held().await.unwrap(), Some(flags(1, 2).confirmation()));
    assert!(archive.confirm(&confirmation).await.unwrap());
    assert_eq!(archive.load().await.unwrap().unwrap().confirmation(), confirmation);
    let others = Confirmation { content: 0, ..confirmation };
    assert!(!archive.confirm(&others).await.unwrap());
}
