//! Flags from a file.

use std::fs;
use std::path::Path;
use std::task::{self, Poll, Waker};

use tempfile::TempDir;
use vexilla::{Client, Context, Refreshed, StartError};
use vexilla_domain::{Batch, Engine};

use crate::scripted::flag;

fn document(flags: &[String]) -> String {
    format!("{{\"Flags\":[{}]}}", flags.join(","))
}

async fn start(path: &Path) -> Result<Client, StartError> {
    let hour = std::time::Duration::from_secs(3600);
    Client::builder().flags_file(path).refresh_interval(hour).start().await
}

#[tokio::test]
async fn a_file_is_served_and_read_again_when_it_changes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("flags.json");
    fs::write(&path, document(&[flag(1, "a", "")])).unwrap();
    let client = start(&path).await.unwrap();
    let on = |key: &str| client.local().bool(key, &Context::new("u"), false);
    assert!(on("a"));
    for _ in 0..25 {
        assert_eq!(client.refresh().await.unwrap(), Refreshed::Unchanged);
    }

    // Replaced the way editors and configuration tools do it.
    fs::write(folder.path().join("new"), document(&[flag(2, "b", "")])).unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    assert!(matches!(client.refresh().await.unwrap(), Refreshed::Published(_)));
    assert!(!on("a") && on("b"));

    fs::write(&path, document(&[flag(3, "c", "")])).unwrap();
    client.refresh().await.unwrap();
    assert!(!on("b") && on("c"));

    for broken in ["", "{\"Flags\":[{\"Key\":\"c\"", "{\"message\":\"boom\"}", "[1, 2]"] {
        fs::write(&path, broken).unwrap();
        client.refresh().await.unwrap_err();
        assert!(on("c"), "the last good flags");
    }
    fs::remove_file(&path).unwrap();
    let error = client.refresh().await.unwrap_err();
    assert_eq!(error.to_string(), format!("{}: there is no such file", path.display()));
    assert!(on("c"));
    fs::write(&path, document(&[flag(4, "d", "")])).unwrap();
    client.refresh().await.unwrap();
    assert!(on("d"));
}

#[tokio::test]
async fn a_large_batch_lets_others_have_their_turn() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("flags.json");
    fs::write(&path, document(&[flag(1, "a", "")])).unwrap();
    let client = start(&path).await.unwrap();
    let engine: &dyn Engine = &client;
    for (size, is_at_once) in [(999, true), (1_000, true), (1_001, false), (2_500, false)] {
        let entities: Vec<_> = (0..size).map(|it| Context::new(it.to_string())).collect();
        let batch = Batch { entities: &entities, flag_ids: &[1], ..Batch::default() };
        let mut answered = engine.evaluate_batch(batch, size);
        let at_once = answered.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
        assert_eq!(at_once.is_ready(), is_at_once, "{size}");
        let answers = match at_once {
            Poll::Ready(answers) => answers,
            Poll::Pending => answered.await,
        };
        let ids: Vec<_> = answers.unwrap().into_iter().map(|it| it.answer.entity_id).collect();
        assert!(ids.iter().map(|it| &**it).eq(entities.iter().map(Context::entity_id)));
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_served_is_named_with_the_place_and_the_reason() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("flags.json");
    let check = async |reason: &str| {
        let error = start(&path).await.unwrap_err().to_string();
        assert_eq!(error, format!("the first load failed: {}: {reason}", path.display()));
    };
    check("there is no such file").await;
    let cases = [
        ("", "the document is empty"),
        ("flags", "line 1, column 2: expected ident"),
        ("{\"Flags\":[\n{\"Key\":", "line 2, column 7: EOF while parsing a value"),
        ("[1, 2", "line 1, column 5: EOF while parsing a list"),
        ("\"text\"", "not a document of flags: neither `{\"Flags\": […]}` nor an array of flags"),
        ("{}", "not a document of flags: it has no member `Flags`"),
    ];
    for (text, reason) in cases {
        fs::write(&path, text).unwrap();
        check(reason).await;
    }
    fs::File::create(&path).unwrap().set_len(200 << 20).unwrap();
    check("is longer than 64 MiB, the most that is read").await;
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    check("is a folder").await;
}
