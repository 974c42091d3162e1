//! The task that keeps a connection, watches for news and holds the lease.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisError;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::commands::Holder;
use super::link::{Event, Link};
use super::shared::{Shared, State};

/// The pause after a first failure; it doubles up to the lease's third.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A lease that somebody else has is looked at again when it has just ended.
const A_MOMENT: Duration = Duration::from_millis(5);

/// Runs until `stop` is sent or its sender is dropped.
pub(super) async fn keep(shared: Arc<Shared>, mut stop: oneshot::Receiver<()>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let failure = tokio::select! {
            _ = &mut stop => break,
            opened = shared.open() => match opened {
                Ok(mut link) => match attend(&shared, &mut link, &mut stop, &mut pause).await {
                    Some(failure) => failure,
                    None => {
                        leave(&shared, &mut link).await;
                        break;
                    }
                },
                Err(failure) => failure,
            },
        };
        shared.lose(&failure);
        tokio::select! {
            _ = &mut stop => break,
            () = sleep(part_of(pause)) => {}
        }
        pause = (pause * 2).min(shared.beat());
    }
    shared.close();
}

/// Serves one connection. Gives what ended it, or nothing when it is time to stop.
async fn attend(
    shared: &Shared,
    link: &mut Link,
    stop: &mut oneshot::Receiver<()>,
    pause: &mut Duration,
) -> Option<RedisError> {
    loop {
        let wait = tokio::select! {
            _ = &mut *stop => return None,
            looked = look(shared, link) => match looked {
                Ok(wait) => wait,
                Err(failure) => return Some(failure),
            },
        };
        if shared.is(State::is_up) {
            // It held for a while: the next failure is a first one.
            *pause = FIRST_PAUSE;
        } else {
            info!("{} answers", shared.name);
            shared.set(State::Up(link.connection.clone()));
        }
        tokio::select! {
            _ = &mut *stop => return None,
            () = sleep(wait) => {}
            () = shared.resting() => {}
            event = link.event() => match event {
                Event::Message => {}
                Event::Closed => return Some(io::Error::from(io::ErrorKind::ConnectionReset).into()),
            },
        }
    }
}

/// Looks what is there, and takes or renews the lease. Gives the time after which to look again.
async fn look(shared: &Shared, link: &mut Link) -> Result<Duration, RedisError> {
    let beat = shared.beat();
    let in_time = shared.config.response_timeout.min(beat);
    let timed_out = |_| RedisError::from(io::Error::from(io::ErrorKind::TimedOut));

    let holder = async {
        if shared.rests() {
            shared.names.release(&mut link.connection).await?;
            shared.names.holder(&mut link.connection).await
        } else {
            shared.names.lease(&mut link.connection, shared.config.lease).await
        }
    };
    let holder = timeout(in_time, holder).await.map_err(timed_out)?;
    let head = shared.names.head(&mut link.connection);
    let head = timeout(in_time, head).await.map_err(timed_out)?;

    let mut refusal = None;
    let mut accept = |error: RedisError| {
        if !is_answer(&error) {
            return Err(error);
        }
        refusal = Some(error);
        Ok(())
    };
    match head {
        Ok(head) => shared.see(head),
        Err(error) => accept(error)?,
    }
    let wait = match holder {
        Ok(Holder::We) => {
            shared.lead();
            beat
        }
        Ok(Holder::Other(left)) => {
            shared.follow();
            beat.min(left + A_MOMENT)
        }
        Ok(Holder::Nobody) => {
            shared.lead_without_lease();
            beat
        }
        Err(error) => {
            accept(error)?;
            shared.lead_without_lease();
            beat
        }
    };
    shared.note_refusal(refusal.as_ref());
    Ok(wait)
}

/// Whether Redis refused, and is there otherwise.
fn is_answer(error: &RedisError) -> bool {
    use redis::ErrorKind::{Extension, Server};
    matches!(error.kind(), Server(_) | Extension)
}

/// Lets others have the lease at once, if Redis is quick; they have it when it ends otherwise.
async fn leave(shared: &Shared, link: &mut Link) {
    let in_time = shared.config.response_timeout.min(shared.beat());
    let released = timeout(in_time, shared.names.release(&mut link.connection)).await;
    if !matches!(released, Ok(Ok(()))) {
        warn!("{} keeps the lease until it ends", shared.name);
    }
}

/// Between half and all of it, so that instances that lost Redis at once do not come back at once.
fn part_of(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + 0.5 * fastrand::f64())
}

/// A random number, from the seed that the standard library's maps have: the system's, so no two machines share it.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(())
}
