//! The integration tests: contracts of the ports, the simulated loop, the whole program.

mod frontier_contract;
mod model_store;
mod rng;
mod simulation;
mod store_contract;
