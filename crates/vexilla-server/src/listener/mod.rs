//! One listener for every server of this crate: an address, TLS if wanted, limits, and an end in good order.
//!
//! It speaks HTTP/1. hyper answers by itself what is no request of it, before a service sees anything: a head that is
//! malformed (400) or too large (431) without a body, and HTTP/2's preface (405 or nothing) not at all: that connection is
//! closed. What those answers say cannot be chosen.

mod address;
mod connections;
mod error;
mod live;
mod pace;
mod places;
mod socket;
mod stage;
mod tls;
mod workers;

use std::time::Duration;

pub use address::{AddressError, ListenAddress};
pub use connections::BoundServer;
pub(crate) use connections::Listener;
pub use error::BindError;
pub(crate) use live::LiveConfig;
pub use tls::{TlsError, TlsFiles};
pub use workers::Workers;

/// What a listener allows, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerConfig {
    /// The certificate to speak TLS with; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Who may connect to a Unix socket.
    pub unix_access: UnixAccess,
    /// How many connections are open at once. One more takes the place of that which has been silent for longest, and
    /// waits while all are busy. Who takes an answer is silent once he took nothing of it for ten seconds.
    pub max_connections: usize,
    /// The largest head of a request in bytes; a larger one is answered 431. So is one with more than 100 headers, for
    /// which there is room without asking for any: Go, and so Flagr, counts bytes only.
    pub max_header_bytes: usize,
    /// How long a client may take for its TLS handshake, and for a request's head once the connection is open or the
    /// head's first byte is there.
    pub header_timeout: Duration,
    /// How long a connection lives between two requests, and how long a client may take nothing of an answer.
    pub idle_timeout: Duration,
}

impl Default for ListenerConfig {
    fn default() -> Self {
        Self {
            tls: None,
            unix_access: UnixAccess::default(),
            max_connections: 16_384,
            max_header_bytes: 128 << 10,
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(90),
        }
    }
}

/// Who may connect to a Unix socket. There will be no further groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnixAccess {
    /// The user that the process runs as (mode 0600).
    #[default]
    Owner,
    /// That user and the group (mode 0660).
    Group,
}
