//! The integration tests: contracts of the ports, the simulated loop, the whole program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod fleet;
mod frontier_contract;
mod fuzz;
mod hostile;
mod installation;
mod model_store;
mod namespace;
mod program;
mod redis_faults;
mod rng;
mod robots_compared;
mod servers;
mod simulation;
mod ssrf;
mod store_contract;
mod traps;
