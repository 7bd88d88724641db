//! Content codings that are none, too many, or bombs.

use super::judging::{Crawled, crawl};
use super::plays;
use super::shown;
use super::site::{Site, answer};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

pub(super) const PAGE: &[u8] =
    b"<!doctype html><title>coded</title><p>With some text that is long enough to be compressed.</p>";

pub(super) fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn brotli(octets: &[u8], window: u32) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4_096, 5, window);
    encoder.write_all(octets).unwrap();
    encoder.into_inner()
}

/// Crawls a page for each body with its coding.
fn coded(bodies: &[(&str, Vec<u8>)]) -> (Crawled, Vec<String>) {
    of(plays::coded(bodies))
}

fn of(answers: Vec<Vec<u8>>) -> (Crawled, Vec<String>) {
    let number = answers.len();
    let site = Site::of(answers);
    let urls = site.urls(number);
    (crawl(&urls, &[]), urls)
}

/// Every body is read as [`PAGE`].
#[track_caller]
fn all_read(crawled: &Crawled, urls: &[String]) {
    crawled.all_stored(urls);
    for url in urls {
        assert_eq!(crawled.of_page(url, "title"), "coded", "{url}");
    }
}

/// A bomb is cut: the little of it that was read is stored.
fn is_cut(crawled: &Crawled, url: &str) -> i64 {
    crawled.became(url).stored();
    assert!(["ratio", "decoded"].contains(&crawled.of_page(url, "truncated").as_str().unwrap()));
    let bytes = crawled.of_page(url, "bytes").as_i64().unwrap();
    assert!(bytes <= 10 << 20, "{bytes}");
    bytes
}

/// E1: gzip.
#[test]
fn e1_a_gzip_bomb_is_cut_while_it_is_read() {
    let (crawled, urls) = of(plays::gzip_bomb());
    let bytes = is_cut(&crawled, &urls[0]);
    shown("E1", &format!("{bytes} octets of 1 GiB were decoded"));
}

/// E2: brotli, and bombs within bombs.
#[test]
fn e2_a_brotli_bomb_is_cut_while_it_is_read() {
    let bomb = plays::brotli_bomb(64);
    let size = bomb.len();
    let (crawled, urls) =
        coded(&[("br", bomb.clone()), ("br, br", brotli(&bomb, 22)), ("br, gzip", gzip(&bomb))]);
    let bytes = is_cut(&crawled, &urls[0]);
    is_cut(&crawled, &urls[1]);
    is_cut(&crawled, &urls[2]);
    shown("E2", &format!("{bytes} octets of the 64 MiB in {size} were decoded; the same in two layers"));
}

/// E3: windows.
#[test]
fn e3_a_giant_window_is_refused() {
    // Large window brotli: a first octet that no other stream has, then a window of 2^30.
    let (crawled, urls) = coded(&[("br", [&[0x11, 0x9e][..], &[0x55; 64]].concat())]);
    crawled.all_failed(&urls, "coding");
    let (crawled, urls) = coded(&[("br", brotli(PAGE, 24))]);
    all_read(&crawled, &urls);
    shown("E3", "a window of 2^30 is refused (coding), one of 2^24 is read; zstd is not asked for");
}

/// E4: layers.
#[test]
fn e4_two_codings_are_undone_and_no_more() {
    let twice = gzip(&gzip(PAGE));
    let (crawled, urls) = coded(&[("gzip, gzip", twice.clone()), ("identity, gzip", gzip(PAGE))]);
    all_read(&crawled, &urls);
    let hundred = vec!["gzip"; 100].join(", ");
    let (crawled, urls) = coded(&[("gzip, gzip, gzip", gzip(&twice)), (&hundred, gzip(PAGE))]);
    crawled.all_failed(&urls, "coding");
    shown("E4", "two layers are read; three and a hundred are coding");
}

/// E5: members.
#[test]
fn e5_every_member_of_a_gzip_body_is_read() {
    let (crawled, urls) = of(plays::members());
    all_read(&crawled, &urls);
    shown("E5", "three members are one page; padding behind them is ignored");
}

/// E7: half a body.
#[test]
fn e7_half_a_coding_is_a_failure_and_never_passes_for_a_page() {
    let (crawled, urls) = of(plays::half_coded());
    crawled.all_failed(&urls, "coding");
    assert_eq!(crawled.value("select count(*) from pages"), 0);
    shown("E7", "coding; half a page is not stored as one");
}

/// E8: names.
#[test]
fn e8_x_gzip_is_gzip() {
    let (crawled, urls) = of(plays::names_of_gzip());
    all_read(&crawled, &urls);
    shown("E8", "x-gzip, GZIP and a trailing comma are read");
}

/// E10: text that is called coded.
#[test]
fn e10_text_that_is_called_gzip_is_read_and_remarked() {
    let (crawled, urls) = of(plays::not_coded());
    all_read(&crawled, &urls);
    for url in &urls {
        crawled.became(url).remarked("not-coded-as-named");
    }
    shown("E10", "read as it is; `not-coded-as-named` is remarked");
}

/// E11: codings nobody knows.
#[test]
fn e11_an_unknown_coding_is_read_where_the_body_is_text() {
    let (crawled, urls) = of(plays::unknown_codings());
    all_read(&crawled, &urls);
    let (crawled, urls) = coded(&[("zstd", b"\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00some frame".to_vec())]);
    crawled.all_failed(&urls, "coding");
    shown("E11", "utf-8, none, x-own: read; zstd, which is not asked for: coding");
}

/// E12: files.
#[test]
fn e12_a_gz_file_is_not_unpacked() {
    let file = gzip(PAGE);
    let size = file.len();
    let served = Site::of(vec![answer("Content-Type: application/gzip\r\n", file)]);
    let crawled = crawl(&served.urls(1), &[]);
    crawled.all_stored(&served.urls(1));
    let row = crawled.rows("select title, bytes from pages");
    assert!(row[0]["title"].is_null() && row[0]["bytes"] == size, "{row:?}");
    shown("E12", "stored as it is");
}

/// E13: what takes long.
#[test]
fn e13_ten_megabytes_of_brotli_cost_little() {
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..9 << 20)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"<div>ab </c>"[(state >> 24) as usize % 12]
        })
        .collect();
    let (crawled, urls) = coded(&[("br", brotli(&noise, 22))]);
    crawled.all_stored(&urls);
    let took = crawled.value("select total_ms from fetches where kind = 'page'").as_i64().unwrap();
    assert!(took < 2_000, "{took} ms");
    shown("E13", &format!("9 MiB of noise with the largest effort were read and decoded in {took} ms"));
}
