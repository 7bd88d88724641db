//! The seeds of `huntsman crawl`: URLs, seed-list files and standard input, read in batches.

use super::exit::Failure;
use crate::crawl::seeds::{NotASeedList, Seed, SeedArgument, SeedParser, Tally};
use crate::telemetry::Terminal;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes of a list read at a time.
const PIECE: usize = 64 << 10;
/// Problems shown of one list; further ones are counted.
const SHOWN_PROBLEMS: usize = 20;
/// Most bytes kept of standard input where `--strict` must see the end before the first seed is used.
const MAX_KEPT: u64 = 64 << 20;

const HINT: &str =
    "give a URL such as https://example.org/, a file with one URL a line, or - for standard input";

/// Reads the seeds of the arguments in order; lists in batches, so that one of any length needs little memory.
///
/// Bad lines are reported on the terminal when their list ends, the good ones are returned.
pub struct SeedSource {
    waiting: VecDeque<Input>,
    reading: Option<Reading>,
    seeds: u64,
    duplicates: u64,
    bad_lines: u64,
    terminal: Terminal,
}

enum Input {
    Seed(Box<Seed>),
    List(String, Box<dyn Read + Send>),
}

struct Reading {
    name: String,
    list: Box<dyn Read + Send>,
    parser: SeedParser,
}

/// What to do with a list that has bad lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadLines {
    /// Report them and go on: the default.
    Report,
    /// Refuse the whole crawl before its first seed: `--strict`.
    Refuse,
}

impl SeedSource {
    /// Opens `arguments`: every mistake that can be seen without reading the lists is found here, and with
    /// [`BadLines::Refuse`] also those inside.
    pub fn open(arguments: &[String], bad_lines: BadLines, terminal: &Terminal) -> Result<Self, Failure> {
        let mut waiting = VecDeque::new();
        for argument in arguments {
            let exists = Path::new(argument).exists();
            let parsed = SeedArgument::parse(argument, exists)
                .map_err(|why| Failure::usage(format!("seed {argument:?}: {why}")).hint(HINT))?;
            match parsed {
                SeedArgument::Url(url) => waiting.push_back(Input::Seed(Box::new(Seed {
                    url,
                    original: argument.clone(),
                    depth: None,
                    scope: None,
                    priority: None,
                    line: 0,
                }))),
                SeedArgument::File(path) => {
                    let list = open_file(&path)?;
                    if bad_lines == BadLines::Refuse {
                        check(argument, open_file(&path)?, terminal)?;
                    }
                    waiting.push_back(Input::List(argument.clone(), Box::new(list)));
                }
                SeedArgument::Stdin => {
                    let list = stdin(bad_lines, terminal)?;
                    waiting.push_back(Input::List("standard input".to_owned(), list));
                }
            }
        }
        let terminal = terminal.clone();
        Ok(Self { waiting, reading: None, seeds: 0, duplicates: 0, bad_lines: 0, terminal })
    }

    /// The next seeds, some at least, or `None` at the end. Blocks on a slow standard input: call it off the runtime's
    /// threads. An end without any seed is a mistake of the operator.
    pub fn next_batch(&mut self) -> Result<Option<Vec<Seed>>, Failure> {
        loop {
            let batch = if let Some(reading) = self.reading.take() {
                self.read_on(reading)?
            } else {
                match self.waiting.pop_front() {
                    Some(Input::Seed(seed)) => vec![*seed],
                    Some(Input::List(name, list)) => {
                        self.reading = Some(Reading { name, list, parser: SeedParser::default() });
                        continue;
                    }
                    None if self.seeds == 0 => {
                        return Err(Failure::usage("no seed: the list holds no URL").hint(HINT));
                    }
                    None => return Ok(None),
                }
            };
            if !batch.is_empty() {
                self.seeds += batch.len() as u64;
                return Ok(Some(batch));
            }
        }
    }

