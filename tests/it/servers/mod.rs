//! Private servers for tests: started in a temporary folder, stopped with it.

pub(crate) mod redis;
