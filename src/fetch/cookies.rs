//! Cookies, kept per host so that sites which want one to show a page show it. Bounded; never written to disk.
//!
//! RFC 6265 with one restriction: a cookie goes back only to the very host that set it, whatever its `Domain` says.
//! A crawl needs no more, and no host can fill another one's jar.

use crate::crawl::time::Timestamp;
use cookie::Cookie;
use lru::LruCache;
use reqwest::header::HeaderValue;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

const MAX_HOSTS: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");
const MAX_COOKIES: usize = 50;
const MAX_OCTETS: usize = 16 * 1_024;

/// The jars of all hosts.
pub(super) struct Cookies {
    /// Whether any host ever set one: without, no request takes the lock.
    any: AtomicBool,
    /// A std mutex: held for one look, never across an await.
    jars: Mutex<LruCache<String, Vec<Kept>>>,
}

/// One cookie; a jar has them oldest first.
#[derive(Debug)]
struct Kept {
    name: String,
    value: String,
    path: String,
    secure: bool,
    expires: Timestamp,
}

impl Kept {
    fn octets(&self) -> usize {
        self.name.len() + self.value.len() + self.path.len()
    }

    fn fits(&self, url: &Url, now: Timestamp) -> bool {
        let path = url.path();
        let within = path
            .strip_prefix(&*self.path)
            .is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        within && self.expires > now && (!self.secure || url.scheme() == "https")
    }
}

impl Cookies {
    pub(super) fn new() -> Self {
        Self { any: AtomicBool::new(false), jars: Mutex::new(LruCache::new(MAX_HOSTS)) }
    }

    /// The `Cookie` field for a request to `url`, if any cookie fits: longer paths first.
    pub(super) fn field(&self, url: &Url, now: Timestamp) -> Option<HeaderValue> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        let mut jars = self.jars.lock().unwrap_or_else(PoisonError::into_inner);
        let jar = jars.get(url.host_str()?)?;
        let mut fitting: Vec<&Kept> = jar.iter().filter(|kept| kept.fits(url, now)).collect();
        fitting.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let mut field = String::new();
        for kept in fitting {
            if !field.is_empty() {
                field.push_str("; ");
            }
            field.push_str(&kept.name);
            field.push('=');
            field.push_str(&kept.value);
        }
        HeaderValue::try_from(field).ok().filter(|field| !field.is_empty())
    }

    /// Takes the `Set-Cookie` fields of an answer from `url`.
    pub(super) fn take<'a>(&self, url: &Url, fields: impl Iterator<Item = &'a HeaderValue>, now: Timestamp) {
        let fields = fields.filter_map(|field| std::str::from_utf8(field.as_bytes()).ok());
        let set: Vec<Kept> = fields.filter_map(|field| read(url, field, now)).collect();
        let (Some(host), false) = (url.host_str(), set.is_empty()) else { return };
        self.any.store(true, Ordering::Relaxed);
        let mut jars = self.jars.lock().unwrap_or_else(PoisonError::into_inner);
        let jar = jars.get_or_insert_mut_ref(host, Vec::new);
        for kept in set {
            jar.retain(|other| other.expires > now && (other.name != kept.name || other.path != kept.path));
            if kept.expires > now {
                jar.push(kept);
            }
        }
        let mut octets: usize = jar.iter().map(Kept::octets).sum();
        while jar.len() > MAX_COOKIES || octets > MAX_OCTETS {
            octets -= jar.remove(0).octets();
        }
    }
}