    /// Seeds so far, of all lists together.
    pub fn seeds(&self) -> u64 {
        self.seeds
    }

    /// Lines so far whose URL stood further up in their list; no problem.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Lines so far that were no seed.
    pub fn bad_lines(&self) -> u64 {
        self.bad_lines
    }

    fn read_on(&mut self, mut reading: Reading) -> Result<Vec<Seed>, Failure> {
        if let Some(piece) = read_piece(&reading.name, &mut reading.list)? {
            let seeds = reading.parser.feed(&piece).map_err(|why| refused(&reading.name, &why))?;
            self.reading = Some(reading);
            return Ok(seeds);
        }
        let (last, tally) = reading.parser.finish().map_err(|why| refused(&reading.name, &why))?;
        report(&reading.name, &tally, &self.terminal);
        self.duplicates += tally.duplicates;
        self.bad_lines += tally.bad_lines;
        Ok(last.into_iter().collect())
    }
}

fn open_file(path: &PathBuf) -> Result<File, Failure> {
    let wrong = |why: io::Error| Failure::usage(format!("seed list {}: {why}", path.display())).hint(HINT);
    let file = File::open(path).map_err(wrong)?;
    if file.metadata().map_err(wrong)?.is_dir() {
        return Err(Failure::usage(format!("seed list {}: is a directory", path.display())).hint(HINT));
    }
    Ok(file)
}

/// Standard input; under [`BadLines::Refuse`] it is read to its end first, since it cannot be read twice.
fn stdin(bad_lines: BadLines, terminal: &Terminal) -> Result<Box<dyn Read + Send>, Failure> {
    if bad_lines == BadLines::Report {
        return Ok(Box::new(io::stdin()));
    }
    let mut kept = Vec::new();
    io::stdin().take(MAX_KEPT + 1).read_to_end(&mut kept)?;
    if kept.len() as u64 > MAX_KEPT {
        return Err(Failure::usage("--strict keeps at most 64 MiB of standard input")
            .hint("put the list into a file"));
    }
    check("standard input", &kept[..], terminal)?;
    Ok(Box::new(io::Cursor::new(kept)))
}

/// Reads a whole list and refuses it if one line is bad.
fn check(name: &str, mut list: impl Read, terminal: &Terminal) -> Result<(), Failure> {
    let mut parser = SeedParser::default();
    while let Some(piece) = read_piece(name, &mut list)? {
        parser.feed(&piece).map_err(|why| refused(name, &why))?;
    }
    let (_, tally) = parser.finish().map_err(|why| refused(name, &why))?;
    if tally.bad_lines == 0 {
        return Ok(());
    }
    report(name, &tally, terminal);
    let lines = super::figures::plural(tally.bad_lines, "bad line");
    Err(Failure::usage(format!("seed list {name}: {lines}"))
        .hint("without --strict the good lines are crawled"))
}

fn read_piece(name: &str, list: &mut impl Read) -> Result<Option<Vec<u8>>, Failure> {
    let mut piece = vec![0; PIECE];
    let read = loop {
        match list.read(&mut piece) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(Failure::usage(format!("seed list {name}: {why}"))),
            Ok(read) => break read,
        }
    };
    piece.truncate(read);
    Ok((read > 0).then_some(piece))
}

fn refused(name: &str, why: &NotASeedList) -> Failure {
    Failure::usage(format!("seed list {name}: {why}")).hint(HINT)
}

fn report(name: &str, tally: &Tally, terminal: &Terminal) {
    let warning = terminal.paint().yellow("warning:");
    for line in problem_lines(name, tally) {
        terminal.line(&format!("{warning} {line}"));
    }
}

