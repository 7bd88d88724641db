//! The paths of a host, parsed and written. Every host has the same ones.

/// Something a host has under one path. A page is named by its number; page 0 is the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// `/robots.txt`
    Robots,
    /// `/` or `/p/17.html`
    Page(u32),
    /// `/r/17/2`: the second stop of the redirect that page 17 is.
    Stop { page: u32, stop: u32 },
    /// `/private/3.html`, or `/private/open.html` for number 0, the one that robots.txt allows.
    Private(u32),
    /// `/hosts.html`, on the first host: links to all roots.
    Hosts,
    /// `/calendar/2026/11.html`: links to the months before and after it, for ever.
    Calendar { year: u32, month: u32 },
    /// `/maze/left/right/left/`, named by the length of its path: the links in it make longer ones, for ever.
    Maze(u32),
}

impl Place {
    /// The entries of the two traps.
    pub(super) const TRAPS: [Self; 2] = [Self::Calendar { year: 2026, month: 1 }, Self::Maze(0)];

    /// Reads the path of a request; `None` where no host has such a path. A query names nothing here.
    pub(super) fn parse(path: &str) -> Option<Self> {
        match path {
            "/" => return Some(Self::Page(0)),
            "/robots.txt" => return Some(Self::Robots),
            "/hosts.html" => return Some(Self::Hosts),
            "/private/open.html" => return Some(Self::Private(0)),
            _ => {}
        }
        let (directory, rest) = path.strip_prefix('/')?.split_once('/')?;
        match directory {
            "p" => number(rest.strip_suffix(".html")?).map(Self::Page),
            "private" => number(rest.strip_suffix(".html")?).map(Self::Private),
            "r" => {
                let (page, stop) = rest.split_once('/')?;
                Some(Self::Stop { page: number(page)?, stop: number(stop)? })
            }
            "calendar" => {
                let (year, month) = rest.strip_suffix(".html")?.split_once('/')?;
                let (year, month) = (number(year)?, number(month)?);
                (month <= 12).then_some(Self::Calendar { year, month })
            }
            "maze" => {
                let turns = rest.split_terminator('/').all(|turn| turn == "left" || turn == "right");
                ((rest.is_empty() || rest.ends_with('/')) && turns).then_some(Self::Maze(rest.len() as u32))
            }
            _ => None,
        }
    }

    /// Appends the path; for a [`Place::Maze`] that of its entry.
    pub(super) fn write_path(self, out: &mut Vec<u8>) {
        match self {
            Self::Robots => put(out, "/robots.txt"),
            Self::Page(0) => put(out, "/"),
            Self::Page(page) => put_numbered(out, "/p/", page, ".html"),
            Self::Stop { page, stop } => {
                put_numbered(out, "/r/", page, "/");
                put_number(out, stop);
            }
            Self::Private(0) => put(out, "/private/open.html"),
            Self::Private(page) => put_numbered(out, "/private/", page, ".html"),
            Self::Hosts => put(out, "/hosts.html"),
            Self::Calendar { year, month } => {
                put_numbered(out, "/calendar/", year, "/");
                put_numbered(out, "", month, ".html");
            }
            Self::Maze(_) => put(out, "/maze/"),
        }
    }
}

/// A number from 1, written the one way we write it.
fn number(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    plain.then(|| digits.parse().ok()).flatten()
}

pub(super) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_number(out: &mut Vec<u8>, mut number: u32) {
    let mut digits = [0; 10];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

pub(super) fn put_numbered(out: &mut Vec<u8>, before: &str, number: u32, after: &str) {
    put(out, before);
    put_number(out, number);
    put(out, after);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_read_is_the_path_written() {
        for path in [
            "/",
            "/robots.txt",
            "/p/17.html",
            "/r/17/2",
            "/private/open.html",
            "/private/3.html",
            "/hosts.html",
            "/calendar/2026/11.html",
            "/maze/",
        ] {
            let mut out = Vec::new();
            Place::parse(path).unwrap().write_path(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), path);
        }
    }

    #[test]
    fn a_path_has_one_spelling() {
        for path in [
            "",
            "*",
            "//",
            "/p/0.html",
            "/p/017.html",
            "/p/+7.html",
            "/p/17",
            "/p/17.html?x",
            "/p/99999999999.html",
            "/r/17",
            "/r/17/0",
            "/calendar/2026/13.html",
            "/maze/left",
            "/maze/up/",
            "/maze/left//",
            "/private/0.html",
        ] {
            assert_eq!(Place::parse(path), None, "{path}");
        }
    }
}
