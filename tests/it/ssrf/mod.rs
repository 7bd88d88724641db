//! Nobody makes the crawler ask a machine that it may not ask, whatever the way in: judged by who was connected to.
//!
//! Each test runs once more in a network of its own, in which every address there is leads to one listener, and every name to
//! one server of names. The listener notes the address that was asked; only those of [`PUBLIC`] may be. This needs the right to
//! make a network namespace, as root has.

mod inside;
mod names;
mod rows;

use crate::hostile::shown;
use std::process::Command;

/// The row that the process in the namespace is to show.
const ROW: &str = "HUNTSMAN_TEST_SSRF_ROW";

/// Runs the row called `row` in a network of its own; answers with what it has seen.
#[track_caller]
fn in_a_network_of_its_own(row: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let resolv = folder.path().join("resolv.conf");
    std::fs::write(&resolv, "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n").unwrap();
    let set_up = "ip link set lo up && ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo \
                  && mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-c", set_up])
        .arg(&resolv)
        .arg(std::env::current_exe().unwrap())
        .args(["ssrf::rows::the_row_in_its_network", "--exact", "--ignored", "--nocapture"])
        .env(ROW, row)
        .output()
        .expect("unshare(1) and ip(8)");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && text.contains(&format!("shown: {row}")), "{row}: {text}");
    let seen =
        text.lines().filter_map(|line| line.strip_prefix("shown: ")?.strip_prefix(row)?.strip_prefix(": "));
    seen.collect::<Vec<_>>().join("; ")
}

/// S1: special IPv4 networks, the first and the last host of each.
#[test]
fn s1_special_ipv4_networks_are_refused() {
    let seen = in_a_network_of_its_own("s1_special_ipv4_networks_are_refused");
    shown("S1", &seen);
}

/// S2: special IPv6 networks.
#[test]
fn s2_special_ipv6_networks_are_refused() {
    let seen = in_a_network_of_its_own("s2_special_ipv6_networks_are_refused");
    shown("S2", &seen);
}

/// S3: every form of IPv6 address that carries an IPv4 one.
#[test]
fn s3_ipv4_addresses_carried_by_ipv6_are_seen() {
    let seen = in_a_network_of_its_own("s3_ipv4_addresses_carried_by_ipv6_are_seen");
    shown("S3", &seen);
}

/// S4: names that are public when they are looked at and inward when they are dialled.
#[test]
fn s4_the_address_that_is_dialled_is_the_one_that_was_checked() {
    let seen = in_a_network_of_its_own("s4_the_address_that_is_dialled_is_the_one_that_was_checked");
    shown("S4", &seen);
}

/// S6: addresses as a URL can spell them.
#[test]
fn s6_an_address_in_the_url_is_checked_too() {
    let seen = in_a_network_of_its_own("s6_an_address_in_the_url_is_checked_too");
    shown("S6", &seen);
}

/// S7: redirects to addresses and names.
#[test]
fn s7_every_hop_is_checked() {
    let seen = in_a_network_of_its_own("s7_every_hop_is_checked");
    shown("S7", &seen);
}

/// S8: metadata services, where all else is allowed.
#[test]
fn s8_metadata_is_refused_even_in_an_allowed_network() {
    let seen = in_a_network_of_its_own("s8_metadata_is_refused_even_in_an_allowed_network");
    shown("S8", &seen);
}

/// S9: the ports of our own index and store.
#[test]
fn s9_our_own_listeners_are_refused() {
    let seen = in_a_network_of_its_own("s9_our_own_listeners_are_refused");
    shown("S9", &seen);
}

/// S9, of another kind: public addresses that this machine has itself.
#[test]
fn s9_addresses_of_our_own_interfaces_are_refused() {
    in_a_network_of_its_own("s9_addresses_of_our_own_interfaces_are_refused");
}

/// S10: proxies that the environment names, and one of the settings.
#[test]
fn s10_only_the_proxy_of_the_settings_is_used() {
    let seen = in_a_network_of_its_own("s10_only_the_proxy_of_the_settings_is_used");
    shown("S10", &seen);
}

/// S11: robots.txt, sitemaps, links and seeds.
#[test]
fn s11_every_request_leaves_through_the_one_client() {
    let seen = in_a_network_of_its_own("s11_every_request_leaves_through_the_one_client");
    shown("S11", &seen);
}

/// S13: `huntsman fetch` and `huntsman robots`.
#[test]
fn s13_a_fetch_by_hand_is_guarded_and_tells_no_more() {
    let seen = in_a_network_of_its_own("s13_a_fetch_by_hand_is_guarded_and_tells_no_more");
    shown("S13", &seen);
}

/// S14: localhost, names of one label, `.local`, `.internal`.
#[test]
fn s14_names_of_the_inside_are_refused() {
    let seen = in_a_network_of_its_own("s14_names_of_the_inside_are_refused");
    shown("S14", &seen);
}
