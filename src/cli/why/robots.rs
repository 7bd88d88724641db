//! What is known of the robots.txt that a URL is under: each request for it, and what that means for the host.

use super::statements::{HOST, ROBOTS};
use super::{Trail, texts};
use crate::cli::exit::Failure;
use crate::cli::stores::Opened;
use crate::cli::table::Value;
use crate::clock::Clock;
use crate::crawl::host::{Authority, HostKey};
use crate::crawl::robots::MAX_HOPS;
use crate::crawl::time::Timestamp;
use crate::crawl::url::{self, UrlKey};
use ::url::Url;

/// Requests shown of each robots.txt, the latest ones.
const SHOWN: i64 = 10;

/// A request for a robots.txt: its time and number, which order them, and what is said of it.
type Request = (String, String, String);

/// Whether the URL itself was asked for as a robots.txt.
pub(super) fn is_robots_txt(opened: &mut Opened, url: &Url, name: &Value) -> Result<bool, Failure> {
    Ok(!requests(opened, url, name)?.0.is_empty())
}

/// Says each request for the robots.txt of `url`, over its redirects to other hosts, and for `url` itself as such.
pub(super) fn asked(opened: &mut Opened, url: &Url, name: &Value, trail: &mut Trail) -> Result<(), Failure> {
    let mut at: Vec<Url> = vec![Authority::of(url).robots_url(), url.clone()];
    at.dedup();
    let mut said: Vec<Request> = Vec::new();
    let mut next = 0;
    while let Some(url) = at.get(next).cloned() {
        next += 1;
        let (requests, targets) = requests(opened, &url, name)?;
        said.extend(requests);
        for target in targets {
            if at.len() < 2 + usize::from(MAX_HOPS) && !at.contains(&target) {
                at.push(target);
            }
        }
    }
    said.sort();
    for (_, _, text) in said {
        trail.say("robots.txt", &text);
    }
    Ok(())
}

/// The latest requests for one robots.txt, and where they were redirected to.
fn requests(opened: &mut Opened, url: &Url, name: &Value) -> Result<(Vec<Request>, Vec<Url>), Failure> {
    let key = Value::Bytes(UrlKey::of(url.as_str()).as_bytes().to_vec());
    let rows = opened.rows(ROBOTS, &[key, name.clone(), Value::Integer(SHOWN)])?;
    let mut targets = Vec::new();
    let requests = rows.iter().map(|row| {
        let [at, id, url, status, error, verdict, detail, took] = texts(row);
        if verdict == "redirect" {
            targets.extend(url::parse(&detail).ok());
        }
        let answer = if status.is_empty() { error } else { status };
        let text = format!("{at}  {url}: {answer}, {verdict}, {took} ms  {detail}");
        (at, format!("{id:>20}"), text.trim_end().to_owned())
    });
    Ok((requests.collect(), targets))
}

/// Says what is known of the host, and for a URL that is open how long it has to wait for that.
pub(super) fn host(opened: &mut Opened, url: &Url, is_open: bool, trail: &mut Trail) -> Result<(), Failure> {
    let host = HostKey::of(url);
    for row in opened.rows(HOST, &[Value::Text(host.as_str().to_owned())])? {
        let [robots, status, delay, blocked, strikes] = texts(&row);
        let shown = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        trail.say(
            "host",
            &format!(
                "{host}: robots.txt {} (status {}), crawl delay {} ms, blocked until {}, strikes {strikes}",
                shown(&robots),
                shown(&status),
                shown(&delay),
                shown(&blocked)
            ),
        );
        if let Some(text) = waiting(&robots, &blocked, &strikes).filter(|_| is_open) {
            trail.say("waits", &text);
        }
    }
    Ok(())
}

/// What an open URL of a host waits for, where it does.
fn waiting(robots: &str, blocked: &str, strikes: &str) -> Option<String> {
    let until = Timestamp::parse(blocked).filter(|until| *until > Clock::start().now());
    let why = match robots {
        "unreachable" => {
            "its robots.txt is unreachable, so that nothing of this host may be fetched".to_owned()
        }
        _ => format!("the host asked to be left alone, or did not answer ({strikes} times in a row)"),
    };
    match until {
        Some(until) => Some(format!("until {until}: {why}")),
        None if robots == "unreachable" => {
            Some(format!("{why}; it is asked for again when the crawl goes on"))
        }
        None => None,
    }
}
