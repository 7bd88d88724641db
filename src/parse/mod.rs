//! Bytes into title, metadata, text and outlinks.
