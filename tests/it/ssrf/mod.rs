//! Nobody makes the crawler ask a machine that it may not ask, whatever the way in: judged by who was connected to.
//!
//! Each test runs once more in a network of its own, in which every address there is leads to one listener, and every name to
//! one server of names. The listener notes the address that was asked; only those of [`PUBLIC`] may be. This needs the right to
//! make a network namespace, as root has.

mod inside;
mod names;
mod rows;

use crate::hostile::shown;
use crate::namespace::again_inside;

/// Every address is this machine's.
const SET_UP: &str =
    "ip link set lo up && ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo";

/// Shows the row called `row` in a network of its own, and tells what it has seen as that of the case `id`.
#[track_caller]
fn in_a_network_of_its_own(id: Option<&str>, row: &str) {
    let Some(text) = again_inside(&format!("ssrf::{row}"), "timeout:2 attempts:2", SET_UP) else {
        return rows::show(row);
    };
    let seen =
        text.lines().filter_map(|line| line.strip_prefix("shown: ")?.strip_prefix(row)?.strip_prefix(": "));
    let seen = seen.collect::<Vec<_>>().join("; ");
    assert!(!seen.is_empty(), "{row}: {text}");
    if let Some(id) = id {
        shown(id, &seen);
    }
}

/// S1: special IPv4 networks, the first and the last host of each.
#[test]
fn s1_special_ipv4_networks_are_refused() {
    in_a_network_of_its_own(Some("S1"), "s1_special_ipv4_networks_are_refused");
}

/// S2: special IPv6 networks.
#[test]
fn s2_special_ipv6_networks_are_refused() {
    in_a_network_of_its_own(Some("S2"), "s2_special_ipv6_networks_are_refused");
}

/// S3: every form of IPv6 address that carries an IPv4 one.
#[test]
fn s3_ipv4_addresses_carried_by_ipv6_are_seen() {
    in_a_network_of_its_own(Some("S3"), "s3_ipv4_addresses_carried_by_ipv6_are_seen");
}

/// S4: names that are public when they are looked at and inward when they are dialled.
#[test]
fn s4_the_address_that_is_dialled_is_the_one_that_was_checked() {
    in_a_network_of_its_own(Some("S4"), "s4_the_address_that_is_dialled_is_the_one_that_was_checked");
}

/// S6: addresses as a URL can spell them.
#[test]
fn s6_an_address_in_the_url_is_checked_too() {
    in_a_network_of_its_own(Some("S6"), "s6_an_address_in_the_url_is_checked_too");
}

/// S7: redirects to addresses and names.
#[test]
fn s7_every_hop_is_checked() {
    in_a_network_of_its_own(Some("S7"), "s7_every_hop_is_checked");
}

/// S8: metadata services, where all else is allowed.
#[test]
fn s8_metadata_is_refused_even_in_an_allowed_network() {
    in_a_network_of_its_own(Some("S8"), "s8_metadata_is_refused_even_in_an_allowed_network");
}

/// S9: the ports of our own index and store.
#[test]
fn s9_our_own_listeners_are_refused() {
    in_a_network_of_its_own(Some("S9"), "s9_our_own_listeners_are_refused");
}

/// S9, of another kind: public addresses that this machine has itself.
#[test]
fn s9_addresses_of_our_own_interfaces_are_refused() {
    in_a_network_of_its_own(None, "s9_addresses_of_our_own_interfaces_are_refused");
}

/// S10: proxies that the environment names, and one of the settings.
#[test]
fn s10_only_the_proxy_of_the_settings_is_used() {
    in_a_network_of_its_own(Some("S10"), "s10_only_the_proxy_of_the_settings_is_used");
}

/// S11: robots.txt, sitemaps, links and seeds.
#[test]
fn s11_every_request_leaves_through_the_one_client() {
    in_a_network_of_its_own(Some("S11"), "s11_every_request_leaves_through_the_one_client");
}

/// S13: `huntsman fetch` and `huntsman robots`.
#[test]
fn s13_a_fetch_by_hand_is_guarded_and_tells_no_more() {
    in_a_network_of_its_own(Some("S13"), "s13_a_fetch_by_hand_is_guarded_and_tells_no_more");
}

/// S14: localhost, names of one label, `.local`, `.internal`.
#[test]
fn s14_names_of_the_inside_are_refused() {
    in_a_network_of_its_own(Some("S14"), "s14_names_of_the_inside_are_refused");
}
