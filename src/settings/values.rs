//! One parser for each kind of value; an error says what is wrong and how it is written.

use super::layers::closest;
use super::parts::{Secret, Select};
use super::place::{PostgresUrl, StoreUrl};
use super::table::{Kind, Setting};
use super::units::{parse_size, parse_span, show_size, show_span};
use crate::crawl::robots::Purpose;
use crate::crawl::scope::check_pattern;
use crate::parse::Selectors;
use ipnet::IpNet;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Most characters of a crawl's name.
pub(super) const MAX_NAME: usize = 64;

/// Header fields that the client makes itself.
const OWN_HEADERS: [&str; 7] =
    ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade", "te"];

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

pub(super) fn count(name: &str, text: &str) -> Result<u64, String> {
    let Some(Setting { kind: Kind::Count(least, most), .. }) = Setting::find(name) else {
        unreachable!("{name} is a count")
    };
    let number = text.parse::<u64>().ok().filter(|number| (*least..=*most).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a number from {least} to {most}"))
}

pub(super) fn count_or_none(name: &str, text: &str) -> Result<Option<u64>, String> {
    let Some(Setting { kind: Kind::CountOrNone(least, most), .. }) = Setting::find(name) else {
        unreachable!("{name} is a count or none")
    };
    if text == "none" {
        return Ok(None);
    }
    let number = text.parse::<u64>().ok().filter(|number| (*least..=*most).contains(number));
    number
        .map(Some)
        .ok_or_else(|| format!("{text:?} is neither a number from {least} to {most} nor \"none\""))
}

/// A span within the bounds of its setting.
pub(super) fn span(name: &str, text: &str) -> Result<Duration, String> {
    let (least, most) = match Setting::find(name).map(|setting| setting.kind) {
        Some(Kind::Span(least, most)) => (least, most),
        Some(Kind::SpanOrAuto(most)) => (Duration::ZERO, most),
        _ => unreachable!("{name} is a span"),
    };
    let span = parse_span(text)?;
    if (least..=most).contains(&span) {
        Ok(span)
    } else {
        Err(format!("{text:?} is not between {} and {}", show_span(least), show_span(most)))
    }
}

/// A size within the bounds of its setting.
pub(super) fn size(name: &str, text: &str) -> Result<u64, String> {
    let Some(Setting { kind: Kind::Size(least, most), .. }) = Setting::find(name) else {
        unreachable!("{name} is a size")
    };
    let size = parse_size(text)?;
    if (*least..=*most).contains(&size) {
        Ok(size)
    } else {
        Err(format!("{text:?} is not between {} and {}", show_size(*least), show_size(*most)))
    }
}

pub(super) fn word(name: &str, text: &str) -> Result<&'static str, String> {
    let Some(Setting { kind: Kind::Word(words), .. }) = Setting::find(name) else {
        unreachable!("{name} is a word")
    };
    words.iter().copied().find(|word| *word == text).ok_or_else(|| {
        let hint = closest(text, words.iter().copied());
        let hint = hint.map_or_else(String::new, |hint| format!("; did you mean {hint:?}?"));
        format!("{text:?} is none of {}{hint}", words.join(", "))
    })
}

pub(super) fn purpose(text: &str) -> Result<Purpose, String> {
    let known = Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == text);
    known.ok_or_else(|| format!("{text:?} is none of {}", Purpose::ALL.map(Purpose::as_str).join(", ")))
}

pub(super) fn pattern(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(r"an empty pattern matches every URL; write a part of one, as in \.pdf$".to_owned());
    }
    check_pattern(text).map(|()| text.to_owned()).map_err(|why| why.to_string())
}

pub(super) fn store(text: &str) -> Result<StoreUrl, String> {
    match text.split_once(':') {
        Some(("sqlite", path)) => {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("sqlite: needs a path, as in sqlite:crawls/mine.db".to_owned());
            }
            Ok(StoreUrl::Sqlite(PathBuf::from(path)))
        }
        Some(("postgres" | "postgresql", _)) => PostgresUrl::parse(text).map(StoreUrl::Postgres),
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Err(format!("{scheme:?} is no store; known are sqlite:PATH and postgres://USER@HOST/DATABASE"))
        }
        _ => Err(format!("{text:?} is no store; did you mean sqlite:{text}?")),
    }
}

