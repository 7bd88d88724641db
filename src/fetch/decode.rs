//! Content codings undone while the body arrives, within bounds.
//!
//! gzip (all members), deflate (zlib, or raw as some servers send it), brotli; two layers at most. What the header
//! claims is believed only after a look: a body that is plainly something else passes as it is. As in browsers the
//! check sums behind the data are not compared and octets behind the end are ignored.
//!
//! A body that ends before its coding does is broken, although HTTP thinks it complete: it is a failure of class
//! `coding`, and no prefix is kept, since half a page stored as a page would pass for the whole.

use super::layer::Layer;
use crate::crawl::visit::Limit;

/// Decoded octets that no ratio is suspicious below, and the largest ratio to the wire above them.
const FREE_OCTETS: usize = 1 << 20;
const MAX_RATIO: u64 = 200;

/// Codings undone one inside the other.
const MAX_LAYERS: usize = 2;

/// The coding is unknown or the body breaks its rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("unknown content coding {0:?}")]
    Unknown(String),
    #[error("{0} content codings on one body")]
    TooMany(usize),
    #[error("broken {0}")]
    Data(&'static str),
    #[error("{0} ends too early")]
    Cut(&'static str),
}

/// Whether more of the body is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    More,
    Full,
}

/// Collects the decoded body within its limits.
#[derive(Debug)]
pub(super) struct Body {
    octets: Vec<u8>,
    max: usize,
    wire: u64,
    truncated: Option<Limit>,
}

impl Body {
    fn push(&mut self, octets: &[u8]) -> Flow {
        let room = self.max - self.octets.len();
        self.octets.extend_from_slice(&octets[..octets.len().min(room)]);
        if octets.len() > room {
            self.truncated = Some(Limit::Decoded);
        } else if self.octets.len() > FREE_OCTETS && self.octets.len() as u64 > MAX_RATIO * self.wire {
            self.truncated = Some(Limit::Ratio);
        } else {
            return Flow::More;
        }
        Flow::Full
    }
}

/// A body with its codings undone.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) octets: Vec<u8>,
    /// Octets on the wire.
    pub(super) wire: u64,
    /// The limit it was cut at.
    pub(super) truncated: Option<Limit>,
    /// Whether it was coded as its header says.
    pub(super) is_as_named: bool,
}

/// Undoes the codings of one body, piece by piece.
pub(super) struct Decoder {
    body: Body,
    max_wire: u64,
    layers: Layers,
}

enum Layers {
    None,
    One(Layer),
    /// The one on the wire, then the one in it.
    Two(Layer, Layer),
}

impl Decoder {
    /// A decoder for a body whose `Content-Encoding` names `codings` in the order they were applied.
    pub(super) fn new<'a>(
        codings: impl Iterator<Item = &'a str>,
        room: usize,
        max_body: usize,
        max_wire: usize,
    ) -> Result<Self, Broken> {
        let mut layers: Vec<Layer> = codings.filter_map(Layer::of).collect();
        let layers = match (layers.pop(), layers.pop()) {
            (_, Some(_)) if !layers.is_empty() => return Err(Broken::TooMany(layers.len() + MAX_LAYERS)),
            (None, _) => Layers::None,
            (Some(only), None) => Layers::One(only),
            (Some(last), Some(first)) => Layers::Two(last, first),
        };
        let body =
            Body { octets: Vec::with_capacity(room.min(max_body)), max: max_body, wire: 0, truncated: None };
        Ok(Self { body, max_wire: max_wire as u64, layers })
    }

    /// Takes a piece of the body as it came over the wire.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Flow, Broken> {
        let room = usize::try_from(self.max_wire - self.body.wire).unwrap_or(usize::MAX);
        let within = &piece[..piece.len().min(room)];
        self.body.wire += within.len() as u64;
        let body = &mut self.body;
        let flow = match &mut self.layers {
            Layers::None => body.push(within),
            Layers::One(only) => only.feed(within, &mut |octets| Ok(body.push(octets)))?,
            Layers::Two(outer, inner) => {
                outer.feed(within, &mut |octets| inner.feed(octets, &mut |octets| Ok(body.push(octets))))?
            }
        };
        if flow == Flow::More && within.len() < piece.len() {
            self.body.truncated = Some(Limit::Wire);
            return Ok(Flow::Full);
        }
        Ok(flow)
    }

    /// Octets of the body that came over the wire so far.
    pub(super) fn wire(&self) -> u64 {
        self.body.wire
    }

    /// The decoded body.
    pub(super) fn finish(mut self) -> Result<Decoded, Broken> {
        let body = &mut self.body;
        if body.truncated.is_none() {
            match &mut self.layers {
                Layers::None => {}
                Layers::One(only) => only.finish(&mut |octets| Ok(body.push(octets)))?,
                Layers::Two(outer, inner) => {
                    outer.finish(&mut |octets| inner.feed(octets, &mut |octets| Ok(body.push(octets))))?;
                    if body.truncated.is_none() {
                        inner.finish(&mut |octets| Ok(body.push(octets)))?;
                    }
                }
            }
        }
        let is_as_named = match &self.layers {
            Layers::None => true,
            Layers::One(only) => only.is_as_named(),
            Layers::Two(outer, inner) => outer.is_as_named() && inner.is_as_named(),
        };
        let Body { octets, wire, truncated, .. } = self.body;
        Ok(Decoded { octets, wire, truncated, is_as_named })
    }
}
