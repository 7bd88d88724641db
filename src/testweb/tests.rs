//! Promises of the simulated web, asked over HTTP.
