//! Rows of typed values as a table, as JSON or as CSV.
//!
//! JSON and CSV are written row by row. A table's columns are as wide as its first rows need.

use super::escape::{columns, fit, visible};
pub use crate::store::reading::Value;
use clap::ValueEnum;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Rows by which the widths of a table's columns are decided.
const MEASURED_ROWS: usize = 500;
/// A column is not squeezed below this many characters.
const LEAST_WIDTH: usize = 8;
const GAP: &str = "  ";

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people; text is escaped and, on a terminal, cut to its width.
    Table,
    /// One JSON array of objects.
    Json,
    /// RFC 4180, with a guard against formulas in spreadsheets.
    Csv,
}

impl Value {
    /// The value as text; NULL is empty.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Integer(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => bytes.iter().fold(String::new(), |mut hex, byte| {
                _ = write!(hex, "{byte:02x}");
                hex
            }),
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Real(_))
    }

    fn json(&self) -> String {
        let value = match self {
            Self::Null => serde_json::Value::Null,
            Self::Integer(number) => (*number).into(),
            Self::Real(number) => (*number).into(),
            Self::Text(_) | Self::Bytes(_) => self.text().into(),
        };
        super::escape::json(&value)
    }

    /// One CSV field. A text that a spreadsheet would take for a formula gets a quote in front (OWASP: CSV injection).
    fn csv(&self, for_terminal: bool) -> String {
        let text = self.text();
        let text = if for_terminal { visible(&text).into_owned() } else { text };
        let formula = !self.is_number() && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = if formula { format!("'{text}") } else { text };
        if text.contains(['"', ',', '\n', '\r'])
            || text.starts_with([' ', '\t'])
            || text.ends_with([' ', '\t'])
        {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    }
}

/// What the rows are printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// A terminal of so many columns.
    Terminal(usize),
    /// A file or a pipe: nothing is cut.
    File,
}

impl Screen {
    /// What standard output is.
    pub fn stdout() -> Self {
        if !io::IsTerminal::is_terminal(&io::stdout()) {
            return Self::File;
        }
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Self::Terminal(width.max(40))
    }
}

/// Prints rows to `out`. Nothing is complete before [`Rows::finish`].
#[derive(Debug)]
pub struct Rows<W> {
    out: W,
    format: Format,
    screen: Screen,
    names: Vec<String>,
    count: u64,
    /// The rows of a table whose widths are not yet decided.
    measured: Vec<Vec<Value>>,
    widths: Option<Vec<usize>>,
}

impl<W: Write> Rows<W> {
    /// Rows with these column names.
    pub fn new(out: W, format: Format, screen: Screen, names: Vec<String>) -> Self {
        Self { out, format, screen, names, count: 0, measured: Vec::new(), widths: None }
    }

    /// Adds a row, one value a column.
    pub fn push(&mut self, row: Vec<Value>) -> io::Result<()> {
        self.count += 1;
        match self.format {
            Format::Table if self.widths.is_none() => {
                self.measured.push(row);
                if self.measured.len() == MEASURED_ROWS { self.decide() } else { Ok(()) }
            }
            Format::Table => self.line(&row),
            Format::Json => self.object(&row),
            Format::Csv => {
                if self.count == 1 {
                    self.csv_names()?;
                }
                let terminal = self.screen != Screen::File;
                let fields: Vec<String> = row.iter().map(|value| value.csv(terminal)).collect();
                write!(self.out, "{}\r\n", fields.join(","))
            }
        }
    }

    /// Ends the document and returns the number of rows.
    pub fn finish(mut self) -> io::Result<u64> {
        match self.format {
            // Without a row the columns may be unknown, and there is nothing to rule off.
            Format::Table | Format::Csv if self.names.is_empty() => {}
            Format::Table if self.widths.is_none() => self.decide()?,
            Format::Json if self.count == 0 => writeln!(self.out, "[]")?,
            Format::Json => write!(self.out, "\n]\n")?,
            Format::Csv if self.count == 0 => self.csv_names()?,
            Format::Table | Format::Csv => {}
        }
        self.out.flush()?;
        Ok(self.count)
    }

    fn csv_names(&mut self) -> io::Result<()> {
        let names: Vec<String> = self.names.iter().map(|name| Value::Text(name.clone()).csv(true)).collect();
        write!(self.out, "{}\r\n", names.join(","))
    }

    fn object(&mut self, row: &[Value]) -> io::Result<()> {
        self.out.write_all(if self.count == 1 { b"[\n{" } else { b",\n{" })?;
        for (at, (name, value)) in self.names.iter().zip(row).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            // Two columns of one name are two members: the second says which it is.
            let earlier = self.names[..at].iter().filter(|other| *other == name).count();
            let name = if earlier == 0 { name.clone() } else { format!("{name}_{}", earlier + 1) };
            write!(self.out, "{comma}{}: {}", Value::Text(name).json(), value.json())?;
        }
        self.out.write_all(b"}")
    }

    fn decide(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.measured);
        let mut widths: Vec<usize> = self.names.iter().map(|name| columns(&visible(name))).collect();
        for row in &rows {
            for (width, value) in widths.iter_mut().zip(row) {
                *width = (*width).max(columns(&visible(&value.text())));
            }
        }
        if let Screen::Terminal(room) = self.screen {
            squeeze(&mut widths, room);
        }
        let heads: Vec<Value> = self.names.iter().cloned().map(Value::Text).collect();
        let rules: Vec<Value> = widths.iter().map(|width| Value::Text("-".repeat(*width))).collect();
        self.widths = Some(widths);
        self.line(&heads)?;
        self.line(&rules)?;
        rows.iter().try_for_each(|row| self.line(row))
    }

    fn line(&mut self, row: &[Value]) -> io::Result<()> {
        let widths = self.widths.as_deref().unwrap_or_default();
        let mut line = String::new();
        for (at, (value, width)) in row.iter().zip(widths).enumerate() {
            let text = match self.screen {
                Screen::Terminal(_) => fit(&value.text(), *width),
                Screen::File => visible(&value.text()).into_owned(),
            };
            let blank = " ".repeat(width.saturating_sub(columns(&text)));
            line.push_str(if at == 0 { "" } else { GAP });
            if value.is_number() {
                line.extend([blank, text]);
            } else {
                line.extend([text, blank]);
            }
        }
        writeln!(self.out, "{}", line.trim_end())
    }
}

