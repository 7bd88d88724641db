//! Private servers for tests: real processes in a temporary folder, stopped with it.

pub(crate) mod cut;
pub(crate) mod disk;
pub(crate) mod postgres;
pub(crate) mod proxy;
pub(crate) mod redis;
