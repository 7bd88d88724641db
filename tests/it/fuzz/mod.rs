//! The fuzz targets on stable Rust: octets made from the corpus in `fixtures` by a mutator that knows the words of each format and
//! nothing of coverage. Every input comes from its number, so that a number repeats it.
//!
//! `HUNTSMAN_FUZZ_RUNS=FROM..TO cargo test --test it fuzz::robots` runs those numbers; `fuzz/run` does so for long.

#[path = "../../../fuzz/targets.rs"]
mod targets;
mod words;

use crate::rng::Rng;
use huntsman::settings::environment;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use targets::TARGETS;

/// Inputs of each target in every test run.
const RUNS: std::ops::Range<u64> = 0..2_000;
/// Longest input.
const LONGEST: usize = 4_096;
/// One input may take no longer, by far: these are small.
const SLOW: Duration = Duration::from_secs(2);

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders = vec![root.join("fuzz").join(target)];
    match target {
        "robots" => folders.push(root.join("robots")),
        "html" | "charset" => folders.push(root.join("pages")),
        "settings" => folders.push(root.join("../config")),
        _ => {}
    }
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten());
    let mut paths: Vec<PathBuf> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|kind| kind != "json"))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The input of a number.
fn input(target: &str, corpus: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut rng = Rng::new(number);
    let piece = |rng: &mut Rng, of: &[u8], most: usize| {
        let from = rng.range(0..of.len() as u64 + 1) as usize;
        let to = (from + rng.range(0..most as u64 + 1) as usize).min(of.len());
        of[from..to].to_vec()
    };
    let mut data = corpus[rng.range(0..corpus.len() as u64) as usize].clone();
    if data.len() > 512 && rng.chance(70) {
        data = piece(&mut rng, &data, 512);
    }
    data.truncate(LONGEST);
    for _ in 0..=rng.range(0..12) {
        let at = rng.range(0..data.len() as u64 + 1) as usize;
        match rng.range(0..10) {
            0..4 => _ = data.splice(at..at, rng.pick(words::of(target)).bytes()),
            4 => {
                let word = rng.pick(words::of(target)).repeat(1 + rng.range(0..64) as usize);
                data.splice(at..at, word.bytes());
            }
            5 => {
                let end = (at + rng.range(0..32) as usize).min(data.len());
                data.drain(at..end);
            }
            6 => {
                let other = &corpus[rng.range(0..corpus.len() as u64) as usize];
                let other = piece(&mut rng, other, 128);
                data.splice(at..at, other);
            }
            7 => {
                let own = piece(&mut rng, &data.clone(), 64);
                data.splice(at..at, own);
            }
            8 if at < data.len() => data[at] = rng.next() as u8,
            9 if at < data.len() => data[at] ^= 1 << rng.range(0..8),
            _ => data.insert(at.min(data.len()), rng.pick(&[0, 9, 10, 13, 32, 0x7f, 0x80, 0xc3, 0xff])),
        }
        data.truncate(LONGEST);
    }
    data
}

fn run(target: &str) {
    let runs = environment::variable("HUNTSMAN_FUZZ_RUNS").map_or(RUNS, |text| {
        let (from, to) = text.split_once("..").expect("HUNTSMAN_FUZZ_RUNS=FROM..TO");
        from.parse().unwrap()..to.parse().unwrap()
    });
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    let corpus = corpus(target);
    assert!(corpus.len() > 2, "the corpus of {target} is there");
    let (mut longest, mut slowest) = (0, (Duration::ZERO, 0));
    for number in runs.clone() {
        let data = input(target, &corpus, number);
        longest = longest.max(data.len());
        #[expect(clippy::disallowed_methods, reason = "an input that takes for ever is a find")]
        let began = Instant::now();
        let held = catch_unwind(AssertUnwindSafe(|| check(&data)));
        slowest = slowest.max((began.elapsed(), number));
        assert!(held.is_ok(), "{target}, number {number}: {}", data.escape_ascii());
        assert!(slowest.0 < SLOW, "{target}, number {number} took {:?}: {}", slowest.0, data.escape_ascii());
    }
    println!(
        "{target}: inputs {runs:?}, none longer than {longest} bytes; the slowest, {}, took {:?}",
        slowest.1, slowest.0
    );
}

macro_rules! fuzzed {
    ($($target:ident)*) => {
        $(#[test] fn $target() { run(stringify!($target)); })*

        #[test]
        fn every_target_is_run_and_has_a_fuzzer() {
            let run = [$(stringify!($target)),*];
            assert_eq!(run, TARGETS.map(|(name, _)| name));
            for name in run {
                let fuzzer = format!("{}/fuzz/fuzz_targets/{name}.rs", env!("CARGO_MANIFEST_DIR"));
                assert!(std::fs::read_to_string(fuzzer).is_ok_and(|text| text.contains("fuzz_target!")), "{name}");
            }
        }
    };
}

fuzzed! { robots url html charset sitemap headers seeds settings }
