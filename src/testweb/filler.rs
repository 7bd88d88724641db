//! Words, sentences and titles.

use super::{
    dice::{Dice, Draw},
    place::{put, put_number},
};

const SENTENCES: usize = 512;

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "amber", "anchor", "april", "arrow", "autumn", "basket", "beacon", "birch", "bridge", "bronze", "cabin",
    "candle", "canyon", "cedar", "chalk", "circle", "cloud", "copper", "coral", "crane", "dawn", "delta",
    "desert", "drift", "eagle", "echo", "ember", "estuary", "falcon", "fern", "field", "flint", "forest",
    "fox", "frost", "garden", "glacier", "granite", "gravel", "harbour", "hazel", "heron", "hollow",
    "horizon", "island", "ivory", "jasper", "juniper", "kettle", "lagoon", "lantern", "larch", "ledger",
    "lichen", "limestone", "lynx", "maple", "marble", "meadow", "mill", "mirror", "mist", "moss", "mountain",
    "nettle", "north", "oak", "ocean", "orchard", "otter", "paper", "pebble", "pepper", "pine", "plain",
    "plum", "pond", "quarry", "quartz", "quiet", "rain", "raven", "reed", "ridge", "river", "road", "rowan",
    "saddle", "salt", "sand", "shadow", "shore", "silver", "slate", "snow", "sparrow", "spring", "stone",
    "storm", "stream", "summer", "summit", "thistle", "thunder", "timber", "tower", "valley", "velvet",
    "violet", "walnut", "water", "willow", "wind", "winter", "wolf", "yarrow", "caf\u{e9}", "f\u{ea}te",
    "\u{fc}ber", "stra\u{df}e", "\u{442}\u{438}\u{445}\u{438}\u{439}", "\u{5ddd}", "salt &amp; pepper",
    "rock&nbsp;pool",
];

/// What a title may hold besides words: as HTML, and as the text a reader sees.
const ORNAMENTS: &[(&str, &str)] = &[
    ("Fish &amp; Chips", "Fish & Chips"),
    ("caf&eacute;", "caf\u{e9}"),
    ("a &lt;b&gt; c", "a <b> c"),
    ("north &#8212; south", "north \u{2014} south"),
    ("&quot;quoted&quot;", "\"quoted\""),
    ("it&#x27;s", "it's"),
    ("\u{dc}bergr\u{f6}\u{df}e", "\u{dc}bergr\u{f6}\u{df}e"),
    ("\u{6771}\u{4eac}", "\u{6771}\u{4eac}"),
    ("\u{41a}\u{440}\u{43e}\u{43b}\u{438}\u{43a}", "\u{41a}\u{440}\u{43e}\u{43b}\u{438}\u{43a}"),
    ("\u{1f98a} fox", "\u{1f98a} fox"),
    ("5 &gt; 4 &copy; 2026", "5 > 4 \u{a9} 2026"),
    ("<not a tag>", "<not a tag>"),
];

pub(super) const LANGUAGES: &[&str] = &["en", "en", "en", "en-GB", "de", "fr", "ja", "ru", "pt-BR"];

/// In which form a title is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Html,
    Text,
}

/// Sentences made once from the seed; a page copies them.
#[derive(Debug)]
pub(super) struct Filler(Vec<String>);

impl Filler {
    pub(super) fn new(seed: u64) -> Self {
        let sentence = |number| {
            let mut dice = Dice::new(seed, 0, number, Draw::Vocabulary);
            let mut text = "The".to_owned();
            for _ in 0..8 + dice.below(8) {
                text.push(' ');
                text.push_str(dice.pick(WORDS));
            }
            text + ". "
        };
        Self((0..SENTENCES as u32).map(sentence).collect())
    }

    pub(super) fn sentence(&self, dice: &mut Dice) -> &str {
        &self.0[dice.below(self.0.len() as u32) as usize]
    }

    /// Appends sentences while they fit below `until` bytes.
    pub(super) fn fill(&self, dice: &mut Dice, out: &mut Vec<u8>, until: usize) {
        loop {
            let sentence = self.sentence(dice);
            if out.len() + sentence.len() > until {
                return;
            }
            put(out, sentence);
        }
    }
}

pub(super) fn put_words(dice: &mut Dice, out: &mut Vec<u8>, words: u32) {
    for word in 0..words {
        if word > 0 {
            out.push(b' ');
        }
        put(out, dice.pick(WORDS));
    }
}

/// Appends the title that `dice` draws for page `number` of `host`; no two pages of a web share one.
pub(super) fn put_title(dice: &mut Dice, (host, number): (u32, u32), form: Form, out: &mut Vec<u8>) {
    let plain = &WORDS[..WORDS.len() - 2];
    put(out, dice.pick(plain));
    out.push(b' ');
    put(out, dice.pick(plain));
    if dice.once_in(3) {
        let (html, text) = dice.pick(ORNAMENTS);
        put(out, ", ");
        put(out, if form == Form::Html { html } else { text });
    }
    out.push(b' ');
    put_number(out, host);
    out.push(b'.');
    put_number(out, number);
}
