//! How `vexilla serve` is told what has no option of its own: by its environment, `VEXILLA_` and the names of the levels
//! of its configuration with `__` between them.

/// Who we are to a Flagr that asks for a password.
pub(super) fn login<'a>(user: &'a str, password: &'a str) -> [(&'static str, &'a str); 2] {
    [("VEXILLA_FLAGR__USER", user), ("VEXILLA_FLAGR__PASSWORD", password)]
}

/// Who we are to a Flagr that asks for a token.
pub(super) fn bearer(token: &str) -> [(&'static str, &str); 1] {
    [("VEXILLA_FLAGR__TOKEN", token)]
}

/// What a webhook must say.
pub(super) fn webhook_secret(secret: &str) -> [(&'static str, &str); 1] {
    [("VEXILLA_WEBHOOK__TOKEN", secret)]
}

/// Only flags with this tag.
pub(super) fn only_tag(tag: &str) -> [(&'static str, &str); 1] {
    [("VEXILLA_FILTER__TAGS", tag)]
}

/// What callers of the admin API must say.
pub(crate) fn admin_token(token: &str) -> [(&'static str, &str); 1] {
    [("VEXILLA_ADMIN_TOKEN", token)]
}
