//! Exporters as the settings ask for them.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig, Identity};
use opentelemetry_otlp::{
    Compression as OtlpCompression, ExporterBuildError, MetricExporter, Protocol as OtlpProtocol,
    SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::metrics::Temporality as SdkTemporality;

use super::error::SettingsError;
use super::report::{Reported, Reports, Told};
use super::settings::{Compression, Protocol, Signal, Temporality};
use super::tls;

pub(super) fn metrics(
    signal: &Signal,
    temporality: Temporality,
    reports: &Arc<Reports>,
) -> Result<Reported<MetricExporter>, SettingsError> {
    let builder = MetricExporter::builder().with_temporality(match temporality {
        Temporality::Cumulative => SdkTemporality::Cumulative,
        Temporality::Delta => SdkTemporality::Delta,
        Temporality::LowMemory => SdkTemporality::LowMemory,
    });
    let exporter = match signal.protocol {
        Protocol::Http => over_http(builder.with_http(), signal, reports)?.build(),
        Protocol::Grpc => over_grpc(builder.with_tonic(), signal)?.build(),
    };
    reported(exporter, "metrics.endpoint", signal, reports)
}

pub(super) fn traces(
    signal: &Signal,
    reports: &Arc<Reports>,
) -> Result<Reported<SpanExporter>, SettingsError> {
    let builder = SpanExporter::builder();
    let exporter = match signal.protocol {
        Protocol::Http => over_http(builder.with_http(), signal, reports)?.build(),
        Protocol::Grpc => over_grpc(builder.with_tonic(), signal)?.build(),
    };
    reported(exporter, "traces.endpoint", signal, reports)
}

fn over_http<B>(builder: B, signal: &Signal, reports: &Arc<Reports>) -> Result<B, SettingsError>
where
    B: WithExportConfig + WithHttpConfig,
{
    let mut headers = HashMap::new();
    for (name, value) in &signal.header_map()? {
        let value = value.to_str().map_err(|_| {
            SettingsError::new(name.as_str(), "[redacted]", "is not plain text, as HTTP wants it")
        })?;
        headers.insert(name.to_string(), value.to_owned());
    }
    let builder = builder
        .with_http_client(Told { client: tls::http_client(signal)?, reports: Arc::clone(reports) })
        .with_protocol(OtlpProtocol::HttpBinary)
        .with_endpoint(&signal.endpoint)
        .with_timeout(signal.timeout)
        .with_headers(headers);
    Ok(match signal.compression {
        Compression::None => builder,
        Compression::Gzip => builder.with_compression(OtlpCompression::Gzip),
    })
}

fn over_grpc<B>(builder: B, signal: &Signal) -> Result<B, SettingsError>
where
    B: WithExportConfig + WithTonicConfig,
{
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(SettingsError::new("protocol", "grpc", "needs a tokio runtime around it"));
    }
    let builder = builder
        .with_endpoint(&signal.endpoint)
        .with_timeout(signal.timeout)
        .with_metadata(MetadataMap::from_headers(signal.header_map()?));
    let builder = match signal.compression {
        Compression::None => builder,
        Compression::Gzip => builder.with_compression(OtlpCompression::Gzip),
    };
    if !signal.is_secure() {
        return Ok(builder);
    }
    let mut config = ClientTlsConfig::new().with_native_roots();
    if !signal.extra_roots.is_empty() {
        config = config.ca_certificate(Certificate::from_pem(&signal.extra_roots));
    }
    if let Some((chain, key)) = &signal.client_certificate {
        config = config.identity(Identity::from_pem(chain, key.reveal()));
    }
    Ok(builder.with_tls_config(config))
}

fn reported<E>(
    exporter: Result<E, ExporterBuildError>,
    field: &str,
    signal: &Signal,
    reports: &Arc<Reports>,
) -> Result<Reported<E>, SettingsError> {
    let refused = |error: ExporterBuildError| {
        SettingsError::new(field, &signal.endpoint, "cannot be sent to").caused_by(error)
    };
    Ok(Reported { exporter: exporter.map_err(refused)?, reports: Arc::clone(reports) })
}
