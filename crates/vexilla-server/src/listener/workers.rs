//! Threads that connections are served on.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::{fmt, io, mem};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_blocking;

/// How many threads wait for files and the like at most, in all.
const BLOCKING: usize = 512;

/// Threads that serve connections, each of them those that it was given, from beginning to end.
///
/// A request is then read, decided and answered by one thread that knows the connection, and no thread is woken for
/// another's work: more requests are answered than by the threads of a runtime, which share all connections. But what keeps
/// a thread busy, such as reading a body of megabytes, holds up that thread's other connections, and whoever asks Flagr
/// over a connection that one of its requests opened.
///
/// So keep them until the client has stopped. They end when they are told to, or when the last clone is dropped.
#[derive(Clone)]
pub struct Workers(Arc<Inner>);

struct Inner {
    workers: Vec<Worker>,
    /// Until somebody waits for them.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Worker {
    jobs: UnboundedSender<Job>,
    /// Each connection holds one.
    load: Arc<()>,
}

enum Job {
    Serve(Box<dyn FnOnce() + Send>),
    End,
}

impl Workers {
    /// Starts so many threads, at least one.
    ///
    /// # Errors
    ///
    /// If the system has no room for them.
    pub fn start(count: usize) -> io::Result<Self> {
        let count = count.max(1);
        let mut threads = Vec::with_capacity(count);
        let start = |number| {
            let (jobs, given) = unbounded_channel();
            let (told, started) = mpsc::channel();
            let name = format!("vexilla-http-{number}");
            // Made where it runs: wherever else it is dropped, it might wait where that is not allowed.
            let work = move || match runtime(count) {
                Ok(runtime) => {
                    let _told = told.send(Ok(())); // who started it may have given up
                    work(runtime, given);
                }
                Err(error) => drop(told.send(Err(error))),
            };
            threads.push(thread::Builder::new().name(name).spawn(work)?);
            started.recv().unwrap_or_else(|it| Err(io::Error::other(it)))?;
            Ok(Worker { jobs, load: Arc::default() })
        };
        let workers = (0..count).map(start).collect::<io::Result<_>>()?;
        Ok(Self(Arc::new(Inner { workers, threads: Mutex::new(threads) })))
    }

    /// Has the thread with the fewest connections serve another one.
    pub(super) fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let fewest = self.0.workers.iter().min_by_key(|it| Arc::strong_count(&it.load));
        if let Some(Worker { jobs, load }) = fewest {
            let load = Arc::clone(load);
            let connection = async move {
                connection.await;
                drop(load);
            };
            // After the end nobody is served.
            let _taken = jobs.send(Job::Serve(Box::new(move || drop(tokio::spawn(connection)))));
        }
    }

    /// Ends the threads, with whatever is not done, and waits for them.
    pub async fn stop(&self) {
        for worker in &self.0.workers {
            let _ended = worker.jobs.send(Job::End); // it has ended already
        }
        let threads =
            mem::take(&mut *self.0.threads.lock().unwrap_or_else(PoisonError::into_inner));
        // One that panicked has ended as well.
        let join = move || threads.into_iter().for_each(|it| drop(it.join()));
        let _joined = spawn_blocking(join).await;
    }
}

fn runtime(count: usize) -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING.div_ceil(count))
        .build()
}

fn work(runtime: Runtime, mut given: UnboundedReceiver<Job>) {
    runtime.block_on(async {
        while let Some(Job::Serve(begin)) = given.recv().await {
            begin();
        }
    });
    // A thread that still waits for a file does not hold up the end.
    runtime.shutdown_background();
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("threads", &self.0.workers.len()).finish_non_exhaustive()
    }
}
