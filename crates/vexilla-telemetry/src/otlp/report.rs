//! Saying that telemetry cannot be sent, without saying it all the time.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use reqwest::blocking::Client;
use vexilla_domain::Clock;

use super::settings::Signal;

/// How long nothing is said after something was.
const QUIET: Duration = Duration::from_secs(60);

/// What failed of one signal, and when it was last said.
#[derive(Debug)]
pub(super) struct Reports {
    signal: &'static str,
    endpoint: String,
    clock: Arc<dyn Clock>,
    last: Mutex<Option<Instant>>,
    /// What the exporter keeps to itself.
    cause: Mutex<Option<String>>,
    failures: AtomicU64,
    unsaid: AtomicU64,
}

impl Reports {
    pub(super) fn new(signal: &'static str, to: &Signal, clock: Arc<dyn Clock>) -> Self {
        Self {
            signal,
            endpoint: to.endpoint.clone(),
            clock,
            last: Mutex::default(),
            cause: Mutex::default(),
            failures: AtomicU64::new(0),
            unsaid: AtomicU64::new(0),
        }
    }

    /// What is behind the failure that is told next.
    fn because(&self, error: &(dyn Error + 'static)) {
        let mut cause = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause.to_string());
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    fn failed(&self, error: &dyn fmt::Display) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner).take();
        if self.may_speak() {
            let unsaid = self.unsaid.swap(0, Ordering::Relaxed);
            let (signal, endpoint) = (self.signal, &self.endpoint);
            let error = cause.map_or_else(|| error.to_string(), |it| format!("{error}: {it}"));
            tracing::warn!(signal, endpoint, %error, unsaid, "telemetry cannot be sent");
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
        sent.inspect_err(|error| self.reports.failed(error))
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
        sent.inspect_err(|error| self.reports.failed(error))
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

/// A client whose failures are known where the exporter's are reported, which says of them that there was one.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) client: Client,
    pub(super) reports: Arc<Reports>,
}

#[async_trait]
impl HttpClient for Told {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.client.send_bytes(request).await;
        sent.inspect_err(|error| self.reports.because(&**error))
    }
}

#[cfg(test)]
mod tests;
