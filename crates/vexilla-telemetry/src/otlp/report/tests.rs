//! What `report` promises.

use std::io;
use std::sync::OnceLock;
use std::time::SystemTime;

use super::*;
use crate::Protocol;

/// Stands still until it is moved.
#[derive(Debug, Default)]
struct Still {
    start: OnceLock<Instant>,
    passed: Mutex<Duration>,
}

impl Still {
    fn pass(&self, time: Duration) {
        *self.passed.lock().unwrap() += time;
    }
}

impl Clock for Still {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    #[expect(clippy::disallowed_methods, reason = "there is no other way to get an instant")]
    fn instant(&self) -> Instant {
        *self.start.get_or_init(Instant::now) + *self.passed.lock().unwrap()
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failure_is_said_once_per_minute() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .without_time()
        .with_ansi(false)
        .finish();
    let clock = Arc::new(Still::default());
    let to = Signal::new("http://collector:4318/v1/metrics", Protocol::Http);
    let reports = ["metrics", "traces"]
        .map(|signal| Reports::new(signal, &to, Arc::clone(&clock) as Arc<dyn Clock>));
    let [metrics, traces] = &reports;
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..100 {
            metrics.because(&io::Error::other("no route"));
            metrics.failed(&"network error");
            traces.failed(&"no route");
        }
        clock.pass(Duration::from_secs(59));
        traces.failed(&"no route");
        clock.pass(Duration::from_secs(1));
        traces.failed(&"refused");
    });
    assert_eq!((metrics.failures(), traces.failures()), (100, 102));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let said: Vec<_> = log.lines().map(|it| it.split_once("report: ").unwrap().1).collect();
    assert_eq!(
        said,
        [
            r#"telemetry cannot be sent signal="metrics" endpoint="http://collector:4318/v1/metrics" error=network error: no route unsaid=0"#,
            r#"telemetry cannot be sent signal="traces" endpoint="http://collector:4318/v1/metrics" error=no route unsaid=0"#,
            r#"telemetry cannot be sent signal="traces" endpoint="http://collector:4318/v1/metrics" error=refused unsaid=100"#,
        ]
    );
}
