//! What `report` promises.

use std::io;
use std::sync::OnceLock;
use std::time::SystemTime;

use super::*;

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
    let reports = Reports::new(Arc::clone(&clock) as Arc<dyn Clock>);
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..100 {
            reports.failed("metrics", &"no route");
            reports.failed("traces", &"no route");
        }
        clock.pass(Duration::from_secs(59));
        reports.failed("traces", &"no route");
        clock.pass(Duration::from_secs(1));
        reports.failed("traces", &"refused");
    });
    assert_eq!(reports.failures(), 202);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let said: Vec<_> = log.lines().map(|it| it.split_once("report: ").unwrap().1).collect();
    assert_eq!(
        said,
        [
            r#"telemetry cannot be sent signal="metrics" error=no route unsaid=0"#,
            r#"telemetry cannot be sent signal="traces" error=refused unsaid=200"#,
        ]
    );
}
