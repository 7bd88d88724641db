//! Words that each format is made of.

#[rustfmt::skip]
const ROBOTS: &[&str] = &[
    "User-agent: ", "FooBot", "*", "Disallow: ", "Allow: ", "/", "$", "%2F", "%2A", "%24", "?", "#", "\r\n", "\r",
    "\0", "\u{feff}", "Crawl-delay: ", "Request-rate: 1/5", "Sitemap: ", "Content-Signal: ", "search=no",
    "ai-train=yes", ",", "é", "99999999999999999999", "robots.txt",
];
#[rustfmt::skip]
const URL: &[&str] = &[
    "http://", "https://", "//", "/../", "%2e", "%zz", "?", "#", "@", ":", "[::1]", "0x7f.1", "xn--", "\\", "\t",
    "..", ";", "&", "=", "utm_source=x", "%00", "é", "\u{3002}", ":0", ":65536", "javascript:", "data:", "%41", "%3F",
];
#[rustfmt::skip]
const HTML: &[&str] = &[
    "<", ">", "</", "<!--", "-->", "<!", "<?", "<title>", "</title>", "<a href=", "<script>", "</script", "<style>",
    "<svg>", "<template>", "<table>", "<base href=", "<meta charset=", "<meta name=robots content=",
    "<meta http-equiv=refresh content=0;url=", "<h1>", "</h1>", "<p>", "<textarea>", "<plaintext>", "<![CDATA[",
    "]]>", "&amp;", "&#0;", "&#x110000;", "&notit;", "\0", "\u{fffd}", "\"", "'", "=", "/", "text/html; charset=",
    "utf-16", "shift_jis", "iso-2022-jp", "utf-7", "\u{1b}$B", "<noscript>", "<select>",
];
#[rustfmt::skip]
const SITEMAP: &[&str] = &[
    "<urlset>", "</urlset>", "<url>", "<loc>", "</loc>", "</url>", "<sitemapindex>", "<sitemap>", "<lastmod>",
    "<rss>", "<channel>", "<item>", "<link>", "<feed xmlns=\"http://www.w3.org/2005/Atom\">", "<entry>",
    "<link href=\"", "<!DOCTYPE x [", "<!ENTITY a \"b\">", "&a;", "&#x41;", "&amp;", "<![CDATA[", "]]>",
    "<?xml version=\"1.0\"?>", "http://h/", "\n", "\u{feff}", "\u{1f}\u{8b}", "text/plain",
];
#[rustfmt::skip]
const HEADERS: &[&str] = &[
    "Retry-After: ", "X-Robots-Tag: ", "noindex", "foobot: ", "none", ",", "unavailable_after: ", "Location: ",
    "Set-Cookie: ", "a=b", "; Path=/", "; Max-Age=", "; Expires=", "; Secure", "Cache-Control: ", "max-age=",
    "Content-Type: ", "ETag: ", "Sun, 06 Nov 1994 08:49:37 GMT", "-1", "99999999999999999999", "\u{e9}", "\n", ";",
    "=",
];
#[rustfmt::skip]
const SEEDS: &[&str] = &[
    "http://h/", "https://", " depth=", " scope=", "host", "prefix", " priority=", "9", "#", "\n", "\r\n", "\r",
    "\u{feff}", "\0", "99999999999", "\t", "é", "example.org",
];
#[rustfmt::skip]
const SETTINGS: &[&str] = &[
    "[crawl]", "[limits]", "[politeness]", "[network]", "[extraction]", "delay", " = ", "\"", "\"auto\"", "\"250ms\"",
    "\"10 MiB\"", "[", "]", ",", "\n", "depth", "none", "true", "max_pages", "select", "\"a=b\"", "include", "\"(\"",
    "allow_private", "\"10.0.0.0/8\"", "header", "HEADER", "\"A: b\"", "purpose", "-1", "1e999",
    "9223372036854775808", "'''", "{", "}", "on_signal", "ms", "MiB", ".", "0", "\\", "\\u", ":", "=", "::attr(", ">", "|",
    "postgres://", "redis://", "@", "?port=", "xx", "fail_on", "contact", "(?i)", "\r", "\u{1}",
];

/// Those of a target.
pub(super) fn of(target: &str) -> &'static [&'static str] {
    match target {
        "robots" => ROBOTS,
        "url" => URL,
        "html" | "charset" => HTML,
        "sitemap" => SITEMAP,
        "headers" => HEADERS,
        "seeds" => SEEDS,
        _ => SETTINGS,
    }
}
