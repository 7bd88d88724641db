//! The patterns of a file, kept so that the best one for a path is found without trying them all.
//!
//! A file within the limit may hold 60,000 rules, and its author also writes the URLs. Three things bound a match:
//!
//! - patterns are sorted by what stands before their first wildcard: one search finds those that can match at all;
//! - of a wildcard's literal, two pairs of octets are remembered, and a pattern whose pairs the path does not have is passed over
//!   for the price of two bits;
//! - what is left is tried most specific first, and every octet that is looked at is counted. A file that is made to cost time runs
//!   out of [`MAX_STEPS`], and then forbids the URL: nobody is asked for what he may have forbidden.

use super::pattern::{Glob, WILD};
use memchr::memmem;

/// What one verdict may cost: a step is a quarter of an octet's look, and starting to look for a literal is [`START`] of them. All files
/// that people write stay a thousand times below.
pub(super) const MAX_STEPS: u32 = 300_000;
const START: u32 = 16;
const OCTETS_A_STEP: usize = 4;
/// With fewer patterns than this it costs more to learn the pairs of a path than to try them all.
const FEW: usize = 16;
const NOBODY: u32 = u32::MAX;

/// The file's patterns cost more to try on this path than a verdict may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooCostly;

/// The patterns of a file in one reading, by rank: the number of a pattern is its rank.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    octets: Box<[u8]>,
    patterns: Box<[Pattern]>,
    heads: Box<[Head]>,
    entries: Box<[Entry]>,
}

/// A pattern: where its octets stand, and how long its part before the first wildcard is.
#[derive(Debug, Clone, Copy)]
struct Pattern {
    start: u32,
    end: u32,
    head: u32,
    anchored: bool,
}

/// The patterns with one head, in the order of the heads' octets.
#[derive(Debug, Clone, Copy)]
struct Head {
    /// One of them.
    rank: u32,
    /// The longest other head that this one begins with.
    parent: u32,
    /// Where its entries stand.
    first: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    rank: u32,
    /// Two pairs of octets that a path must have behind the head.
    pairs: Option<[u16; 2]>,
}

