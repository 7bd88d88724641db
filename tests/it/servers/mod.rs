//! Private servers for tests: real processes in a temporary folder, stopped with it.

pub(crate) mod cut;
pub(crate) mod disk;
pub(crate) mod postgres;
pub(crate) mod proxy;
pub(crate) mod redis;

/// Clock ticks in a second, as `/proc` counts them.
const TICKS: f64 = 100.0;

/// CPU seconds of a process, by its number or `self`, and of those of its children that have ended.
pub(crate) fn cpu(process: impl std::fmt::Display) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let times = behind_name.split_whitespace().skip(11).take(4);
    times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}
