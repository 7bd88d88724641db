//! One content coding being undone: gzip with all its members, deflate in both forms, brotli.

use super::decode::{Broken, Flow};
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, HeapAlloc, HuffmanCode};
use flate2::{Decompress, FlushDecompress, Status};

/// Octets that one step of a layer brings out.
const STEP: usize = 32 * 1_024;

/// Octets that are looked at before a coding is believed.
const LOOK: usize = 16;

/// Longest header of a gzip member: its fields for names and comments have no end of their own.
const MAX_GZIP_HEADER: usize = 64 * 1_024;

/// Where decoded octets go.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<Flow, Broken>;

enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Other(String),
}

/// One coding being undone.
pub(super) struct Layer {
    state: State,
    /// What a step brought out.
    out: Vec<u8>,
}

enum State {
    /// Nothing believed yet; the octets seen so far.
    Looking(Coding, Vec<u8>),
    Plain,
    Gzip(Box<Gzip>),
    Deflate(Box<Decompress>),
    Brotli(Box<Brotli>),
    /// The coded data ended; what follows is ignored.
    Ended,
}

/// What undoing a piece came to.
enum Step {
    Full,
    Starved,
    Ended,
}

impl Layer {
    /// The layer of one coding by its name; `None` where it changes nothing.
    pub(super) fn of(name: &str) -> Option<Self> {
        let coding = match name.trim().to_ascii_lowercase() {
            name if matches!(&*name, "" | "identity") => return None,
            name if matches!(&*name, "gzip" | "x-gzip") => Coding::Gzip,
            name if name == "deflate" => Coding::Deflate,
            name if name == "br" => Coding::Brotli,
            name => Coding::Other(name),
        };
        Some(Self { state: State::Looking(coding, Vec::new()), out: Vec::new() })
    }

