//! Archives behind each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use vexilla_domain::{
    ArchiveError, ArchiveErrorKind, Archived, Confirmation, FlagArchive, Marker, Revision,
};

use super::StackedArchive;
use super::layer::{Layer, Work};
use crate::MemoryArchive;
use crate::sample::{flags, saved};

/// An archive that is out of order.
#[derive(Debug)]
struct Broken(ArchiveErrorKind);

#[async_trait]
impl FlagArchive for Broken {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        Err(ArchiveError::new(self.0, "broken"))
    }

    async fn save(&self, _: &Archived) -> Result<(), ArchiveError> {
        Err(ArchiveError::new(self.0, "broken"))
    }

    async fn confirm(&self, _: &Confirmation) -> Result<bool, ArchiveError> {
        Err(ArchiveError::new(self.0, "broken"))
    }

    async fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        Err(ArchiveError::new(self.0, "broken"))
    }

    fn describe(&self) -> String {
        "broken".into()
    }
}

/// An archive that another process leads, and has changed.
#[derive(Debug, Default)]
struct Follower {
    released: AtomicBool,
}

#[async_trait]
impl FlagArchive for Follower {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        Ok(None)
    }

    async fn save(&self, _: &Archived) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn describe(&self) -> String {
        "follower".into()
    }

    async fn changed(&self) {}

    async fn leads(&self) -> bool {
        false
    }

    async fn release(&self) {
        self.released.store(true, Ordering::Relaxed);
    }
}

async fn holding(epoch: u64, sequence: u64) -> Arc<dyn FlagArchive> {
    let archive = MemoryArchive::new();
    archive.save(&flags(epoch, sequence)).await.unwrap();
    Arc::new(archive)
}

fn broken() -> Arc<dyn FlagArchive> {
    Arc::new(Broken(ArchiveErrorKind::Unavailable))
}

#[tokio::test]
async fn the_newest_of_all_layers_is_loaded() {
    let check = async |layers: Vec<Arc<dyn FlagArchive>>, expected: Option<Archived>| {
        let loaded = StackedArchive::new(layers).load().await.unwrap();
        assert_eq!(loaded.map(saved), expected);
    };
    let empty = || Arc::new(MemoryArchive::new()) as Arc<dyn FlagArchive>;
    check(vec![], None).await;
    check(vec![empty(), empty()], None).await;
    check(vec![holding(1, 2).await, holding(1, 1).await], Some(flags(1, 2))).await;
    check(vec![holding(1, 2).await, holding(2, 1).await], Some(flags(2, 1))).await;
    check(vec![empty(), holding(1, 1).await], Some(flags(1, 1))).await;
    check(vec![broken(), holding(1, 1).await], Some(flags(1, 1))).await;
    check(vec![holding(1, 1).await, broken()], Some(flags(1, 1))).await;
    check(vec![broken(), empty()], None).await;
}

#[tokio::test]
async fn a_load_and_a_save_fail_if_all_layers_do() {
    let archive = StackedArchive::new(vec![broken(), broken()]);
    assert_eq!(archive.load().await.unwrap_err().kind(), ArchiveErrorKind::Unavailable);
    let error = archive.save(&flags(1, 1)).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Unavailable);
}

#[tokio::test]
async fn all_layers_are_saved_to() {
    let (first, second) = (Arc::new(MemoryArchive::new()), Arc::new(MemoryArchive::new()));
    let archive = StackedArchive::new(vec![first.clone(), broken(), second.clone()]);
    let error = archive.save(&flags(1, 1)).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Incomplete, "one of them has none");
    let states = archive.layers();
    let errors: Vec<_> = states.iter().map(|it| it.error.as_deref()).collect();
    assert_eq!(errors, [None, Some("broken"), None]);
    for layer in [first, second] {
        assert_eq!(layer.load().await.unwrap().map(saved), Some(flags(1, 1)));
    }
}

#[tokio::test]
async fn a_later_revision_in_the_first_layer_wins() {
    let archive = StackedArchive::new(vec![holding(1, 5).await, holding(1, 1).await]);
    let error = archive.save(&flags(1, 2)).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Superseded);

    // In another one it is no reason to give up: the first one is what the fleet goes by.
    let archive = StackedArchive::new(vec![holding(1, 1).await, holding(1, 5).await]);
    archive.save(&flags(1, 2)).await.unwrap();
}

#[tokio::test]
async fn the_shared_layer_says_who_leads() {
    let follower = Arc::new(Follower::default());
    let archive = StackedArchive::new(vec![follower.clone(), Arc::new(MemoryArchive::new())]);
    assert!(!archive.leads().await);
    archive.changed().await;
    archive.release().await;
    assert!(follower.released.load(Ordering::Relaxed));
    assert_eq!(archive.describe(), "follower, then memory");

    let alone = StackedArchive::new(vec![Arc::new(MemoryArchive::new())]);
    assert!(alone.leads().await);
    assert!(StackedArchive::new(vec![]).leads().await);
}

