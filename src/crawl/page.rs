//! What a parsed page is.