/// Takes from the widest columns until all fit into `room`.
fn squeeze(widths: &mut [usize], room: usize) {
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        let excess = widths.iter().sum::<usize>() + gaps - room;
        let Some(widest) = widths.iter().copied().max().filter(|widest| *widest > LEAST_WIDTH) else {
            return;
        };
        let next = widths.iter().copied().filter(|width| *width < widest).max().unwrap_or(0).max(LEAST_WIDTH);
        let many = widths.iter().filter(|width| **width == widest).count();
        let each = excess.div_ceil(many).min(widest - next);
        for width in widths.iter_mut().filter(|width| **width == widest) {
            *width -= each;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn print(format: Format, screen: Screen, names: &[&str], rows: &[Vec<Value>]) -> String {
        let mut out = Vec::new();
        let names = names.iter().map(ToString::to_string).collect();
        let mut printed = Rows::new(&mut out, format, screen, names);
        for row in rows {
            printed.push(row.clone()).unwrap();
        }
        assert_eq!(printed.finish().unwrap(), rows.len() as u64);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_lines_up_and_fits_the_terminal() {
        let rows = [
            vec![text("http://a.test/\x1b[31m"), Value::Integer(200), Value::Null],
            vec![text(&"x".repeat(60)), Value::Integer(7), Value::Real(0.5)],
        ];
        let names = ["url", "status", "share"];
        assert_eq!(
            print(Format::Table, Screen::Terminal(45), &names, &rows),
            "url                             status  share\n\
             ------------------------------  ------  -----\n\
             http://a.test/\\u{1b}[31m           200\n\
             xxxxxxxxxxxxxxxxxxxxxxxxxxx...       7    0.5\n"
        );
        let piped = print(Format::Table, Screen::File, &names, &rows);
        assert!(piped.contains(&"x".repeat(60)) && !piped.contains('\x1b'));
        assert_eq!(print(Format::Table, Screen::Terminal(80), &["n"], &[]), "n\n-\n");
    }

    #[test]
    fn rows_after_the_measured_ones_keep_the_widths() {
        let rows: Vec<_> =
            (0..MEASURED_ROWS as i64 + 2).map(|n| vec![text("ab"), Value::Integer(n)]).collect();
        let table = print(Format::Table, Screen::Terminal(80), &["t", "n"], &rows);
        assert_eq!(table.lines().count(), rows.len() + 2);
        assert!(table.lines().all(|line| columns(line) <= 7), "{table}");
    }

    #[test]
    fn json_is_valid_and_shows_no_control_character() {
        let rows = [
            vec![text("a\"\x1b\u{9b}\u{202e}\u{e0041}"), Value::Null],
            vec![Value::Bytes(vec![0, 255]), Value::Integer(-1)],
        ];
        let json = print(Format::Json, Screen::File, &["a", "a"], &rows);
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read[0]["a"], "a\"\x1b\u{9b}\u{202e}\u{e0041}");
        assert_eq!(
            (&read[0]["a_2"], &read[1]["a"], &read[1]["a_2"]),
            (&().into(), &"00ff".into(), &(-1).into())
        );
        assert!(json.chars().all(|c| c == '\n' || !super::super::escape::is_hidden(c)));
        assert_eq!(print(Format::Json, Screen::File, &["a"], &[]), "[]\n");
    }

    #[test]
    fn csv_quotes_and_guards_against_formulas() {
        for (value, field) in [
            (text("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\""),
            (text("+1"), "'+1"),
            (text("-1"), "'-1"),
            (text("@SUM(A1)"), "'@SUM(A1)"),
            (text("\tx"), "'\tx"),
            (text("\rx"), "\"'\rx\""),
            (text("a,b\nc"), "\"a,b\nc\""),
            (text(" pad"), "\" pad\""),
            (Value::Integer(-1), "-1"),
            (Value::Real(-0.5), "-0.5"),
            (Value::Null, ""),
        ] {
            let csv = print(Format::Csv, Screen::File, &["v"], std::slice::from_ref(&vec![value]));
            assert_eq!(csv, format!("v\r\n{field}\r\n"));
        }
        assert_eq!(print(Format::Csv, Screen::File, &["a", "b"], &[]), "a,b\r\n");
        let shown = print(Format::Csv, Screen::Terminal(80), &["a"], &[vec![text("\x1b[2J")]]);
        assert!(!shown.contains('\x1b'));
    }
}