#[tokio::test]
async fn what_one_layer_has_is_passed_on_to_those_that_have_less() {
    let check = async |first: Option<Archived>, second: Option<Archived>, expected: Archived| {
        let layers = [Arc::new(MemoryArchive::new()), Arc::new(MemoryArchive::new())];
        for (layer, flags) in layers.iter().zip([first, second]) {
            if let Some(flags) = flags {
                layer.save(&flags).await.unwrap();
            }
        }
        let stack = layers.iter().map(|it| Arc::clone(it) as Arc<dyn FlagArchive>).collect();
        let archive = StackedArchive::new(stack).of_source(flags(1, 1).source);
        assert_eq!(archive.load().await.unwrap().map(saved), Some(expected.clone()));
        for layer in layers {
            assert_eq!(layer.load().await.unwrap().map(saved), Some(expected.clone()));
        }
    };
    let foreign = |epoch, sequence| Archived { source: "other".into(), ..flags(epoch, sequence) };
    check(None, Some(flags(1, 2)), flags(1, 2)).await; // a Redis without its data
    check(Some(flags(1, 2)), None, flags(1, 2)).await;
    check(Some(flags(1, 1)), Some(flags(1, 2)), flags(1, 2)).await;
    check(Some(flags(1, 3)), Some(flags(1, 2)), flags(1, 3)).await;
    check(Some(foreign(1, 1)), Some(flags(1, 2)), flags(1, 2)).await;
}

#[tokio::test]
async fn flags_of_another_source_are_passed_over_and_not_on() {
    let foreign = Archived { source: "other".into(), ..flags(9, 9) };
    let (first, second) = (Arc::new(MemoryArchive::new()), Arc::new(MemoryArchive::new()));
    first.save(&foreign).await.unwrap();
    let archive = StackedArchive::new(vec![first.clone(), second.clone()]);
    let archive = archive.of_source(flags(1, 1).source);
    assert_eq!(archive.load().await.unwrap().map(saved), Some(foreign.clone()));
    assert_eq!(second.load().await.unwrap(), None, "not passed on");
    second.save(&flags(1, 1)).await.unwrap();
    assert_eq!(archive.load().await.unwrap().map(saved), Some(flags(1, 1)));
    assert_eq!(first.load().await.unwrap().map(saved), Some(foreign), "that one has a later one");
}

fn at(flags: &Archived, refreshed_at_ms: u64) -> Confirmation {
    Confirmation { refreshed_at_ms, ..flags.confirmation() }
}

fn empty() -> Arc<dyn FlagArchive> {
    Arc::new(MemoryArchive::new())
}

#[tokio::test]
async fn all_layers_are_told_of_a_confirmation() {
    let newer = at(&flags(1, 2), 9);
    let check = async |layers: &[Arc<dyn FlagArchive>], expected: Result<bool, ()>| {
        let archive = StackedArchive::new(layers.to_vec());
        assert_eq!(archive.confirm(&newer).await.map_err(drop), expected);
        if expected == Ok(true) {
            for layer in layers {
                assert_eq!(layer.held().await.unwrap(), Some(newer));
            }
        }
    };
    check(&[], Ok(true)).await;
    check(&[holding(1, 2).await, holding(1, 2).await], Ok(true)).await;
    // What one of them lacks it gets.
    check(&[holding(1, 2).await, empty()], Ok(true)).await;
    check(&[empty(), holding(1, 2).await], Ok(true)).await;
    check(&[holding(1, 2).await, holding(1, 1).await, empty()], Ok(true)).await;
    // The first one is what the others go by.
    check(&[holding(1, 3).await, holding(1, 2).await], Ok(false)).await;
    check(&[empty(), holding(1, 1).await], Ok(false)).await;
    check(&[empty(), broken()], Ok(false)).await;
    // A layer that fails is told of, and the others are confirmed all the same.
    check(&[broken(), broken()], Err(())).await;
    let healthy = holding(1, 2).await;
    check(&[broken(), healthy.clone()], Err(())).await;
    assert_eq!(healthy.held().await.unwrap(), Some(newer));
}

#[tokio::test]
async fn what_is_held_is_told_where_all_layers_hold_the_same() {
    let check = async |layers: &[Arc<dyn FlagArchive>], expected: Option<Confirmation>| {
        let archive = StackedArchive::new(layers.to_vec());
        assert_eq!(archive.held().await.unwrap(), expected);
    };
    check(&[], None).await;
    check(&[holding(1, 2).await, holding(1, 2).await], Some(flags(1, 2).confirmation())).await;
    check(&[holding(1, 2).await, broken()], Some(flags(1, 2).confirmation())).await;
    // Otherwise they are to be loaded, which makes them the same.
    check(&[holding(1, 2).await, holding(1, 1).await], None).await;
    check(&[holding(1, 2).await, empty()], None).await;
    check(&[empty(), holding(1, 2).await], None).await;
    assert!(StackedArchive::new(vec![broken()]).held().await.is_err());
    // Of what those do who share the first one, the others know nothing.
    let deaf = StackedArchive::new(vec![broken(), holding(1, 2).await]);
    assert!(deaf.held().await.is_err());

    // What the shared one says of the time, the nearer one is told.
    let (shared, near) = (holding(1, 2).await, holding(1, 2).await);
    let newer = at(&flags(1, 2), flags(1, 2).refreshed_at_ms + 5);
    assert!(shared.confirm(&newer).await.unwrap());
    check(&[shared, near.clone()], Some(newer)).await;
    assert_eq!(near.held().await.unwrap(), Some(newer));
}

