//! Inputs for each target, made of the recorded answers in `conformance`.

mod archive;

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Line {
    constraints: Vec<[String; 3]>,
    #[serde(default)]
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    context: Box<RawValue>,
}

/// Fewer seeds make libFuzzer start sooner; this many keep each kind of case.
const EVERY: usize = 4;

/// An input, and the target that it is for.
pub type Seed = (&'static str, Vec<u8>);

/// All of them.
///
/// # Panics
///
/// If the recordings are not there.
pub fn seeds() -> Vec<Seed> {
    let conformance = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance");
    let read = |name: &str| fs::read_to_string(conformance.join(name)).expect("a recording");
    let mut corpus = Corpus(Vec::new());

    for (file, every) in [("conditions.jsonl", EVERY), ("directed.jsonl", 1)] {
        for line in read(file).lines().step_by(every) {
            let line: Line = serde_json::from_str(line).expect("a line");
            let context = line.cases.first().map_or("{}", |it| it.context.get());
            corpus.add("context", context.as_bytes());
            for [property, operator, value] in &line.constraints {
                corpus.add(
                    "condition",
                    format!("{operator}\0{property}\0{value}\0{context}").as_bytes(),
                );
                if operator.ends_with("EREG") {
                    let pattern = value.trim_matches(['"', '/']);
                    let text = context.split('"').nth(3).unwrap_or_default();
                    corpus.add("pattern", format!("{pattern}\0{text}").as_bytes());
                }
            }
        }
    }

    let flags: Value = serde_json::from_str(&read("flags.json")).expect("the flags");
    let documents = [flags["export"]["Flags"].as_array(), flags["flags"].as_array()];
    for flag in documents.into_iter().flatten().flatten() {
        corpus.add("flags", format!("[{flag}]").as_bytes());
        corpus.add("flags", format!("{{\"Flags\":[{flag}]}}").as_bytes());
    }
    for (kind, seed) in archive::seeds(flags["export"]["Flags"].as_array().expect("flags")) {
        corpus.add("archive", &[&[kind], seed.as_slice()].concat());
    }
    for exchange in flags["evaluations"].as_array().into_iter().flatten().step_by(EVERY * 4) {
        corpus.add("request", format!("\0{}", exchange["request"]).as_bytes());
    }
    for exchange in flags["batches"].as_array().into_iter().flatten() {
        corpus.add("request", format!("\x01{}", exchange["request"]).as_bytes());
    }
    for line in read("post-errors.jsonl").lines().step_by(EVERY) {
        let line: Value = serde_json::from_str(line).expect("a line");
        if let (Some(path), Some(body)) = (line["path"].as_str(), line["body"].as_str()) {
            let route = if path.ends_with("batch") { '\x01' } else { '\0' };
            corpus.add("request", format!("{route}{body}").as_bytes());
        }
    }
    for query in ["ids=1,2", "keys=a&enabled=true", "tags=a,b&all=true", "ids=x", "enabled=maybe"] {
        corpus.add("request", format!("\x02{query}").as_bytes());
    }
    for notice in [
        r#"{"operation":"update","entity_type":"flag","flag_id":7,"flag_key":"a"}"#,
        r#"{"operation":"delete","flag_id":7}"#,
        r#"{"event":"flag.updated","flag_keys":["a","b"],"timestamp":"1970-01-01T00:00:10Z"}"#,
        r#"{"event":"flag.deleted","flag_keys":["a"]}"#,
    ] {
        for sender in ['\0', '\x04', '\x07'] {
            corpus.add("webhook", format!("{sender}{notice}").as_bytes());
        }
    }
    corpus.0
}

struct Corpus(Vec<Seed>);

impl Corpus {
    fn add(&mut self, target: &'static str, seed: &[u8]) {
        self.0.push((target, seed.to_vec()));
    }
}
