//! Runs every command of the README, and compares what it prints with what the README says.

use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use serde_json::Value;

use crate::http::request;
use crate::running::{Beside, Sidecar, root, run};

/// Where the README's sidecar listens.
const ADDRESS: &str = "127.0.0.1:18100";

/// Where its admin API does.
const ADMIN: &str = "127.0.0.1:19000";

/// A command, and the block that stands after it.
struct Example {
    command: Vec<String>,
    output: Option<Block>,
}

struct Block {
    language: String,
    text: String,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside: Vec<_> = lines.by_ref().take_while(|it| *it != "```").collect();
            blocks.push(Block { language: language.to_owned(), text: inside.join("\n") + "\n" });
        }
    }
    blocks
}

fn examples() -> Vec<Example> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut examples = Vec::<Example>::new();
    for block in blocks(&readme) {
        match (&*block.language, examples.last_mut()) {
            ("sh", _) => examples.push(Example { command: words(&block.text), output: None }),
            ("text" | "json", Some(example)) if example.output.is_none() => {
                example.output = Some(block);
            }
            ("rust" | "rust,no_run", _) => {} // compiled as documentation tests of `vexilla`
            (other, _) => panic!("a block of `{other}` that nothing checks:\n{}", block.text),
        }
    }
    examples
}

/// A command as a shell splits it: single quotes, and a backslash before the end of a line.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in command.replace("\\\n", " ").split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// What `curl` prints; where there is none, the tests' own client stands in for it.
fn curl(arguments: &[String], address: &str) -> String {
    let arguments: Vec<_> = arguments.iter().map(|it| it.replace(ADDRESS, address)).collect();
    match Command::new("curl").arg("--silent").args(&arguments).output() {
        Ok(output) => String::from_utf8(output.stdout).unwrap(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let url = arguments.iter().find_map(|it| it.strip_prefix("http://")).unwrap();
            let body = arguments.iter().skip_while(|it| *it != "-d").nth(1);
            let method = if body.is_some() { "POST" } else { "GET" };
            let body = body.map_or("", |it| it);
            request(address, method, &url[address.len()..], body).body
        }
        Err(error) => panic!("{error}"),
    }
}

/// JSON without what differs each time.
fn timeless(json: &str) -> Value {
    fn forget_time(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.remove("timestamp");
                members.values_mut().for_each(forget_time);
            }
            Value::Array(items) => items.iter_mut().for_each(forget_time),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    forget_time(&mut value);
    value
}

#[track_caller]
fn check(command: &str, printed: &str, output: Option<&Block>) {
    let output =
        output.unwrap_or_else(|| panic!("the README does not say what this prints: {command}"));
    match &*output.language {
        "json" => assert_eq!(timeless(printed), timeless(&output.text), "{command}"),
        _ => assert_eq!(printed, output.text, "{command}"),
    }
}

#[test]
fn the_readme_tells_the_truth() {
    let mut sidecar = None;
    let mut asked = String::new();
    for Example { command, output } in examples() {
        let line = command.join(" ");
        let words: Vec<_> = command.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["cargo", "run", "--release", "--", "serve", arguments @ ..] => {
                let started = Sidecar::start_with(Beside::Admin, &[], arguments);
                let printed = format!(
                    "{}\nlistening on http://{ADDRESS}\nadmin on http://{ADMIN}\n",
                    started.loaded
                );
                check(&line, &printed, output.as_ref());
                sidecar = Some(started);
            }
            ["cargo", "run", "--release", "--", arguments @ ..] => {
                check(&line, &run(arguments).ok(), output.as_ref());
            }
            ["curl", ..] => {
                let address = &sidecar.as_ref().expect("the README starts a sidecar first").address;
                check(&line, &curl(&command[1..], address), output.as_ref());
                asked.push_str(&line);
            }
            ["cargo", "xtask", "ci"] => {} // what runs this test
            _ => panic!("a command that nothing checks: {line}"),
        }
    }
    for flag in ["payments-enabled", "new-checkout", "price-layout", "search-config"] {
        assert!(asked.contains(flag), "no curl asks for {flag}");
    }
}
