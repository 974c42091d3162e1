//! Saying that telemetry cannot be sent, without saying it all the time.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use vexilla_domain::Clock;

/// How long nothing is said after something was.
const QUIET: Duration = Duration::from_secs(60);

/// What failed, and when it was last said.
#[derive(Debug)]
pub(super) struct Reports {
    clock: Arc<dyn Clock>,
    last: Mutex<Option<Instant>>,
    failures: AtomicU64,
    unsaid: AtomicU64,
}

impl Reports {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let (failures, unsaid) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { clock, last: Mutex::default(), failures, unsaid }
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    pub(super) fn failed(&self, signal: &'static str, error: &dyn fmt::Display) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        if self.may_speak() {
            let unsaid = self.unsaid.swap(0, Ordering::Relaxed);
            tracing::warn!(signal, %error, unsaid, "telemetry cannot be sent");
        } else {
            self.unsaid.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether the last time is long enough ago; then it is now.
    fn may_speak(&self) -> bool {
        let now = self.clock.instant();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = last.is_some_and(|last| now.saturating_duration_since(last) < QUIET);
        if !quiet {
            *last = Some(now);
        }
        !quiet
    }
}

/// An exporter whose failures are reported.
#[derive(Debug)]
pub(super) struct Reported<E> {
    pub(super) exporter: E,
    pub(super) reports: Arc<Reports>,
}

impl<E: PushMetricExporter> PushMetricExporter for Reported<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let sent = self.exporter.export(metrics).await;
        sent.inspect_err(|error| self.reports.failed("metrics", error))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

impl<E: SpanExporter> SpanExporter for Reported<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(batch).await;
        sent.inspect_err(|error| self.reports.failed("traces", error))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests;
