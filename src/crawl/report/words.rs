//! The words of reports on the wire: a closed vocabulary of ours that is written as text and read back as `&'static str`,
//! so that a process that only passes words on allocates none.

use serde::{Deserialize, Deserializer, Serializer};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Words kept, and their longest: many more than any version of ours has. A stranger in the stream makes no more of them.
const MOST: usize = 256;
const LONGEST: usize = 64;
/// What stands for a word beyond that.
const OTHER: &str = "other";

static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The word that reads like `text`; kept for good when it is met for the first time, so that a newer version's word stays
/// what it is.
fn word(text: &str) -> &'static str {
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = words.get(text) {
        return word;
    }
    if words.len() >= MOST || text.len() > LONGEST {
        return OTHER;
    }
    let word: &'static str = Box::leak(text.into());
    words.insert(word);
    word
}

pub(super) fn serialize<S: Serializer>(word: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(word)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
    Ok(word(&Cow::<'de, str>::deserialize(from)?))
}

/// The same where there may be none.
pub(super) mod option {
    use super::word;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::borrow::Cow;

    #[expect(clippy::ref_option_ref, reason = "serde calls it with a reference")]
    pub(in crate::crawl::report) fn serialize<S: Serializer>(
        word: &Option<&'static str>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        word.serialize(to)
    }

    pub(in crate::crawl::report) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<&'static str>, D::Error> {
        Ok(Option::<Cow<'de, str>>::deserialize(from)?.map(|text| word(&text)))
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MOST, OTHER, word};

    #[test]
    fn a_word_is_kept_once_and_strangers_make_no_more_than_the_bound() {
        let first = word("depth");
        assert!(std::ptr::eq(first, word(&String::from("depth"))) && first == "depth");
        assert_eq!(word(&"x".repeat(LONGEST + 1)), OTHER);
        for n in 0..2 * MOST {
            word(&format!("stranger-{n}"));
        }
        assert_eq!(word("one more"), OTHER);
        assert_eq!(word("depth"), "depth");
    }
}
