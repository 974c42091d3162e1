//! Secrets: in files, and never printed.

use std::fs;

use super::super::Variables;
use super::{load, printed};

const SECRET: &str = "open-sesame";

#[test]
fn an_alias_is_as_good_as_the_long_name_and_may_say_the_same_only() {
    for variable in ["VEXILLA_FLAGR_TOKEN", "VEXILLA_FLAGR__TOKEN"] {
        let loaded = load("", &[(variable, SECRET)], &[]).unwrap();
        assert_eq!(loaded.settings.flagr.token, Some(SECRET.into()));
    }
    let both = [("VEXILLA_FLAGR_TOKEN", SECRET), ("VEXILLA_FLAGR__TOKEN", SECRET)];
    assert!(load("", &both, &[]).is_ok());
    let different = [("VEXILLA_FLAGR_TOKEN", SECRET), ("VEXILLA_FLAGR__TOKEN", "another")];
    let wrong = load("", &different, &[]).unwrap_err().to_string();
    assert_eq!(
        wrong,
        "environment variable VEXILLA_FLAGR__TOKEN: says something else than the environment variable VEXILLA_FLAGR_TOKEN, which is the same setting"
    );
}

#[test]
fn a_secret_may_be_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let path = file.to_str().unwrap();
    for content in ["open-sesame", "open-sesame\n", "open-sesame\r\n"] {
        fs::write(&file, content).unwrap();
        for variable in ["VEXILLA_FLAGR_TOKEN_FILE", "VEXILLA_FLAGR__TOKEN_FILE"] {
            let loaded = load("", &[(variable, path)], &[]).unwrap();
            assert_eq!(loaded.settings.flagr.token, Some(SECRET.into()));
        }
        let loaded = load(&format!("[flagr]\ntoken_file = '{path}'"), &[], &[]).unwrap();
        assert_eq!(loaded.settings.flagr.token, Some(SECRET.into()));
        let loaded = load("", &[], &[("flagr.token_file", path)]).unwrap();
        assert_eq!(loaded.settings.flagr.token, Some(SECRET.into()));
    }
}

#[test]
fn a_secret_s_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let path = file.to_str().unwrap();
    let wrong = || {
        let wrong = load(&format!("flagr.token_file = '{path}'"), &[], &[]).unwrap_err();
        let wrong = wrong.to_string().replace(path, "FILE");
        wrong.strip_prefix("vexilla.toml, line 1: flagr.token_file: `FILE` ").unwrap().to_owned()
    };
    assert!(wrong().starts_with("cannot be read: No such file"), "{}", wrong());
    fs::write(&file, "\n").unwrap();
    assert_eq!(wrong(), "is empty");
    fs::write(&file, [0xff]).unwrap();
    assert_eq!(wrong(), "is not UTF-8");
    fs::write(&file, "a".repeat(65_537)).unwrap();
    assert_eq!(wrong(), "cannot be read: it is longer than 65536 bytes, the most that is read");
}

#[test]
fn a_secret_and_its_file_are_one_too_many() {
    let both = [("VEXILLA_ADMIN__TOKEN", SECRET), ("VEXILLA_ADMIN__TOKEN_FILE", "/run/token")];
    let wrong = load("", &both, &[]).unwrap_err().to_string();
    assert_eq!(
        wrong,
        "environment variable VEXILLA_ADMIN__TOKEN_FILE: the secret is given here, and by environment variable VEXILLA_ADMIN__TOKEN too"
    );
    let wrong = load("[admin]\ntoken = 'x'\ntoken_file = '/run/token'", &[], &[]).unwrap_err();
    let wrong = wrong.to_string();
    assert!(wrong.starts_with("vexilla.toml, line 3: admin.token_file: the secret "), "{wrong}");
    assert!(wrong.ends_with("vexilla.toml, line 2 too"), "{wrong}");
}

#[test]
fn of_a_secret_and_its_file_the_stronger_place_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, SECRET).unwrap();
    let path = file.to_str().unwrap();
    let token = |file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]| {
        let loaded = load(file, variables, flags).unwrap();
        loaded.settings.admin.token.unwrap().reveal().to_owned()
    };
    let in_file = format!("admin.token_file = '{path}'");
    assert_eq!(token(&in_file, &[("VEXILLA_ADMIN_TOKEN", "another")], &[]), "another");
    assert_eq!(token("admin.token = 'x'", &[("VEXILLA_ADMIN_TOKEN_FILE", path)], &[]), SECRET);
    let flag = [("admin.token_file", path)];
    assert_eq!(token("", &[("VEXILLA_ADMIN_TOKEN", "another")], &flag), SECRET);
}

#[test]
fn what_is_printed_for_a_secret_is_none() {
    let wrong = load("admin.token = '[redacted]'", &[], &[]).unwrap_err().to_string();
    assert_eq!(
        wrong,
        "vexilla.toml, line 1: admin.token: `[redacted]` stands for a secret and is none"
    );
}

#[test]
fn an_empty_secret_is_none_or_refused() {
    let empty = [("VEXILLA_FLAGR_TOKEN", ""), ("VEXILLA_REDIS_PASSWORD", "")];
    let loaded = load("", &empty, &[]).unwrap();
    assert_eq!((loaded.settings.flagr.token, loaded.settings.redis.password), (None, None));
    let wrong = load("", &[("VEXILLA_ADMIN_TOKEN", "")], &[]).unwrap_err().to_string();
    assert_eq!(wrong, "environment variable VEXILLA_ADMIN_TOKEN: is empty");
}

#[test]
fn secrets_are_never_printed() {
    let file = "
        flagr.url = 'http://me:open-sesame@flagr'
        flagr.proxy_url = 'http://proxy?key=open-sesame'
        redis.url = 'redis://:open-sesame@redis'
        webhook.header = 'X-Hook: open-sesame'
        admin.token = 'open-sesame'
    ";
    let variables = [
        ("VEXILLA_FLAGR__TOKEN", SECRET),
        ("VEXILLA_WEBHOOK_SECRET", SECRET),
        ("VEXILLA_REDIS__PASSWORD", SECRET),
    ];
    let loaded = load(file, &variables, &[]).unwrap();
    let text = loaded.print();
    assert!(!text.contains(SECRET), "{text}");
    assert!(!format!("{loaded:?}").contains(SECRET));
    assert!(
        text.contains("# token = \"[redacted]\" # environment variable VEXILLA_FLAGR__TOKEN\n"),
        "{text}"
    );
    assert!(text.contains("# url = \"[redacted]\" # "), "{text}");
    assert_eq!(
        printed(&loaded, "admin.token"),
        format!("Hidden([redacted]) {}", loaded.settings.origins.of_setting("admin.token"))
    );
    let variables = Variables(vec![("VEXILLA_FLAGR_TOKEN".to_owned(), SECRET.into())]);
    assert_eq!(format!("{variables:?}"), "[\"VEXILLA_FLAGR_TOKEN\"]");
    // An error is no place for them either.
    for file in [
        "webhook.header = 'open-sesame'",
        "redis.url = 'open-sesame'",
        "flagr.token = ['open-sesame']",
        "flagr.header = 'open-sesame'",
    ] {
        let wrong = load(file, &[], &[]).unwrap_err();
        assert!(!format!("{wrong} {wrong:?}").contains(SECRET), "{wrong}");
    }
}