#[tokio::test]
async fn an_old_folder_does_not_take_the_fleet_back() {
    let of_change = |epoch, sequence, id, content| Archived {
        marker: Marker { max_snapshot_id: id, content },
        ..flags(epoch, sequence)
    };
    let check = async |first: &Archived, second: &Archived, expected: Archived| {
        let layers = [Arc::new(MemoryArchive::new()), Arc::new(MemoryArchive::new())];
        layers[0].save(first).await.unwrap();
        layers[1].save(second).await.unwrap();
        let stack = layers.iter().map(|it| Arc::clone(it) as Arc<dyn FlagArchive>).collect();
        let archive = StackedArchive::new(stack).of_source(first.source.clone());
        assert_eq!(archive.load().await.unwrap().map(saved), Some(expected.clone()));
        for layer in layers {
            assert_eq!(layer.load().await.unwrap().map(saved), Some(expected.clone()));
        }
        assert_eq!(archive.held().await.unwrap(), Some(expected.confirmation()));
    };
    let raised = |flags: &Archived, sequence| {
        let revision = Revision { sequence, ..flags.revision };
        Archived { revision, ..flags.clone() }
    };
    // Redis begins to count anew, and is further in Flagr's history than a folder that counts on.
    let (redis, folder) = (of_change(0, 1, Some(29), 1), of_change(0, 4, Some(28), 2));
    check(&redis, &folder, raised(&redis, 5)).await;
    check(&folder, &redis, raised(&redis, 5)).await;
    let (redis, folder) = (of_change(0, 4, Some(29), 1), of_change(0, 4, Some(28), 2));
    check(&redis, &folder, raised(&redis, 5)).await;
    // Of the same change the later publication counts, and so it does where changes have no numbers.
    let (redis, folder) = (of_change(0, 1, Some(29), 1), of_change(0, 4, Some(29), 2));
    check(&redis, &folder, folder.clone()).await;
    let (redis, folder) = (of_change(0, 1, None, 1), of_change(0, 4, Some(29), 2));
    check(&redis, &folder, folder.clone()).await;
    // In a new epoch Flagr went back on purpose.
    let (redis, folder) = (of_change(1, 5, Some(20), 1), of_change(0, 4, Some(28), 2));
    check(&redis, &folder, redis.clone()).await;
}

/// An archive that never answers.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl FlagArchive for Silent {
    async fn load(&self) -> Result<Option<Archived>, ArchiveError> {
        std::future::pending().await
    }

    async fn save(&self, _: &Archived) -> Result<(), ArchiveError> {
        std::future::pending().await
    }

    async fn held(&self) -> Result<Option<Confirmation>, ArchiveError> {
        std::future::pending().await
    }

    fn describe(&self) -> String {
        "silent".into()
    }

    async fn leads(&self) -> bool {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_does_not_wait_for_a_shared_layer_that_is_late() {
    let archive = StackedArchive::new(vec![Arc::new(Silent), holding(1, 1).await]);
    let begin = tokio::time::Instant::now();
    assert!(archive.leads().await);
    assert_eq!(archive.held().await.unwrap(), None);
    assert_eq!(archive.load().await.unwrap().map(saved), Some(flags(1, 1)));
    assert_eq!(begin.elapsed(), std::time::Duration::from_millis(100), "once, for all of it");
    // Afterwards there is time.
    let later = std::time::Duration::from_secs(3600);
    assert!(tokio::time::timeout(later, archive.load()).await.is_err());
    // Where nothing else has flags it is waited for.
    let archive = StackedArchive::new(vec![Arc::new(Silent), empty()]);
    assert!(tokio::time::timeout(later, archive.load()).await.is_err());
}

#[test]
fn what_a_layer_shows_is_over_when_it_has_what_it_lacked() {
    for (done, failed, is_over) in [
        (Work::Save, Work::Load, true),
        (Work::Save, Work::Confirm, true),
        (Work::Confirm, Work::Load, true),
        (Work::Confirm, Work::Save, false),
        (Work::Load, Work::Load, true),
        (Work::Load, Work::Save, false),
        (Work::Tell, Work::Load, false),
    ] {
        let layer = Layer::new(Arc::new(MemoryArchive::new()));
        let error = ArchiveError::new(ArchiveErrorKind::Unavailable, "broken");
        layer.noted::<()>(failed, Err(error)).unwrap_err();
        assert_eq!(layer.states()[0].error.as_deref(), Some("broken"));
        layer.noted(done, Ok(())).unwrap();
        assert_eq!(layer.states()[0].error.is_none(), is_over, "{done:?} after {failed:?}");
    }
}
