//! Whose address a request comes from.

use std::net::{IpAddr, SocketAddr};

use http::header::HeaderName;
use http::{Extensions, HeaderMap};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of the connection, as a request's extension. Programs on axum have its `ConnectInfo<SocketAddr>`
/// instead, which counts as well with the feature `axum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// Proxies whose `X-Forwarded-For` counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text is no address and no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is neither an IP address nor a network such as `10.0.0.0/8`")]
pub struct ProxyError {
    text: Box<str>,
}

impl TrustedProxies {
    /// Reads addresses and networks.
    ///
    /// # Errors
    ///
    /// If one is neither.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, ProxyError> {
        let net = |text: &str| {
            let host = text.parse::<IpAddr>().ok().map(|it| IpNet::from(it.to_canonical()));
            host.or_else(|| text.parse().ok()).ok_or_else(|| ProxyError { text: text.into() })
        };
        texts.into_iter().map(net).collect::<Result<_, _>>().map(Self)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The client behind the trusted proxies. Each of them adds whom it hears at the right end, so that the right-most
    /// address that is no trusted proxy is the last one that somebody trusted saw; what stands left of it, anybody may
    /// have written.
    pub(super) fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let mut client = peer(extensions)?.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = str::from_utf8(hop).ok().and_then(|it| address(it.trim())) else {
                break; // a proxy that hides its client: the proxy is all we know
            };
            client = address.to_canonical();
        }
        Some(client)
    }
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(address)) =
        extensions.get::<axum::extract::ConnectInfo<SocketAddr>>()
    {
        return Some(address.ip());
    }
    extensions.get::<PeerAddress>().map(|it| it.0)
}

/// An address, which may have a port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()))
}

#[cfg(test)]
mod tests;
