//! Nobody makes the crawler ask a machine that it may not ask, whatever the way in: judged by who was connected to.
//!
//! Each test runs once more in a network of its own, in which every address there is leads to one listener, and every name to
//! one server of names. The listener notes the address that was asked; only those of [`PUBLIC`] may be. This needs the right to
//! make a network namespace, as root has.

mod inside;
mod names;
mod rows;

use std::process::Command;

/// The row that the process in the namespace is to show.
const ROW: &str = "HUNTSMAN_TEST_SSRF_ROW";

/// Runs the row called `row` in a network of its own.
#[track_caller]
fn in_a_network_of_its_own(row: &str) {
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
    println!("{}", text.lines().filter(|line| line.starts_with("shown: ")).collect::<Vec<_>>().join("\n"));
}

macro_rules! rows {
    ($($name:ident)*) => {
        $(#[test] fn $name() { in_a_network_of_its_own(stringify!($name)); })*
    };
}

rows! {
    s1_special_ipv4_networks_are_refused
    s2_special_ipv6_networks_are_refused
    s3_ipv4_addresses_carried_by_ipv6_are_seen
    s4_the_address_that_is_dialled_is_the_one_that_was_checked
    s6_an_address_in_the_url_is_checked_too
    s7_every_hop_is_checked
    s8_metadata_is_refused_even_in_an_allowed_network
    s9_our_own_listeners_are_refused
    s10_only_the_proxy_of_the_settings_is_used
    s11_every_request_leaves_through_the_one_client
    s13_a_fetch_by_hand_is_guarded_and_tells_no_more
    s14_names_of_the_inside_are_refused
}
