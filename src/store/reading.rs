//! What a statement that reads answers, whatever store it was asked of.

/// A value as a row of an answer has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating point number.
    Real(f64),
    /// Text; bytes that are no UTF-8 are replaced.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Whose tables a store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Those of an older version: some tables or columns may not be there. A crawl brings them up to date.
    Older,
    /// Those of this version.
    Ours,
    /// Those of a newer version.
    Newer,
}

impl Age {
    /// The age of a store whose last change to its tables has the number `version`, where ours has `ours`.
    pub(super) fn of(version: i64, ours: i64) -> Self {
        match version.cmp(&ours) {
            std::cmp::Ordering::Less => Self::Older,
            std::cmp::Ordering::Equal => Self::Ours,
            std::cmp::Ordering::Greater => Self::Newer,
        }
    }
}