    /// Takes a piece; `sink` gets what it brings out.
    pub(super) fn feed(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<Flow, Broken> {
        let State::Looking(coding, seen) = &mut self.state else {
            return self.run(piece, sink);
        };
        if seen.is_empty() && piece.len() >= LOOK {
            self.state = believe(coding, piece)?;
            return self.run(piece, sink);
        }
        seen.extend_from_slice(piece);
        if seen.len() < LOOK {
            return Ok(Flow::More);
        }
        let seen = std::mem::take(seen);
        self.state = believe(coding, &seen)?;
        self.run(&seen, sink)
    }

    fn run(&mut self, mut piece: &[u8], sink: Sink<'_>) -> Result<Flow, Broken> {
        let step = match &mut self.state {
            State::Looking(..) | State::Ended => Step::Starved,
            State::Plain => return sink(piece),
            State::Gzip(gzip) => gzip.run(piece, &mut self.out, sink)?,
            State::Deflate(inflate) => run_inflate(inflate, &mut piece, &mut self.out, "deflate", sink)?,
            State::Brotli(brotli) => brotli.run(piece, &mut self.out, sink)?,
        };
        match step {
            Step::Full => return Ok(Flow::Full),
            Step::Starved => {}
            Step::Ended => self.state = State::Ended,
        }
        Ok(Flow::More)
    }

    /// Whether the body, as far as it was seen, is coded as its name says.
    pub(super) fn is_as_named(&self) -> bool {
        !matches!(self.state, State::Plain)
    }

    /// Says that no more will come.
    pub(super) fn finish(&mut self, sink: Sink<'_>) -> Result<(), Broken> {
        if let State::Looking(coding, seen) = &mut self.state {
            if seen.is_empty() {
                return Ok(());
            }
            let seen = std::mem::take(seen);
            self.state = believe(coding, &seen)?;
            if self.run(&seen, sink)? == Flow::Full {
                return Ok(());
            }
        }
        match &self.state {
            State::Gzip(gzip) if !gzip.may_end() => Err(Broken::Cut("gzip")),
            State::Deflate(_) => Err(Broken::Cut("deflate")),
            State::Brotli(_) => Err(Broken::Cut("brotli")),
            _ => Ok(()),
        }
    }
}

/// The state for a body of `coding` that starts with `seen`.
fn believe(coding: &Coding, seen: &[u8]) -> Result<State, Broken> {
    // Compressed data that long without a single control octet or one above ASCII does not happen.
    let text = seen.len() >= LOOK && is_text(&seen[..LOOK]) && seen[..LOOK].is_ascii();
    Ok(match coding {
        Coding::Gzip if seen.starts_with(&GZIP_MAGIC) => State::Gzip(Box::default()),
        Coding::Deflate if is_zlib(seen) => State::Deflate(Box::new(Decompress::new(true))),
        Coding::Deflate if !text => State::Deflate(Box::new(Decompress::new(false))),
        Coding::Brotli if !text => State::Brotli(Box::default()),
        Coding::Other(name) if !is_text(&seen[..seen.len().min(LOOK)]) => {
            return Err(Broken::Unknown(name.chars().take(40).collect()));
        }
        _ => State::Plain,
    })
}

fn is_text(octets: &[u8]) -> bool {
    let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
    octets.iter().all(|octet| matches!(octet, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..))
}

/// RFC 1950 section 2.2: method 8, and the first two octets a multiple of 31.
fn is_zlib(seen: &[u8]) -> bool {
    matches!(seen, [first, second, ..] if first & 15 == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

/// Inflates `piece`, which is moved past what was consumed.
fn run_inflate(
    inflate: &mut Decompress,
    piece: &mut &[u8],
    out: &mut Vec<u8>,
    name: &'static str,
    sink: Sink<'_>,
) -> Result<Step, Broken> {
    out.reserve(STEP);
    loop {
        out.clear();
        let before = inflate.total_in();
        let status =
            inflate.decompress_vec(piece, out, FlushDecompress::None).map_err(|_| Broken::Data(name))?;
        let consumed = inflate.total_in() - before;
        *piece = &piece[consumed as usize..];
        if !out.is_empty() && sink(out)? == Flow::Full {
            return Ok(Step::Full);
        }
        if status == Status::StreamEnd {
            return Ok(Step::Ended);
        }
        let roomy = out.len() < out.capacity();
        if (piece.is_empty() && roomy) || (consumed == 0 && out.is_empty()) {
            return Ok(Step::Starved);
        }
    }
}

const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
const GZIP_TRAILER: usize = 8;

/// The members of a gzip file, one after the other (RFC 1952 section 2.2).
struct Gzip {
    inflate: Decompress,
    place: Place,
    members: u32,
}

enum Place {
    /// In a header; its octets so far.
    Header(Vec<u8>),
    Data,
    /// Octets of the trailer to come.
    Trailer(usize),
}

impl Default for Gzip {
    fn default() -> Self {
        Self { inflate: Decompress::new(false), place: Place::Header(Vec::new()), members: 0 }
    }
}

impl Gzip {
    fn run(&mut self, mut piece: &[u8], out: &mut Vec<u8>, sink: Sink<'_>) -> Result<Step, Broken> {
        while !piece.is_empty() {
            match &mut self.place {
                Place::Header(seen) => {
                    let known = seen.len();
                    seen.extend_from_slice(&piece[..piece.len().min(MAX_GZIP_HEADER)]);
                    match gzip_header(seen) {
                        Header::Ends(end) => {
                            piece = &piece[end - known..];
                            self.place = Place::Data;
                        }
                        Header::Unfinished if seen.len() < MAX_GZIP_HEADER => return Ok(Step::Starved),
                        _ if self.members > 0 => return Ok(Step::Ended),
                        _ => return Err(Broken::Data("gzip")),
                    }
                }
                Place::Data => match run_inflate(&mut self.inflate, &mut piece, out, "gzip", sink)? {
                    Step::Ended => {
                        self.inflate.reset(false);
                        self.members += 1;
                        self.place = Place::Trailer(GZIP_TRAILER);
                    }
                    other => return Ok(other),
                },
                Place::Trailer(left) => {
                    let skipped = piece.len().min(*left);
                    piece = &piece[skipped..];
                    *left -= skipped;
                    if *left == 0 {
                        self.place = Place::Header(Vec::new());
                    }
                }
            }
        }
        Ok(Step::Starved)
    }

    /// Whether the file may end here: behind the data of a member.
    fn may_end(&self) -> bool {
        self.members > 0 && !matches!(self.place, Place::Data)
    }
}

enum Header {
    /// Where the data starts.
    Ends(usize),
    Unfinished,
    None,
}

fn gzip_header(seen: &[u8]) -> Header {
    const FIXED: usize = 10;
    let magic = seen.len().min(2);
    if seen[..magic] != GZIP_MAGIC[..magic] || seen.get(2).is_some_and(|method| *method != 8) {
        return Header::None;
    }
    let Some(flags) = seen.get(3).filter(|_| seen.len() >= FIXED) else { return Header::Unfinished };
    let mut end = FIXED;
    if flags & 4 != 0 {
        let Some(length) = seen.get(end..end + 2) else { return Header::Unfinished };
        end += 2 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    }
    // A name and a comment, each ended by a NUL.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(length) = seen.get(end..).and_then(|rest| memchr::memchr(0, rest)) else {
                return Header::Unfinished;
            };
            end += length + 1;
        }
    }
    end += usize::from(flags & 2);
    if end <= seen.len() { Header::Ends(end) } else { Header::Unfinished }
}

/// Windows above 16 MiB ("large window") are refused.
struct Brotli(BrotliState<HeapAlloc<u8>, HeapAlloc<u32>, HeapAlloc<HuffmanCode>>);

impl Default for Brotli {
    fn default() -> Self {
        let codes = HeapAlloc::<HuffmanCode>::new(HuffmanCode::default());
        Self(BrotliState::new_strict(HeapAlloc::new(0), HeapAlloc::new(0), codes))
    }
}

impl Brotli {
    fn run(&mut self, piece: &[u8], out: &mut Vec<u8>, sink: Sink<'_>) -> Result<Step, Broken> {
        out.resize(STEP, 0);
        let (mut left, mut at, mut total) = (piece.len(), 0, 0);
        loop {
            let (mut room, mut written) = (STEP, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut at,
                piece,
                &mut room,
                &mut written,
                out,
                &mut total,
                &mut self.0,
            );
            if written > 0 && sink(&out[..written])? == Flow::Full {
                return Ok(Step::Full);
            }
            match result {
                BrotliResult::ResultSuccess => return Ok(Step::Ended),
                BrotliResult::NeedsMoreInput => return Ok(Step::Starved),
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::ResultFailure => return Err(Broken::Data("brotli")),
            }
        }
    }
}
