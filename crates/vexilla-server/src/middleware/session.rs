//! Cookies: read, and one made for anonymous users.

use std::hash::{BuildHasher, RandomState};

use http::header::{self, HeaderMap, HeaderValue};

use super::SessionCookie;

/// The length of an id that is made here.
const ID_LENGTH: usize = 32;

/// The value of a cookie, if there is one that is text and not empty. What other cookies hold does not matter: a browser
/// sends all of them in one line, whoever set them.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
    let mut cookies = lines.flat_map(|line| line.split(|it| *it == b';')).filter_map(|cookie| {
        let mut parts = cookie.splitn(2, |it| *it == b'=');
        Some((parts.next()?.trim_ascii(), parts.next()?.trim_ascii()))
    });
    let (_, value) = cookies.find(|(given, _)| *given == name.as_bytes())?;
    let bare = value.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\""));
    str::from_utf8(bare.unwrap_or(value)).ok().filter(|it| !it.is_empty())
}

/// The id that the cookie keeps, if it is one that was made here.
pub(super) fn kept<'h>(headers: &'h HeaderMap, session: &SessionCookie) -> Option<&'h str> {
    let is_ours = |it: &&str| it.len() == ID_LENGTH && it.bytes().all(|it| it.is_ascii_hexdigit());
    cookie(headers, &session.name).filter(is_ours)
}

/// A fresh id. It tells users apart and guards nothing; the standard library's random keys are enough for that.
pub(super) fn fresh_id() -> String {
    let random = RandomState::new();
    format!("{:016x}{:016x}", random.hash_one(0_u8), random.hash_one(1_u8))
}

/// Sets the cookie; `None` where its name cannot be one.
pub(super) fn set_cookie(session: &SessionCookie, id: &str) -> Option<HeaderValue> {
    let is_token = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
    if session.name.is_empty() || !session.name.bytes().all(is_token) {
        return None;
    }
    let secure = if session.secure { "; Secure" } else { "" };
    let text = format!("{}={id}; Path=/; HttpOnly; SameSite=Lax{secure}", session.name);
    HeaderValue::try_from(text).ok()
}
