//! The live line on a real terminal: what it shows, how wide it is, and that nothing of it is left behind.

use super::super::wait_until;
use super::origin::{Origin, Reply};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The program on a terminal of its own (`script` of util-linux), with what it has written to it so far.
struct Tty {
    process: Child,
    keys: ChildStdin,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Tty {
    fn start(folder: &Path, columns: usize, arguments: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_huntsman");
        let line = format!("stty cols {columns} rows 24; exec {program} {} --no-config", arguments.join(" "));
        let mut script = Command::new("script");
        script
            .args(["-qec", &line, "/dev/null"])
            .current_dir(folder)
            .env("TERM", "xterm")
            .env_remove("NO_COLOR");
        let mut process =
            script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script of bsdutils");
        let (keys, mut screen) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let written = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut piece = [0; 4_096];
            while let Ok(read @ 1..) = screen.read(&mut piece) {
                shared.lock().unwrap().extend_from_slice(&piece[..read]);
            }
        });
        Self { process, keys, written }
    }

    fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    fn ctrl_c(&mut self) {
        self.keys.write_all(b"\x03").unwrap();
        self.keys.flush().unwrap();
    }

    /// The exit code, and all that was written.
    fn end(mut self) -> (i32, String) {
        let code = self.process.wait().unwrap().code().unwrap();
        drop(self.keys);
        let mut length = usize::MAX;
        let written = Arc::clone(&self.written);
        wait_until("the last of the output", || {
            let before = std::mem::replace(&mut length, written.lock().unwrap().len());
            before == length && Arc::strong_count(&written) <= 3
        });
        let text = String::from_utf8_lossy(&written.lock().unwrap()).into_owned();
        (code, text)
    }
}

/// The rows that a person sees at the end, and the column of the cursor.
fn screen(written: &str, columns: usize) -> (Vec<String>, usize) {
    let mut rows = vec![Vec::<char>::new()];
    let (mut row, mut column) = (0, 0);
    let mut chars = written.chars();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                assert_eq!(chars.next(), Some('['), "an escape that this screen does not know");
                let code: String = chars.by_ref().take_while(|c| !c.is_ascii_alphabetic()).collect();
                // What ends the sequence was taken, too: it is told by the parameters that we expect.
                match code.as_str() {
                    "2" => rows[row].clear(),
                    "0" | "1" | "31" | "33" | "" => {}
                    other => panic!("an escape that this screen does not know: {other:?}"),
                }
            }
            c => {
                if column == columns {
                    (row, column) = (row + 1, 0);
                }
                rows.resize(rows.len().max(row + 1), Vec::new());
                let cells = &mut rows[row];
                cells.resize(cells.len().max(column + 1), ' ');
                cells[column] = c;
                column += 1;
            }
        }
        rows.resize(rows.len().max(row + 1), Vec::new());
    }
    (rows.into_iter().map(|row| row.into_iter().collect::<String>().trim_end().to_owned()).collect(), column)
}

/// Every state of the live line.
fn live_lines(written: &str) -> Vec<String> {
    let pieces = written.split(['\r', '\n']).map(|piece| piece.trim_start_matches("\u{1b}[2K"));
    pieces.filter(|piece| piece.starts_with("00:0")).map(|piece| piece.replace("^C", "")).collect()
}

fn site(wait: Duration) -> Origin {
    Origin::site(move |path| match path {
        "/" => Reply::links(&["/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8", "/9", "/gone"]),
        "/gone" => Reply::gone().after(wait),
        _ => Reply::links(&[]).after(wait),
    })
}

#[test]
fn the_live_line_has_its_fields_keeps_to_the_width_and_leaves_nothing_behind() {
    let site = site(Duration::from_millis(400));
    for columns in [80, 40] {
        let folder = tempfile::tempdir().unwrap();
        let tty = Tty::start(folder.path(), columns, &["crawl", &site.url("/"), "--name", "t"]);
        let (code, written) = tty.end();
        assert_eq!(code, 0, "{written}");
        let lines = live_lines(&written);
        assert!(lines.len() > 10, "{written:?}");
        for line in &lines {
            assert!(line.chars().count() <= columns, "{columns}: {line:?}");
        }
        let middle =
            lines.iter().find(|line| line.contains("  4 done")).unwrap_or_else(|| panic!("{lines:#?}"));
        assert!(middle.contains("  7 queued"), "{middle:?}");
        let last = lines.last().unwrap();
        if columns == 80 {
            assert!(
                middle.contains("  1 in flight  ") && middle.contains("/s  ") && middle.contains(" B"),
                "{middle:?}"
            );
            assert!(lines.iter().any(|line| line.contains("s left")), "{lines:#?}");
            assert!(last.contains("12 done  0 queued  0 in flight") && last.contains("1 failed"), "{last:?}");
        }
        let (rows, column) = screen(&written, columns);
        assert!(!rows.iter().any(|row| row.starts_with("00:0")), "{rows:#?}");
        assert_eq!((rows.last().map(String::as_str), column), (Some(""), 0), "a new line for the prompt");
        assert!(rows.iter().any(|row| row.starts_with("Finished in")), "{rows:#?}");
        assert!(!written.contains("\u{1b}[?25l"), "the cursor is never hidden");
    }
}