/// The address of a Redis. No error repeats it: it may hold a password.
pub(super) fn frontier(text: &str) -> Result<Secret, String> {
    const FORM: &str =
        "not the URL of a Redis, as redis://HOST:PORT, rediss://HOST:PORT or redis+unix:///PATH";
    let known = |url: &Url| match url.scheme() {
        "redis" | "rediss" => url.has_host(),
        "redis+unix" | "unix" => url.path().len() > 1,
        _ => false,
    };
    match Url::parse(text) {
        Ok(url) if known(&url) => Ok(Secret(text.to_owned())),
        _ => Err(FORM.to_owned()),
    }
}

pub(super) fn fits_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// Says whether `text` can name a crawl: 1 to 64 of letters, digits, `.`, `-` and `_`, no dot in front.
pub fn crawl_name(text: &str) -> Result<(), String> {
    let fits = text.len() <= MAX_NAME && text.chars().all(fits_name) && !text.starts_with(['.', '-']);
    if fits && !text.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no name for a crawl; use up to {MAX_NAME} of letters, digits, '.', '-' and '_'"
        ))
    }
}

pub(super) fn contact(text: &str) -> Result<String, String> {
    let text = header_value(text)?;
    let url = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto"));
    let mail = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let plain = !text.contains(['(', ')', ' ', ';']);
    if plain && (url || mail) {
        Ok(text)
    } else {
        Err(format!("{text:?} is neither a mail address nor a URL, as in you@example.org"))
    }
}

pub(super) fn header_value(text: &str) -> Result<String, String> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        Ok(text.to_owned())
    } else {
        Err("only visible ASCII can be sent in a header".to_owned())
    }
}

/// `huntsman/VERSION (+home page; contact)`, as much of it as there is.
pub(super) fn default_user_agent(contact: Option<&str>) -> String {
    let product = concat!("huntsman/", env!("CARGO_PKG_VERSION"));
    let home = Some(env!("CARGO_PKG_HOMEPAGE")).filter(|home| !home.is_empty());
    match (home, contact) {
        (None, None) => product.to_owned(),
        (Some(about), None) | (None, Some(about)) => format!("{product} (+{about})"),
        (Some(home), Some(contact)) => format!("{product} (+{home}; {contact})"),
    }
}

/// The operator's own user agent, and the contact behind it unless it says that already.
pub(super) fn own_user_agent(own: String, contact: Option<&str>) -> String {
    match contact.filter(|contact| !own.contains(contact)) {
        Some(contact) => format!("{own} (+{contact})"),
        None => own,
    }
}

/// The product token of a user agent (RFC 9309 section 2.2.1: letters, `-` and `_`).
pub(super) fn robots_token(user_agent: &str) -> Result<&str, String> {
    let fits = |c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_');
    let end = user_agent.find(|c| !fits(c)).unwrap_or(user_agent.len());
    if !user_agent[..end].contains(|c: char| c.is_ascii_alphabetic()) {
        return Err(format!("{user_agent:?} does not start with a product name, as in mybot/1.0"));
    }
    Ok(&user_agent[..end])
}

const HEADER: &str = "a header is written \"Name: value\", as in \"Accept-Language: de\"";

pub(super) fn header(text: &str) -> Result<(String, Secret), String> {
    // The value is a secret: no message repeats it.
    let (name, value) = text.split_once(':').ok_or(HEADER)?;
    let name = name.trim();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(HEADER.to_owned());
    }
    let lower = name.to_ascii_lowercase();
    if lower == "user-agent" {
        return Err("the user agent has its own setting, user_agent".to_owned());
    }
    if OWN_HEADERS.contains(&lower.as_str()) {
        return Err(format!("{name} is made by the client itself"));
    }
    Ok((name.to_owned(), Secret(header_value(value.trim())?)))
}

pub(super) fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .map(|network| network.trunc())
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| format!("{text:?} is no network, as in 127.0.0.0/8 or fd00::/8"))
}

pub(super) fn proxy(text: &str) -> Result<Secret, String> {
    let known = |url: &Url| matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") && url.has_host();
    match Url::parse(text) {
        Ok(url) if known(&url) => Ok(Secret(text.to_owned())),
        _ => Err("a proxy is written http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT".to_owned()),
    }
}

pub(super) fn select(text: &str) -> Result<Select, String> {
    let (name, css) =
        text.split_once('=').ok_or_else(|| format!("{text:?} is not NAME=CSS, as in price=.price"))?;
    let (name, css) = (name.trim(), css.trim());
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(word) {
        return Err(format!("{name:?} is no field name; use letters, digits and '_', as in price=.price"));
    }
    match Selectors::compile([(name, css)]) {
        Ok(_) => Ok(Select { name: name.to_owned(), css: css.to_owned() }),
        Err(why) => Err(format!("{css:?} is no CSS selector: {}", why.problem)),
    }
}