fn problem_lines(name: &str, tally: &Tally) -> Vec<String> {
    let name = super::escape::visible(name);
    let shown = tally.problems.iter().take(SHOWN_PROBLEMS);
    let mut lines: Vec<String> = shown
        .map(|problem| format!("{name}:{}: {}: {}", problem.line, problem.reason, problem.text))
        .collect();
    let more = tally.bad_lines.saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("{name}: {} more", super::figures::plural(more, "bad line")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Colours;
    use std::io::Write;

    fn list(text: &[u8]) -> (tempfile::NamedTempFile, String) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        (file, path)
    }

    fn read(arguments: &[&str], bad_lines: BadLines) -> Result<(Vec<String>, SeedSource), String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let terminal = Terminal::stderr(Colours::Never);
        let said = |failure: Failure| {
            assert_eq!(failure.code, super::super::ExitCode::Usage);
            failure.error.to_string()
        };
        let mut source = SeedSource::open(&arguments, bad_lines, &terminal).map_err(said)?;
        let mut urls = Vec::new();
        while let Some(batch) = source.next_batch().map_err(said)? {
            urls.extend(batch.into_iter().map(|seed| seed.url.to_string()));
        }
        Ok((urls, source))
    }

    #[test]
    fn urls_and_lists_come_in_their_order() {
        let (_file, path) = list(b"http://b.test/\nbad\nhttp://b.test/#x\nhttp://c.test/");
        let (urls, source) = read(&["http://a.test", &path, "http://d.test/"], BadLines::Report).unwrap();
        assert_eq!(urls, ["http://a.test/", "http://b.test/", "http://c.test/", "http://d.test/"]);
        assert_eq!((source.seeds(), source.duplicates(), source.bad_lines()), (4, 1, 1));
    }

    #[test]
    fn a_long_list_comes_in_batches() {
        let text = (0..20_000).fold(String::new(), |text, n| text + &format!("http://h.test/{n}\n"));
        let (_file, path) = list(text.as_bytes());
        let source = SeedSource::open(&[path], BadLines::Refuse, &Terminal::stderr(Colours::Never));
        let mut source = source.unwrap();
        let mut batches = Vec::new();
        while let Some(batch) = source.next_batch().unwrap() {
            batches.push(batch.len());
        }
        assert_eq!(batches.iter().sum::<usize>(), 20_000);
        assert!(batches.len() > 4, "{batches:?}");
    }

    #[test]
    fn bad_input_is_one_clear_mistake() {
        let (_empty, empty) = list(b"# nothing\n\n");
        let (_bad, bad) = list(b"http://a.test/\nexample.org\n");
        let (_binary, binary) = list(b"\x7fELF\0\x01\x02");
        let directory = std::env::temp_dir().to_str().unwrap().to_owned();
        let check = |argument: &str, bad_lines, expected: &str| {
            let said = read(&[argument], bad_lines).map(|(urls, _)| urls).unwrap_err();
            assert!(said.contains(expected), "{said}");
        };
        check(&empty, BadLines::Report, "no seed: the list holds no URL");
        check(&bad, BadLines::Refuse, ": 1 bad line");
        check(&binary, BadLines::Report, "a binary file, not a list of URLs");
        check(&directory, BadLines::Report, "is a directory");
        check("no-such.txt", BadLines::Report, "neither a URL (http:// or https://) nor a file that exists");
        check("file:///etc/passwd", BadLines::Report, "file: URLs are not fetched");
        check("example.org", BadLines::Report, "did you mean https://example.org/?");
    }

    #[test]
    fn problems_are_shown_with_their_line_and_not_without_end() {
        let mut parser = SeedParser::default();
        parser.feed("bad\x1b\n".repeat(30).as_bytes()).unwrap();
        let lines = problem_lines("seeds.txt", &parser.finish().unwrap().1);
        assert_eq!(lines.len(), SHOWN_PROBLEMS + 1);
        assert_eq!(lines[1], "seeds.txt:2: not a URL: relative URL without a base: bad\\u{1b}");
        assert_eq!(lines[SHOWN_PROBLEMS], "seeds.txt: 10 bad lines more");
    }
}