#[test]
fn a_host_that_asks_for_a_pause_is_in_the_live_line_with_the_reason() {
    let seen = std::sync::atomic::AtomicBool::new(false);
    let site = Origin::site(move |path| match path {
        "/" => Reply::links(&["/busy"]),
        _ if seen.swap(true, std::sync::atomic::Ordering::SeqCst) => Reply::links(&[]),
        _ => Reply::new(429, "Retry-After: 3\r\n", ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let (code, written) = Tty::start(folder.path(), 120, &["crawl", &site.url("/"), "--name", "t"]).end();
    assert_eq!(code, 0, "{written}");
    let waiting = live_lines(&written).into_iter().find(|line| line.contains("1 host waiting"));
    let waiting = waiting.unwrap_or_else(|| panic!("{written:?}"));
    assert!(waiting.contains("1 retrying") && waiting.contains("s (429)"), "{waiting}");
}

#[test]
fn ctrl_c_leaves_a_clean_terminal_once_and_twice() {
    let site = site(Duration::from_millis(900));
    let folder = tempfile::tempdir().unwrap();
    let mut tty = Tty::start(folder.path(), 80, &["crawl", &site.url("/"), "--name", "t"]);
    wait_until("a page", || tty.written().contains("  2 done"));
    tty.ctrl_c();
    let (code, written) = tty.end();
    assert_eq!(code, 130, "{written}");
    let (rows, column) = screen(&written, 80);
    let text = rows.join("\n");
    assert!(!rows.iter().any(|row| row.starts_with("00:0")) && column == 0, "{text}");
    assert!(text.contains("Pausing: ") && text.contains("Continue: huntsman resume t"), "{text}");

    let slow = self::site(Duration::from_secs(9));
    let mut tty = Tty::start(folder.path(), 80, &["crawl", &slow.url("/"), "--name", "u"]);
    wait_until("the slow page", || slow.pages().len() == 2);
    wait_until("the live line", || tty.written().contains("in flight"));
    tty.ctrl_c();
    wait_until("the pause", || tty.written().contains("Pausing"));
    tty.ctrl_c();
    let (code, written) = tty.end();
    assert_eq!(code, 130, "{written}");
    let (rows, column) = screen(&written, 80);
    let text = rows.join("\n");
    assert!(text.trim_end().ends_with("Stopped. Continue:  huntsman resume u"), "{text}");
    assert!(!rows.iter().any(|row| row.starts_with("00:0")) && column == 0, "{text}");
}

#[test]
fn hostile_names_and_titles_do_not_break_the_line() {
    let proxy = Origin::start(|_, path| match path {
        "/robots.txt" => Reply::gone(),
        "/" => Reply::html(
            "<title>\u{1b}[2J\u{202e}</title><a href='http://xn--\u{1b}[31m.test/'>x</a>\
             <a href='http://a\u{202e}b.test/'>x</a><a href='http://\u{65e5}\u{672c}.test/\u{65e5}\u{672c}'>x</a>\
             <a href='http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.test/'>x</a>",
        ),
        _ => Reply::new(503, "Retry-After: 1\r\n", "").after(Duration::from_millis(300)),
    });
    let folder = tempfile::tempdir().unwrap();
    let flags =
        ["--proxy", &proxy.proxy(), "--scope", "any", "--wait", "1s", "--delay", "0", "--name", "t", "-vv"];
    let (code, written) =
        Tty::start(folder.path(), 60, &[&["crawl", "http://site.test/"], &flags[..]].concat()).end();
    assert_eq!(code, 0, "{written}");
    assert!(
        !written.contains('\u{202e}') && !written.contains("\u{1b}[2J") && !written.contains("\u{1b}[31m.")
    );
    for line in live_lines(&written) {
        assert!(line.chars().count() <= 60, "{line:?}");
    }
    let (rows, column) = screen(&written, 60);
    assert!(!rows.iter().any(|row| row.starts_with("00:0")) && column == 0, "{rows:#?}");
}
