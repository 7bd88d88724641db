//! A sketch of a text: a simhash of 64 bits, in which texts that differ in little differ in few bits.
//!
//! The features are blocks of the pieces of text between tags, all numbers taken for one: months of a calendar and numbered
//! pages are alike, and so are lists that have the same word beside each entry: what was just there counts once. The 64 counters are kept as bit planes, so that a feature costs some ten instructions.

/// Bytes of a feature.
const BLOCK: usize = 32;
/// Features below which a text has no sketch: too little to tell texts apart.
const LEAST: u32 = 24;
/// Features that are looked at.
const MOST: u32 = 60_000;
/// Bits in which sketches of texts that are taken for the same may differ.
pub const NEAR: u32 = 3;

/// Planes to which two are added at a time.
const PAIRED: usize = 3;

/// Features that are remembered, by their last byte, so that they count once.
const REMEMBERED: usize = 256;

/// A sketch that is being made.
#[derive(Debug, Clone)]
pub struct Sketch {
    seen: Box<[u64; REMEMBERED]>,
    /// A piece of text with its numbers folded.
    folded: Vec<u8>,
    /// The counters of the 64 bits: plane `n` holds their bits of value `2^n`.
    planes: [u64; 16],
    /// Of the lowest planes: what waits for a second one to be added with, where that bit of `features` is set.
    waiting: [u64; PAIRED],
    features: u32,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            seen: Box::new([0; REMEMBERED]),
            folded: Vec::new(),
            planes: [0; 16],
            waiting: [0; PAIRED],
            features: 0,
        }
    }
}

impl Sketch {
    /// Adds a piece of text.
    pub fn push(&mut self, text: &str) {
        let text = text.trim_ascii().as_bytes();
        // All of it is looked at, in strides, rather than up to the first.
        if !text.iter().fold(false, |has, byte| has | byte.is_ascii_digit()) {
            return self.blocks(text);
        }
        let mut folded = std::mem::take(&mut self.folded);
        folded.resize(text.len(), 0);
        let (mut length, mut was_digit) = (0, false);
        for byte in text {
            let is_digit = byte.is_ascii_digit();
            // A digit behind a digit takes its place.
            length -= usize::from(is_digit && was_digit);
            folded[length] = if is_digit { b'0' } else { *byte };
            length += 1;
            was_digit = is_digit;
        }
        self.blocks(&folded[..length]);
        self.folded = folded;
    }

    fn blocks(&mut self, text: &[u8]) {
        for block in text.chunks(BLOCK) {
            if self.features >= MOST {
                return;
            }
            let feature = feature(block);
            if std::mem::replace(&mut self.seen[(feature & 0xff) as usize], feature) != feature {
                self.count(feature);
            }
        }
    }

    /// Counts each bit of a feature.
    fn count(&mut self, feature: u64) {
        let number = self.features;
        self.features += 1;
        let mut carry = feature;
        for (level, waiting) in self.waiting.iter_mut().enumerate() {
            if number >> level & 1 == 0 {
                *waiting = carry;
                return;
            }
            let (plane, one, other) = (self.planes[level], *waiting, carry);
            self.planes[level] = plane ^ one ^ other;
            carry = plane & one | (plane | one) & other;
        }
        add(&mut self.planes[PAIRED..], carry);
    }

    /// The sketch of all that was pushed; `None` where that was too little.
    pub fn finish(&self) -> Option<u64> {
        let mut planes = self.planes;
        for (level, waiting) in
            self.waiting.iter().enumerate().filter(|(level, _)| self.features >> level & 1 == 1)
        {
            add(&mut planes[level..], *waiting);
        }
        let half = self.features / 2;
        let is_set = |bit: u32| {
            let count = planes
                .iter()
                .enumerate()
                .map(|(n, plane)| u32::from(plane >> bit & 1 == 1) << n)
                .sum::<u32>();
            count > half
        };
        (self.features >= LEAST).then(|| (0..64).filter(|bit| is_set(*bit)).map(|bit| 1 << bit).sum())
    }
}

/// Adds one to the counters of these bits.
fn add(planes: &mut [u64], mut bits: u64) {
    for plane in planes {
        if bits == 0 {
            break;
        }
        (*plane, bits) = (*plane ^ bits, *plane & bits);
    }
}

/// Whether two sketches are of texts that are taken for the same.
pub fn is_near(one: u64, other: u64) -> bool {
    (one ^ other).count_ones() <= NEAR
}

fn feature(block: &[u8]) -> u64 {
    let mut hash = block.len() as u64;
    let mut add = |word: u64| {
        hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
    };
    let (words, rest) = block.as_chunks::<8>();
    for word in words {
        add(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        add(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(text: &str) -> u64 {
        let mut sketch = Sketch::default();
        for line in text.lines() {
            sketch.push(line);
        }
        sketch.finish().unwrap()
    }

    #[test]
    fn every_bit_is_counted_as_often_as_it_was_set() {
        let mut sketch = Sketch::default();
        let mut counts = [0_u32; 64];
        let mut feature = 1_u64;
        for number in 1..=500 {
            feature = feature.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ feature >> 7;
            sketch.count(feature);
            (0..64).for_each(|bit| counts[bit] += u32::from(feature >> bit & 1 == 1));
            let expected = (0..64).filter(|bit| counts[*bit] > number / 2).map(|bit| 1 << bit).sum();
            assert_eq!(sketch.finish(), (number >= LEAST).then_some(expected), "{number}");
        }
    }

    fn text(seed: u64, lines: usize) -> String {
        let word = |n: u64| {
            blake3::hash(&(seed ^ n).to_le_bytes()).to_hex()[..9].replace(|c: char| c.is_ascii_digit(), "q")
        };
        (0..lines as u64).map(|n| word(n * 1_000) + "\n").collect()
    }

    #[test]
    fn texts_that_differ_in_numbers_or_in_little_are_near_and_others_are_not() {
        let page = text(1, 200);
        assert_eq!(sketch(&format!("{page}May 2026\n17")), sketch(&format!("{page}May 12031\n3")));
        assert!(is_near(sketch(&format!("{page}November")), sketch(&format!("{page}December"))));
        for seed in 2..50 {
            assert!(!is_near(sketch(&page), sketch(&text(seed, 200))));
        }
        let list = |seed: u64| text(seed, 40).replace('\n', "\nRead more\n");
        assert!(!is_near(sketch(&list(1)), sketch(&list(2))), "what stands beside each entry counts once");
        assert_eq!(Sketch::default().finish(), None);
    }

    proptest::proptest! {
        #[test]
        fn a_bit_is_that_of_most_features(texts in proptest::collection::hash_set("[a-z]{4,9}", 24..80)) {
            let mut sketch = Sketch::default();
            for text in &texts {
                sketch.push(text);
            }
            let count = |bit: u32| texts.iter().filter(|text| feature(text.as_bytes()) >> bit & 1 == 1).count();
            let plain: u64 = (0..64).filter(|bit| count(*bit) > texts.len() / 2).map(|bit| 1 << bit).sum();
            proptest::prop_assert_eq!(sketch.finish(), Some(plain));
        }
    }
}
