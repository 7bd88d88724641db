//! What servers do in the cases that other crawlers are shown, too: the tests and `compared` start the same.

mod asking;
mod documents;
mod leading;
mod wire;

pub(super) use asking::*;
pub(super) use documents::*;
pub(super) use leading::*;
pub(super) use wire::*;
