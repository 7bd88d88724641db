//! A third reading of robots.txt, as plain as it can be written: each point on which our parser and `robotxt` differ is a switch, so
//! that a difference between the two is named by the switches that make it.

/// The points on which `robotxt` reads otherwise than we do, each with why we read as we do.
pub(super) const CLASSES: [(&str, &str); 12] = [
    (
        "delay-ends-agents",
        "there a Crawl-delay ends a run of user-agent lines; RFC 9309 section 2.2.4: other records must not interfere",
    ),
    (
        "text-behind-agent",
        "there `FooBot/1.0` is no FooBot and `* all` not everybody; the token ends where its characters end (section 2.2.1)",
    ),
    (
        "encoded-specials",
        "there `%2A` and `%24` match no `*` and `$`; section 2.2.3: that is how a rule names them",
    ),
    (
        "encoded-reserved",
        "there `%2C` is not `,`, nor `|` the same as `%7C`; section 2.2.2: octets are compared encoded alike",
    ),
    (
        "slash-in-query",
        "there `%2F` in a query is not `/`; the table of section 2.2.2 has `?baz=https%3A%2F%2Ffoo.bar` match the bare one",
    ),
    (
        "leading-star",
        "there `*x` is read as `/*x`; the example of section 2.2.3 has `*.gif$`, which matches from the first octet",
    ),
    (
        "no-colon",
        "there prose that begins with a key is a rule; we take a line without a colon only where one word follows",
    ),
    ("spellings", "there `alow` and `allaw` are Allow, too; nothing is allowed by a misspelling here"),
    (
        "controls",
        "there only NUL ends what a line says, and it ends the line, so that the rest is another; here any control octet ends it",
    ),
    ("byte-order", "there UTF-16 and a mark that lost a byte are not read"),
    (
        "robots-itself",
        "there `/robots.txt?x` is a page and `/%72obots.txt` the file; section 2.2.2 exempts the path /robots.txt as the URL has it",
    ),
    (
        "empty-agent",
        "there the colon of a user-agent line may be missing before a comment, which begins another group",
    ),
];

/// Which of the [`CLASSES`] are read as `robotxt` does: a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading(pub(super) u16);

impl Reading {
    pub(super) const OURS: Self = Self(0);
    pub(super) const THEIRS: Self = Self((1 << CLASSES.len()) - 1);

    fn theirs(self, class: &str) -> bool {
        let at = CLASSES.iter().position(|(name, _)| *name == class).expect("a class");
        self.0 & (1 << at) != 0
    }
}

const WILD: u16 = 256;
const TOKEN: &[u8] = b"foobot";

/// Whether a file allows `path`, a path with its query.
pub(super) fn allows(file: &[u8], path: &str, reading: Reading) -> bool {
    let own = if reading.theirs("robots-itself") {
        normal(path.as_bytes(), false, false, reading) == normal(b"/robots.txt", false, false, reading)
    } else {
        path.split('?').next() == Some("/robots.txt")
    };
    if own {
        return true;
    }
    let readings = if reading.theirs("slash-in-query") { &[false][..] } else { &[false, true] };
    let mut best: Option<(usize, bool)> = None;
    for (allow, value) in rules(file, reading) {
        let (value, anchored) = value.strip_suffix(b"$").map_or((&value[..], false), |front| (front, true));
        let leads = value.starts_with(b"/") || (value.starts_with(b"*") && !reading.theirs("leading-star"));
        let value = if leads { value.to_vec() } else { [b"/", value].concat() };
        let length = normal(&value, true, false, reading).len() + usize::from(anchored);
        let matched = readings.iter().any(|decoded| {
            let (pattern, path) =
                (normal(&value, true, *decoded, reading), normal(path.as_bytes(), false, *decoded, reading));
            matches(&pattern, &path, anchored)
        });
        if matched {
            best = best.max(Some((length, allow)));
        }
    }
    best.is_none_or(|(_, allow)| allow)
}

fn matches(pattern: &[u16], path: &[u16], anchored: bool) -> bool {
    match pattern {
        [] => !anchored || path.is_empty(),
        [WILD, rest @ ..] => (0..=path.len()).any(|skipped| matches(rest, &path[skipped..], anchored)),
        [first, rest @ ..] => path.first() == Some(first) && matches(rest, &path[1..], anchored),
    }
}

/// The octets that are compared.
fn normal(input: &[u8], wildcards: bool, decoded: bool, reading: Reading) -> Vec<u16> {
    let mut out = Vec::new();
    let mut in_query = false;
    let mut at = 0;
    while at < input.len() {
        let octet = input[at];
        let digits = input.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        let hex = digits.filter(|two| two.bytes().all(|one| one.is_ascii_hexdigit()));
        if let (b'%', Some(hex)) = (octet, hex) {
            let octet = u8::from_str_radix(hex, 16).unwrap();
            at += 3;
            let bare = match octet {
                b'*' | b'$' => !reading.theirs("encoded-specials"),
                b'/' | b'?' => decoded && in_query,
                _ if is_unreserved(octet) => true,
                _ => !reading.theirs("encoded-reserved") && b":[]@!'(),;".contains(&octet),
            };
            if bare {
                out.push(octet.into());
            } else {
                push_encoded(&mut out, octet);
            }
            continue;
        }
        at += 1;
        in_query |= octet == b'?';
        let plain = if reading.theirs("encoded-reserved") {
            octet.is_ascii_graphic() && !b"\"<>`{}".contains(&octet)
        } else {
            is_unreserved(octet) || b":/?#[]@!$&'()*+,;=%".contains(&octet)
        };
        match octet {
            b'*' if wildcards => out.push(WILD),
            _ if plain => out.push(octet.into()),
            _ => push_encoded(&mut out, octet),
        }
    }
    out
}

fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

fn push_encoded(out: &mut Vec<u16>, octet: u8) {
    out.extend(format!("%{octet:02X}").bytes().map(u16::from));
}

/// The rules of the groups that are for us, in the order of the file: whether each allows, and its value.
fn rules(file: &[u8], reading: Reading) -> Vec<(bool, Vec<u8>)> {
    let lines: Vec<(Key, Vec<u8>)> =
        lines(file, reading).into_iter().filter_map(|line| record(&line, reading)).collect();
    let is_ours = |value: &[u8]| agent(value, reading).eq_ignore_ascii_case(TOKEN);
    let named = lines.iter().any(|(key, value)| *key == Key::Agent && is_ours(value));
    let mut found = Vec::new();
    let (mut applies, mut ruled) = (false, true);
    for (key, value) in &lines {
        match key {
            Key::Agent => {
                if std::mem::take(&mut ruled) {
                    applies = false;
                }
                applies |= if named { is_ours(value) } else { agent(value, reading) == b"*" };
            }
            Key::Delay => ruled |= reading.theirs("delay-ends-agents"),
            Key::Allow | Key::Disallow => {
                ruled = true;
                if applies && !value.is_empty() {
                    found.push((*key == Key::Allow, value.clone()));
                }
            }
        }
    }
    found
}

/// Whom a user-agent line names.
fn agent(value: &[u8], reading: Reading) -> &[u8] {
    if reading.theirs("text-behind-agent") {
        return value;
    }
    match value {
        [b'*'] => value,
        [b'*', next, ..] if next.is_ascii_whitespace() => &value[..1],
        _ => {
            let end = value.iter().position(|one| !one.is_ascii_alphabetic() && !b"-_".contains(one));
            &value[..end.unwrap_or(value.len())]
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Agent,
    Allow,
    Disallow,
    Delay,
}

fn record(line: &[u8], reading: Reading) -> Option<(Key, Vec<u8>)> {
    let theirs: &[(&str, Key)] = &[("alow", Key::Allow), ("allaw", Key::Allow)];
    let common = [
        ("user-agent", Key::Agent),
        ("useragent", Key::Agent),
        ("user agent", Key::Agent),
        ("allow", Key::Allow),
        ("disallow", Key::Disallow),
        ("dissallow", Key::Disallow),
        ("dissalow", Key::Disallow),
        ("disalow", Key::Disallow),
        ("diasllow", Key::Disallow),
        ("disallaw", Key::Disallow),
        ("crawl-delay", Key::Delay),
        ("crawl delay", Key::Delay),
        ("crawldelay", Key::Delay),
    ];
    let spellings = common.iter().chain(theirs.iter().filter(|_| reading.theirs("spellings")));
    let line = line.trim_ascii_start();
    let begins = |spelling: &str| {
        line.get(..spelling.len()).is_some_and(|front| front.eq_ignore_ascii_case(spelling.as_bytes()))
    };
    let (spelling, key) = spellings.into_iter().find(|(spelling, _)| begins(spelling))?;
    let rest = &line[spelling.len()..];
    let comment = rest.iter().position(|octet| *octet == b'#');
    let said = rest[..comment.unwrap_or(rest.len())].trim_ascii();
    if let Some(value) = said.strip_prefix(b":") {
        return Some((*key, value.trim_ascii().to_vec()));
    }
    if !rest.first().is_some_and(u8::is_ascii_whitespace) {
        return None;
    }
    let words = said.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
    let takes = match words {
        0 if *key == Key::Agent => {
            reading.theirs("empty-agent") && !rest.trim_ascii_start().starts_with(b":")
        }
        1 => true,
        _ => reading.theirs("no-colon"),
    };
    takes.then(|| (*key, said.to_vec()))
}

fn lines(file: &[u8], reading: Reading) -> Vec<Vec<u8>> {
    let text = match file {
        [0xEF, 0xBB, 0xBF, rest @ ..] => rest.to_vec(),
        _ if reading.theirs("byte-order") => file.to_vec(),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, rest @ ..] | [0xEF, rest @ ..] => rest.to_vec(),
        _ => file.to_vec(),
    };
    let ends = |octet: &u8| matches!(octet, b'\n' | b'\r') || (*octet == 0 && reading.theirs("controls"));
    let lines = text.split(ends).map(<[u8]>::to_vec);
    if reading.theirs("controls") {
        return lines.collect();
    }
    let said = |line: Vec<u8>| {
        let end = line.iter().position(|octet| octet.is_ascii_control() && *octet != b'\t');
        line[..end.unwrap_or(line.len())].to_vec()
    };
    lines.map(said).collect()
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|two| unit([two[0], two[1]])).collect();
    String::from_utf16_lossy(&units).into_bytes()
}
