//! Headers that end at the next hop.

use http::header::{self, HeaderMap, HeaderName};

const NAMES: [HeaderName; 6] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Whether a header is about the connection: by its name, or because `Connection` names it.
pub(crate) fn is_of_connection(name: &HeaderName, headers: &HeaderMap) -> bool {
    NAMES.contains(name)
        || name.as_str().starts_with("proxy-")
        || headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|it| it.to_str().ok())
            .flat_map(|it| it.split(','))
            .any(|it| it.trim().eq_ignore_ascii_case(name.as_str()))
}

/// Removes what is about the connection.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let removed: Vec<HeaderName> =
        headers.keys().filter(|it| is_of_connection(it, headers)).cloned().collect();
    for name in removed {
        headers.remove(name);
    }
}