impl Index {
    /// Keeps these, the most specific first.
    pub(super) fn new<'a>(globs: impl Iterator<Item = &'a Glob>) -> Self {
        let mut octets = Vec::new();
        let mut patterns = Vec::new();
        for glob in globs {
            let start = octets.len() as u32;
            octets.extend_from_slice(&glob.octets);
            let end = octets.len() as u32;
            patterns.push(Pattern { start, end, head: start + glob.head as u32, anchored: glob.anchored });
        }
        let mut index = Self { octets: octets.into(), patterns: patterns.into(), ..Self::default() };
        let mut order: Vec<u32> = (0..index.patterns.len() as u32).collect();
        order.sort_by(|one, other| index.head(*one).cmp(index.head(*other)).then(one.cmp(other)));
        index.entries = order.iter().map(|rank| Entry { rank: *rank, pairs: index.pairs(*rank) }).collect();
        index.heads = index.heads_of(&order).into();
        index
    }

    fn heads_of(&self, order: &[u32]) -> Vec<Head> {
        let mut heads: Vec<Head> = Vec::new();
        // The heads that the last one begins with, itself among them.
        let mut open: Vec<u32> = Vec::new();
        for (at, rank) in order.iter().enumerate() {
            let own = self.head(*rank);
            if let Some(last) = heads.last_mut().filter(|last| self.head(last.rank) == own) {
                last.end += 1;
                continue;
            }
            while open.last().is_some_and(|outer| !own.starts_with(self.head(heads[*outer as usize].rank))) {
                open.pop();
            }
            let parent = open.last().copied().unwrap_or(NOBODY);
            open.push(heads.len() as u32);
            heads.push(Head { rank: *rank, parent, first: at as u32, end: at as u32 + 1 });
        }
        heads
    }

    fn head(&self, rank: u32) -> &[u8] {
        let Pattern { start, head, .. } = self.patterns[rank as usize];
        &self.octets[start as usize..head as usize]
    }

    /// What stands behind the head, its wildcard first; empty where there is none.
    fn tail(&self, rank: u32) -> &[u8] {
        let Pattern { head, end, .. } = self.patterns[rank as usize];
        &self.octets[head as usize..end as usize]
    }

    fn pairs(&self, rank: u32) -> Option<[u16; 2]> {
        let longest = self.tail(rank).split(|octet| *octet == WILD).max_by_key(|literal| literal.len())?;
        let (&[a, b], &[y, z]) = (longest.first_chunk()?, longest.last_chunk()?);
        Some([u16::from_be_bytes([a, b]), u16::from_be_bytes([y, z])])
    }

    /// The rank of the best pattern that matches `path` and is better than `than`. Takes what it costs from `steps`.
    pub(super) fn best(&self, path: &[u8], than: u32, steps: &mut u32) -> Result<Option<u32>, TooCostly> {
        let after = self.heads.partition_point(|head| self.head(head.rank) <= path);
        let known = (self.entries.len() > FEW).then(|| Pairs::of(path));
        // Every head that the path begins with is the last one before it in their order, or begins that one.
        let mut next = after.checked_sub(1);
        let mut best = None;
        while let Some(head) = next.map(|at| self.heads[at]) {
            if let Some(rest) = path.strip_prefix(self.head(head.rank)) {
                for entry in &self.entries[head.first as usize..head.end as usize] {
                    if entry.rank >= best.unwrap_or(than) {
                        break;
                    }
                    let may =
                        entry.pairs.is_none_or(|pairs| known.as_ref().is_none_or(|known| known.has(pairs)));
                    if may && self.matches(entry.rank, rest, steps)? {
                        best = Some(entry.rank);
                        break;
                    }
                }
            }
            next = (head.parent != NOBODY).then_some(head.parent as usize);
        }
        Ok(best)
    }

    /// Whether what stands behind the head matches the rest of a path. Takes the leftmost place for each literal: with `*` the only
    /// wildcard no other choice can do better, so nothing is ever tried twice.
    fn matches(&self, rank: u32, mut rest: &[u8], steps: &mut u32) -> Result<bool, TooCostly> {
        let anchored = self.patterns[rank as usize].anchored;
        let Some(tail) = self.tail(rank).split_first().map(|(_, tail)| tail) else {
            return Ok(!anchored || rest.is_empty());
        };
        let mut literals = tail.split(|octet| *octet == WILD);
        let last = literals.next_back().unwrap_or_default();
        for literal in literals.filter(|literal| !literal.is_empty()) {
            match find(rest, literal, steps)? {
                Some(at) => rest = &rest[at + literal.len()..],
                None => return Ok(false),
            }
        }
        Ok(if anchored { rest.ends_with(last) } else { find(rest, last, steps)?.is_some() })
    }

    /// Memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.octets.len()
            + size_of_val(&*self.patterns)
            + size_of_val(&*self.heads)
            + size_of_val(&*self.entries)
    }
}

fn find(path: &[u8], literal: &[u8], steps: &mut u32) -> Result<Option<usize>, TooCostly> {
    let found = match literal {
        [] => return Ok(Some(0)),
        [one] => memchr::memchr(*one, path),
        several => memmem::find(path, several),
    };
    let seen = found.map_or(path.len(), |at| at + literal.len());
    let cost = START + (seen / OCTETS_A_STEP) as u32;
    *steps = steps.checked_sub(cost).ok_or(TooCostly)?;
    Ok(found)
}

/// The pairs of neighbouring octets that a path has: a bit for each there is.
struct Pairs(Box<[u64; 1_024]>);

impl Pairs {
    fn of(path: &[u8]) -> Self {
        let mut bits = Box::new([0; 1_024]);
        for pair in path.windows(2) {
            let pair = usize::from(u16::from_be_bytes([pair[0], pair[1]]));
            bits[pair / 64] |= 1 << (pair % 64);
        }
        Self(bits)
    }

    fn has(&self, pairs: [u16; 2]) -> bool {
        let bit = |pair: u16| self.0[usize::from(pair) / 64] & (1 << (pair % 64)) != 0;
        bit(pairs[0]) && bit(pairs[1])
    }
}
