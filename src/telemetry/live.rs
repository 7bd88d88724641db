//! The rows at the bottom of the terminal where the live line is drawn.

use indicatif::TermLike;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// Columns that are left free at the right: the terminal writes `^C` behind the live line, and where that begins a new
/// row, the line above it is never cleared.
const FREE_COLUMNS: usize = 4;
/// The width of a terminal that does not say.
const USUAL_COLUMNS: usize = 80;
/// The height of one that does not say.
const USUAL_ROWS: u16 = 24;

/// Columns that a live line may use.
pub(crate) fn room() -> usize {
    let width = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
    width.unwrap_or(USUAL_COLUMNS).saturating_sub(FREE_COLUMNS).max(1)
}

/// Standard error as indicatif draws on it: each drawing is one write.
#[derive(Debug, Default)]
pub(super) struct Screen(Mutex<Vec<u8>>);

impl Screen {
    fn add(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text.as_bytes());
    }

    fn step(&self, count: usize, direction: char) {
        if count > 0 {
            self.add(&format!("\x1b[{count}{direction}"));
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        u16::try_from(room()).unwrap_or(u16::MAX)
    }
    fn height(&self) -> u16 {
        terminal_size::terminal_size_of(io::stderr()).map_or(USUAL_ROWS, |(_, height)| height.0)
    }
    fn move_cursor_up(&self, rows: usize) -> io::Result<()> {
        self.step(rows, 'A');
        Ok(())
    }
    fn move_cursor_down(&self, rows: usize) -> io::Result<()> {
        self.step(rows, 'B');
        Ok(())
    }
    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.step(columns, 'C');
        Ok(())
    }
    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.step(columns, 'D');
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(text);
        self.add("\n");
        Ok(())
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.add(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        self.add("\r\x1b[2K");
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        let drawn = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        io::stderr().lock().write_all(&drawn)
    }
}
