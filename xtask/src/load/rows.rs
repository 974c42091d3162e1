//! The rows, one after the other.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::bare::Bare;
use super::drive::Driver;
use super::probe::{Expected, Probe};
use super::row;
use super::servers::{Programs, flagr, flags, vexilla};
use super::{Settings, footprint, idle};
use crate::bench::{Row, table};
use crate::clients::Flags;
use crate::http::Http;
use crate::wait::Interrupt;

const EXPORT: &str = "/api/v1/export/eval_cache/json";

/// How near the bare handler is to be.
const BARE: f64 = 0.8;

/// By how much Flagr is to be outdone.
const FLAGR: f64 = 3.5;

/// What all rows share.
struct Bench<'a> {
    driver: Driver,
    rounds: usize,
    interrupt: &'a Interrupt,
    rows: Vec<Row>,
}

impl Bench<'_> {
    /// Asks all of these in turn, in each round the other way round, and gives the rates of each.
    fn rates<const N: usize>(&self, probes: [&Probe; N]) -> Result<Vec<[f64; N]>> {
        let mut rates = vec![[0.0; N]; self.rounds];
        for probe in probes {
            probe.check()?;
        }
        for (number, rates) in rates.iter_mut().enumerate() {
            let mut turns: Vec<_> = probes.iter().zip(rates).collect();
            if !number.is_multiple_of(2) {
                turns.reverse();
            }
            for (probe, rate) in turns {
                *rate = self.driver.rate(probe, self.interrupt)?;
            }
        }
        Ok(rates)
    }

    fn push(&mut self, row: Row) {
        print!("{}", table::text(std::slice::from_ref(&row)));
        self.rows.push(row);
    }
}

pub(super) fn all(settings: &Settings, interrupt: &Interrupt) -> Result<Vec<Row>> {
    let programs = Programs::find(settings.vexilla.as_deref())?;
    let folder = TempDir::with_prefix("vexilla-load-").context("no temporary folder")?;
    let at = |name: &str| folder.path().join(name);
    let driver = Driver::find()?;
    let mut bench = Bench { driver, rounds: settings.rounds, interrupt, rows: Vec::new() };

    // Before anything else is asked of the machine.
    let program = &programs.vexilla;
    for row in footprint::rows(program, &at("footprint"), settings.idle_for, interrupt)? {
        bench.push(row);
    }

    let hundred = flags(100)?;
    let ours = vexilla(&programs.vexilla, &hundred, &at("100"), interrupt)?;
    let evaluation = evaluation(&hundred, authority(&ours.http));
    let answer = at("answer.json");
    fs::write(&answer, evaluation.check()?.body)?;
    let bare = Bare::start(&programs.bare, &answer, interrupt)?;
    let at_bare = Probe { authority: bare.authority.clone(), ..evaluation.clone() };

    match &settings.flagr {
        Some(place) => {
            let peer = flagr(place, &hundred, &at("flagr"), interrupt)?;
            let at_flagr = Probe { authority: authority(&peer.http), ..evaluation.clone() };
            let rates = bench.rates([&evaluation, &at_bare, &at_flagr])?;
            let pairs: Vec<_> = rates.iter().map(|[ours, bare, _]| (*ours, *bare)).collect();
            bench.push(row::of_pairs("POST /evaluation", "bare axum", &pairs, BARE));
            let pairs: Vec<_> = rates.iter().map(|[ours, _, flagr]| (*ours, *flagr)).collect();
            bench.push(row::of_pairs("POST /evaluation", "Flagr", &pairs, FLAGR));

            let batch = batch(&hundred, authority(&ours.http));
            let at_flagr = Probe { authority: authority(&peer.http), ..batch.clone() };
            let pairs = pairs_of(&bench.rates([&batch, &at_flagr])?);
            bench.push(row::of_pairs("batch, 10 flags × 10 entities", "Flagr", &pairs, FLAGR));
        }
        None => {
            println!("without `--flagr-bin` or `--flagr-url` nothing is compared with Flagr");
            let pairs = pairs_of(&bench.rates([&evaluation, &at_bare])?);
            bench.push(row::of_pairs("POST /evaluation", "bare axum", &pairs, BARE));
        }
    }

    for (count, work) in
        [(10, "304 on the export, 10 flags"), (10_000, "304 on the export, 10,000 flags")]
    {
        let name = format!("export-{count}");
        let server = vexilla(&programs.vexilla, &flags(count)?, &at(&name), interrupt)?;
        let ours = not_modified(authority(&server.http))?;
        let bare = not_modified(bare.authority.clone())?;
        let pairs = pairs_of(&bench.rates([&ours, &bare])?);
        bench.push(row::of_pairs(work, "bare axum", &pairs, BARE));
    }

    if let Some(row) = idle::row(ours.id(), &evaluation, interrupt)? {
        bench.push(row);
    }
    Ok(bench.rows)
}

fn pairs_of(rates: &[[f64; 2]]) -> Vec<(f64, f64)> {
    rates.iter().map(|[ours, peer]| (*ours, *peer)).collect()
}

/// `127.0.0.1:18100` of `http://127.0.0.1:18100`.
fn authority(http: &Http) -> String {
    http.base().trim_start_matches("http://").to_owned()
}

fn entity(name: &str) -> Value {
    let context = json!({ "country": "US", "plan": "gold", "age": 42 });
    json!({ "entityID": name, "entityType": "user", "entityContext": context })
}

fn evaluation(flags: &Flags, authority: String) -> Probe {
    let mut question = entity("user-1");
    if let Some(members) = question.as_object_mut() {
        members.insert("flagKey".to_owned(), json!(flags.key("flag-42")));
    }
    ask(authority, "/api/v1/evaluation", &question, 1)
}

fn batch(flags: &Flags, authority: String) -> Probe {
    let entities: Vec<_> = (0..10).map(|it| entity(&format!("user-{it}"))).collect();
    let keys: Vec<_> = (1..=10).map(|it| flags.key(&format!("flag-{it}"))).collect();
    let question = json!({ "entities": entities, "flagKeys": keys });
    ask(authority, "/api/v1/evaluation/batch", &question, 100)
}

/// A question that so many variants answer.
fn ask(authority: String, path: &'static str, question: &Value, variants: usize) -> Probe {
    Probe {
        authority,
        method: "POST",
        path,
        header: None,
        body: question.to_string(),
        expected: Expected::Holds(r#""variantKey":"o"#.to_owned(), variants),
    }
}

/// Asks for the export as somebody who has it.
fn not_modified(authority: String) -> Result<Probe> {
    let mut probe = Probe {
        authority,
        method: "GET",
        path: EXPORT,
        header: None,
        body: String::new(),
        expected: Expected::Holds(String::new(), 0),
    };
    let answer = super::probe::Connection::open(&probe)?.ask()?;
    let tag = answer.tag.context("the export has no tag")?;
    probe.header = Some(("If-None-Match", tag));
    probe.expected = Expected::NotModified;
    Ok(probe)
}
