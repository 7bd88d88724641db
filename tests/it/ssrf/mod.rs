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

/// Runs the row called `row` in a network of its own; answers with what it has seen, and within that network with nothing.
#[track_caller]
fn in_a_network_of_its_own(row: &str) -> Option<String> {
    let Some(said) = again_inside(&format!("ssrf::{row}"), "timeout:2 attempts:2", SET_UP) else {
        rows::show(row);
        return None;
    };
    let seen = said
        .lines()
        .filter_map(|line| line.split_once("shown: ")?.1.strip_prefix(row)?.strip_prefix(": "))
        .collect::<Vec<_>>()
        .join("; ");
    assert!(!seen.is_empty(), "{row}: {said}");
    Some(seen)
}

/// S1: special IPv4 networks, the first and the last host of each.
#[test]
fn s1_special_ipv4_networks_are_refused() {
    if let Some(seen) = in_a_network_of_its_own("s1_special_ipv4_networks_are_refused") {
        shown("S1", &seen);
    }
}

/// S2: special IPv6 networks.
#[test]
fn s2_special_ipv6_networks_are_refused() {
    if let Some(seen) = in_a_network_of_its_own("s2_special_ipv6_networks_are_refused") {
        shown("S2", &seen);
    }
}

/// S3: every form of IPv6 address that carries an IPv4 one.
#[test]
fn s3_ipv4_addresses_carried_by_ipv6_are_seen() {
    if let Some(seen) = in_a_network_of_its_own("s3_ipv4_addresses_carried_by_ipv6_are_seen") {
        shown("S3", &seen);
    }
}

/// S4: names that are public when they are looked at and inward when they are dialled.
#[test]
fn s4_the_address_that_is_dialled_is_the_one_that_was_checked() {
    if let Some(seen) = in_a_network_of_its_own("s4_the_address_that_is_dialled_is_the_one_that_was_checked")
    {
        shown("S4", &seen);
    }
}

/// S6: addresses as a URL can spell them.
#[test]
fn s6_an_address_in_the_url_is_checked_too() {
    if let Some(seen) = in_a_network_of_its_own("s6_an_address_in_the_url_is_checked_too") {
        shown("S6", &seen);
    }
}

/// S7: redirects to addresses and names.
#[test]
fn s7_every_hop_is_checked() {
    if let Some(seen) = in_a_network_of_its_own("s7_every_hop_is_checked") {
        shown("S7", &seen);
    }
}

/// S8: metadata services, where all else is allowed.
#[test]
fn s8_metadata_is_refused_even_in_an_allowed_network() {
    if let Some(seen) = in_a_network_of_its_own("s8_metadata_is_refused_even_in_an_allowed_network") {
        shown("S8", &seen);
    }
}

/// S9: the ports of our own index and store.
#[test]
fn s9_our_own_listeners_are_refused() {
    if let Some(seen) = in_a_network_of_its_own("s9_our_own_listeners_are_refused") {
        shown("S9", &seen);
    }
}

/// S9, of another kind: public addresses that this machine has itself.
#[test]
fn s9_addresses_of_our_own_interfaces_are_refused() {
    in_a_network_of_its_own("s9_addresses_of_our_own_interfaces_are_refused");
}

/// S10: proxies that the environment names, and one of the settings.
#[test]
fn s10_only_the_proxy_of_the_settings_is_used() {
    if let Some(seen) = in_a_network_of_its_own("s10_only_the_proxy_of_the_settings_is_used") {
        shown("S10", &seen);
    }
}

/// S11: robots.txt, sitemaps, links and seeds.
#[test]
fn s11_every_request_leaves_through_the_one_client() {
    if let Some(seen) = in_a_network_of_its_own("s11_every_request_leaves_through_the_one_client") {
        shown("S11", &seen);
    }
}

/// S13: `huntsman fetch` and `huntsman robots`.
#[test]
fn s13_a_fetch_by_hand_is_guarded_and_tells_no_more() {
    if let Some(seen) = in_a_network_of_its_own("s13_a_fetch_by_hand_is_guarded_and_tells_no_more") {
        shown("S13", &seen);
    }
}

/// S14: localhost, names of one label, `.local`, `.internal`.
#[test]
fn s14_names_of_the_inside_are_refused() {
    if let Some(seen) = in_a_network_of_its_own("s14_names_of_the_inside_are_refused") {
        shown("S14", &seen);
    }
}
