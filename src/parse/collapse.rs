//! Text with its white space collapsed and its length bounded.

/// Collects pieces of text as one line (or lines), with single spaces between words and none at either end. White
/// space is that of ASCII; NUL characters are dropped.
#[derive(Debug, Default)]
pub(super) struct Collapse {
    out: String,
    gap: Gap,
    limit: usize,
    cut: bool,
}

/// What stands between the text so far and the next word.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
}

impl Collapse {
    /// Empties the text; from now on it holds at most `limit` bytes.
    pub(super) fn restart(&mut self, limit: usize) {
        self.out.clear();
        self.gap = Gap::None;
        self.limit = limit;
        self.cut = false;
    }

    /// Appends a piece; it may begin or end within a word.
    pub(super) fn push(&mut self, piece: &str) {
        if self.cut {
            return;
        }
        let bytes = piece.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let is_gap = is_space(bytes[at]);
            let len =
                bytes[at..].iter().position(|byte| is_space(*byte) != is_gap).unwrap_or(bytes.len() - at);
            if is_gap {
                self.gap = self.gap.max(Gap::Space);
            } else {
                self.word(&piece[at..at + len]);
                if self.cut {
                    return;
                }
            }
            at += len;
        }
    }

    /// What follows is another word.
    pub(super) fn space(&mut self) {
        self.gap = self.gap.max(Gap::Space);
    }

    /// What follows is on another line.
    pub(super) fn line(&mut self) {
        self.gap = Gap::Line;
    }

    /// Whether something did not fit.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The text so far.
    pub(super) fn text(&self) -> &str {
        &self.out
    }

    /// Gives the text away.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    fn word(&mut self, word: &str) {
        let gap = if self.out.is_empty() { Gap::None } else { self.gap };
        let room = self.limit.saturating_sub(self.out.len() + usize::from(gap != Gap::None));
        let fitting = word.floor_char_boundary(room);
        self.cut = fitting < word.len();
        if fitting == 0 {
            return;
        }
        match gap {
            Gap::None => {}
            Gap::Space => self.out.push(' '),
            Gap::Line => self.out.push('\n'),
        }
        self.gap = Gap::None;
        if word.as_bytes().contains(&0) {
            self.out.extend(word[..fitting].split('\0'));
        } else {
            self.out.push_str(&word[..fitting]);
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// The first `limit` characters of `text`, without white space at the end of a cut.
pub(super) fn cut_chars(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    text.char_indices().nth(limit).map_or(text, |(end, _)| text[..end].trim_ascii_end())
}