/// Reads one `Set-Cookie` field; a cookie that expires at once deletes.
fn read(url: &Url, field: &str, now: Timestamp) -> Option<Kept> {
    let cookie = Cookie::parse(field).ok()?;
    let sendable = |text: &str| HeaderValue::from_str(text).is_ok();
    if !sendable(cookie.name()) || !sendable(cookie.value()) || field.len() > MAX_OCTETS {
        return None;
    }
    let host = url.host_str()?;
    if let Some(domain) = cookie.domain().filter(|domain| !domain.is_empty()) {
        let above = host.strip_suffix(&*domain.to_ascii_lowercase())?;
        if !above.is_empty() && !above.ends_with('.') {
            return None;
        }
    }
    let secure = cookie.secure() == Some(true);
    let promised = cookie.name().starts_with("__Secure-") || cookie.name().starts_with("__Host-");
    if (secure && url.scheme() != "https") || (promised && !secure) {
        return None;
    }
    let path = match cookie.path() {
        Some(path) if path.starts_with('/') => path.to_owned(),
        _ => url.path()[..url.path().rfind('/').unwrap_or(0).max(1)].to_owned(),
    };
    // `Max-Age` before `Expires` (RFC 6265 section 5.3).
    let expires = if let Some(age) = cookie.max_age() {
        let seconds = u64::try_from(age.whole_seconds()).unwrap_or(0);
        if seconds == 0 { Timestamp::EPOCH } else { now + Duration::from_secs(seconds) }
    } else if let Some(at) = cookie.expires_datetime() {
        Timestamp::from_millis(at.unix_timestamp().saturating_mul(1_000))
    } else {
        Timestamp::NEVER
    };
    Some(Kept { name: cookie.name().to_owned(), value: cookie.value().to_owned(), path, secure, expires })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn take(cookies: &Cookies, from: &str, fields: &[&str]) {
        let fields: Vec<_> = fields.iter().map(|field| HeaderValue::from_str(field).unwrap()).collect();
        cookies.take(&url(from), fields.iter(), NOW);
    }

    fn sent(cookies: &Cookies, to: &str, now: Timestamp) -> String {
        cookies.field(&url(to), now).map(|field| field.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_and_path() {
        let cookies = Cookies::new();
        assert_eq!(sent(&cookies, "http://h/", NOW), "");
        take(&cookies, "http://h/a/b", &["one=1", "two=\"2\"; Path=/; HttpOnly", "deep=3; path=/a/b"]);
        assert_eq!(sent(&cookies, "http://h/a/b", NOW), "deep=3; one=1; two=\"2\"");
        assert_eq!(sent(&cookies, "http://h/a", NOW), "one=1; two=\"2\"");
        assert_eq!(sent(&cookies, "http://h:8080/ab", NOW), "two=\"2\"");
        assert_eq!(sent(&cookies, "http://x.h/a/", NOW), "");
        take(&cookies, "http://h/a/b", &["one=new"]);
        assert_eq!(sent(&cookies, "http://h/a", NOW), "one=new; two=\"2\"");
    }

    #[test]
    fn a_cookie_expires_and_is_deleted() {
        let cookies = Cookies::new();
        take(
            &cookies,
            "http://h/",
            &["a=1; Max-Age=10", "b=2; Expires=Wed, 15 Nov 2023 00:00:00 GMT", "c=3"],
        );
        assert_eq!(sent(&cookies, "http://h/", NOW), "a=1; b=2; c=3");
        assert_eq!(sent(&cookies, "http://h/", NOW + Duration::from_secs(10)), "b=2; c=3");
        assert_eq!(sent(&cookies, "http://h/", NOW + Duration::from_secs(86_400)), "c=3");
        take(
            &cookies,
            "http://h/",
            &["c=; Max-Age=0", "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=; max-age=-1"],
        );
        assert_eq!(sent(&cookies, "http://h/", NOW), "");
    }

    #[test]
    fn secure_domain_and_garbage() {
        let cookies = Cookies::new();
        take(
            &cookies,
            "https://www.h.example/",
            &[
                "s=1; Secure",
                "d=2; Domain=h.example",
                "e=3; Domain=.h.example",
                "x=4; Domain=other.example",
                "y=5; Domain=w.h.example",
                "__Host-z=6",
                "=",
                "no pair",
            ],
        );
        assert_eq!(sent(&cookies, "https://www.h.example/", NOW), "s=1; d=2; e=3");
        assert_eq!(sent(&cookies, "http://www.h.example/", NOW), "d=2; e=3");
        assert_eq!(sent(&cookies, "https://h.example/", NOW), "");
        take(&cookies, "http://plain/", &["s=1; Secure"]);
        assert_eq!(sent(&cookies, "https://plain/", NOW), "");
    }

    #[test]
    fn a_jar_is_bounded() {
        let cookies = Cookies::new();
        for number in 0..90 {
            take(&cookies, "http://h/", &[&format!("c{number}=v")]);
        }
        let field = sent(&cookies, "http://h/", NOW);
        assert_eq!(field.split("; ").count(), MAX_COOKIES);
        assert!(field.starts_with("c40=v"), "{field}");
        let large: Vec<String> = (0..90).map(|number| format!("d{number}={}", "x".repeat(4_000))).collect();
        take(&cookies, "http://h/", &large.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(sent(&cookies, "http://h/", NOW).len() <= MAX_OCTETS);
    }
}
