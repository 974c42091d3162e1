//! Writes a corpus for each target.
//!
//! `cargo run --manifest-path fuzz/Cargo.toml -p vexilla-fuzz-seed`

use std::fs;
use std::path::Path;

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let seeds = vexilla_fuzz_seed::seeds();
    for (number, (target, seed)) in seeds.iter().enumerate() {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).expect("a folder for the corpus");
        fs::write(folder.join(format!("seed-{number:05}")), seed).expect("a place for a seed");
    }
    println!("{} seeds in {}", seeds.len(), corpus.display());
}
