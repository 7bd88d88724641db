//! What each row shows, run in the network of its own.

use super::inside::{Network, PUBLIC};
use crate::program::huntsman;
use crate::rng::Rng;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

const HTTP: [u16; 1] = [80];

/// The first and the last host of every special network, as far as one can connect there.
const SPECIAL_V4: [&str; 34] = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.254",
    "100.64.0.1",
    "100.127.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.255.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.0.2.254",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.254",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "198.51.100.254",
    "203.0.113.1",
    "203.0.113.254",
    "224.0.0.1",
    "239.255.255.254",
    "240.0.0.1",
    "255.255.255.254",
    "255.255.255.255",
    "168.63.129.16",
    "100.100.100.200",
    "169.254.170.2",
];
const SPECIAL_V6: [&str; 16] = [
    "[::]",
    "[::1]",
    "[fc00::1]",
    "[fdff::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    "[64:ff9b:1::1]",
    "[2001:2::1]",
    "[5f00::1]",
];
const CARRIED: [&str; 16] = [
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[::10.0.0.1]",
    "[::ffff:0:10.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2001:0:7f00:1:8000:63bf:3fff:fdd2]",
    "[2a00:1450::5efe:192.168.0.1]",
    "[2a00:1450::200:5efe:10.0.0.1]",
];
const SPELT: [&str; 12] = [
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "0",
    "0x0a000001",
    "012.0.0.1",
    "10.1",
    "3232235777",
    "0xa9fea9fe",
    "%31%32%37.0.0.1",
];

/// Shows a row, within the network.
pub(super) fn show(row: &str) {
    let plain = |forms: &[&str]| Network::new(forms, &HTTP, |_, _| None);
    match row {
        "s1_special_ipv4_networks_are_refused" => {
            let network = plain(&SPECIAL_V4);
            network.nobody(row, &[]);
            // The listener sees whoever comes.
            let seen =
                network.every_way_in(&["--allow-private", "10.0.0.0/8", "--allow-private", "240.0.0.0/4"]);
            assert_eq!(
                seen,
                ["10.0.0.1", "10.255.255.254", "240.0.0.1", "255.255.255.254"],
                "what is allowed is asked"
            );
        }
        "s2_special_ipv6_networks_are_refused" => plain(&SPECIAL_V6).nobody(row, &[]),
        "s3_ipv4_addresses_carried_by_ipv6_are_seen" => {
            plain(&CARRIED).nobody(row, &["--allow-private", "192.168.7.0/24"]);
        }
        "s4_the_address_that_is_dialled_is_the_one_that_was_checked" => rebinding(row),
        "s6_an_address_in_the_url_is_checked_too" => plain(&SPELT).nobody(row, &[]),
        "s7_every_hop_is_checked" => {
            let mut forms =
                vec!["inward.example", "[::ffff:10.0.0.1]", "10.0.0.1", "2130706433", "localhost"];
            forms.extend(["user:word@10.0.0.1", "10.0.0.1.", "[::1]"]);
            Network::new(&forms, &HTTP, inward).nobody(row, &[]);
        }
        "s8_metadata_is_refused_even_in_an_allowed_network" => metadata(row),
        "s9_our_own_listeners_are_refused" => own_listeners(row),
        "s9_addresses_of_our_own_interfaces_are_refused" => own_addresses(row),
        "s10_only_the_proxy_of_the_settings_is_used" => proxies(row),
        "s11_every_request_leaves_through_the_one_client" => {
            let forms = [
                "inward.example",
                "10.0.0.1",
                "[fd00::1]",
                "[::ffff:7f00:1]",
                "127.0.0.1",
                "0x0a000001",
                "router",
            ];
            Network::new(&forms, &HTTP, inward).nobody(row, &[]);
        }
        "s13_a_fetch_by_hand_is_guarded_and_tells_no_more" => by_hand(row),
        "s14_names_of_the_inside_are_refused" => names_of_the_inside(row),
        other => panic!("no row is called {other}"),
    }
}

/// A name that leads inward, and others that do not.
fn inward(name: &str, v6: bool) -> Option<Vec<IpAddr>> {
    let private: IpAddr = if v6 { "fd00::9".parse().unwrap() } else { [10, 9, 9, 9].into() };
    (name == "inward.example").then(|| vec![private])
}

/// Names whose addresses are drawn anew for every question: public at first, inward then, or both at once.
fn rebinding(row: &str) {
    const NAMES: u64 = 10_000;
    let asked: Mutex<HashMap<(String, bool), u64>> = Mutex::default();
    let book = move |name: &str, v6: bool| {
        let number: u64 = name.strip_prefix('n')?.strip_suffix(".rebind.example")?.parse().ok()?;
        let mut asked = asked.lock().unwrap();
        let before = asked.entry((name.to_owned(), v6)).or_default();
        *before += 1;
        let mut rng = Rng::new(number << 8 | *before << 1 | u64::from(v6));
        let public = IpAddr::V4(Ipv4Addr::new(PUBLIC[0], PUBLIC[1], PUBLIC[2], rng.range(1..255) as u8));
        Some(match (number % 4, *before) {
            // Public when it is looked at first, inward ever after.
            (0, 1) if v6 => Vec::new(),
            (0, 1) => vec![public],
            (0 | 1, _) => vec![drawn(&mut rng, v6)],
            // Mixed, in any order.
            (2, _) if !v6 => {
                let mut mixed = vec![drawn(&mut rng, v6), public, drawn(&mut rng, v6)];
                mixed.rotate_left(rng.range(0..3) as usize);
                mixed
            }
            _ => (0..rng.range(0..4)).map(|_| drawn(&mut rng, v6)).collect(),
        })
    };
    let network = Network::new(&[], &HTTP, book);
    let folder = tempfile::tempdir().unwrap();
    let seeds: Vec<String> = (0..NAMES).map(|n| format!("http://n{n}.rebind.example/")).collect();
    std::fs::write(folder.path().join("seeds"), seeds.join("\n")).unwrap();
    let mut public = 0;
    for name in ["first", "second"] {
        let flags =
            ["--delay", "0s", "--wait", "0s", "--retries", "0", "--concurrency", "128", "--timeout", "20s"];
        let crawl = [&["crawl", "seeds", "--name", name, "--ignore-robots"][..], &flags].concat();
        let (output, astray) = network.after(folder.path(), &crawl);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(astray, Vec::<String>::new());
        let pages = crate::program::sql(
            &folder.path().join(format!("crawls/{name}.db")),
            "select count(*) from pages",
        );
        let pages: u64 = pages[0].parse().unwrap();
        // Every name that had a public address among its answers is read by it: a fourth of them, and another at first.
        let least = if name == "first" { NAMES / 2 } else { NAMES / 4 };
        assert!(pages >= least - NAMES / 100, "{name}: {pages}");
        public += pages;
    }
    let answers = network.answers.load(Ordering::Relaxed);
    assert!(answers >= 4 * NAMES, "{answers}");
    println!(
        "shown: {row}: {answers} answers of the resolver on {NAMES} names, {public} pages of public addresses, 0 connections to others"
    );
}

/// Any special address, in any form.
fn drawn(rng: &mut Rng, v6: bool) -> IpAddr {
    let tail = rng.next();
    let inner = match rng.range(0..7) {
        0 => Ipv4Addr::new(127, (tail >> 8) as u8, tail as u8, 1),
        1 => Ipv4Addr::new(10, (tail >> 8) as u8, tail as u8, 1),
        2 => Ipv4Addr::new(192, 168, tail as u8, 1),
        3 => Ipv4Addr::new(172, 16 + (tail & 15) as u8, (tail >> 8) as u8, 1),
        4 => Ipv4Addr::new(169, 254, 169, 254),
        5 => Ipv4Addr::new(100, 64 + (tail & 63) as u8, (tail >> 8) as u8, 1),
        _ => Ipv4Addr::new(198, 18 + (tail & 1) as u8, (tail >> 8) as u8, 1),
    };
    if !v6 {
        return inner.into();
    }
    let [a, b, c, d] = inner.octets().map(u16::from);
    let (high, low) = (a << 8 | b, c << 8 | d);
    let segments = match rng.range(0..8) {
        0 => [0, 0, 0, 0, 0, 0xffff, high, low],
        1 => [0, 0, 0, 0, 0, 0, high, low],
        2 => [0x64, 0xff9b, 0, 0, 0, 0, high, low],
        3 => [0x2002, high, low, 0, 0, 0, 0, 1],
        4 => [0x2001, 0, 0x4136, 0xe378, 0x8000, 0x63bf, !high, !low],
        5 => [0xfd00, high, low, 0, 0, 0, 0, 1],
        6 => [0x2a00, 0x1450, 0, 0, 0, 0x5efe, high, low],
        _ => [0xfe80, 0, 0, 0, high, low, 0, 1],
    };
    Ipv6Addr::from(segments).into()
}

fn metadata(row: &str) {
    let forms = [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "[fd00:ec2::254]",
        "[fd20:ce::254]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "metadata.google.internal",
        "metadata.goog",
        "cloud.example",
    ];
    let network = Network::new(&forms, &HTTP, |name, v6| {
        let address: IpAddr = if v6 { "fd00:ec2::254".parse().unwrap() } else { [169, 254, 169, 254].into() };
        ["metadata.google.internal", "metadata.goog", "cloud.example"].contains(&name).then(|| vec![address])
    });
    network.nobody(row, &["--allow-private", "0.0.0.0/0", "--allow-private", "::/0"]);
    let named = network.every_way_in(&["--allow-private", "169.254.169.254"]);
    let same = ["169.254.169.254", "2002:a9fe:a9fe::1", "64:ff9b::a9fe:a9fe"];
    assert_eq!(named, same, "what is named by itself is asked, in whichever form");
}

/// The index and the store of this process stand on ports of their own, in a network that is allowed.
fn own_listeners(row: &str) {
    let forms =
        ["10.0.0.5:7001", "10.0.0.5:7002", "inward.example:7001", "127.0.0.1:7002", "[::ffff:10.0.0.5]:7001"];
    let network = Network::new(&forms, &[80, 7_001, 7_002], inward);
    let folder = tempfile::tempdir().unwrap();
    let fetch = |store: Option<&str>| {
        let mut command = huntsman(
            folder.path(),
            &["fetch", "--follow", "--delay", "0s", "--timeout", "5s", "--allow-private", "10.0.0.0/8"],
        );
        command.args((0..forms.len()).map(|n| format!("http://site.example/to/{n}")));
        if let Some(store) = store {
            command.env("HUNTSMAN_STORE", store).env("HUNTSMAN_FRONTIER", "redis://10.0.0.5:7001");
        }
        command.output().unwrap();
        network.log_of_astray()
    };
    for store in ["postgres://me@10.0.0.5:7002/crawls", "postgres:///crawls?host=10.0.0.5&port=7002"] {
        assert_eq!(fetch(Some(store)), Vec::<String>::new(), "{store}");
    }
    assert_eq!(fetch(None), ["10.0.0.5", "10.9.9.9"], "elsewhere these ports are like any others");
    println!(
        "shown: {row}: {} forms of our own ports in an allowed network, 0 connections; elsewhere the same ports are asked",
        forms.len()
    );
}

/// Public addresses that interfaces of this machine have. All others of this network lead here, too, but stand on no interface.
fn own_addresses(row: &str) {
    let own: [IpAddr; 2] = ["93.184.217.200".parse().unwrap(), "2606:4700::200".parse().unwrap()];
    let forms = [
        "93.184.217.200",
        "1572395464",
        "[::ffff:93.184.217.200]",
        "[64:ff9b::93.184.217.200]",
        "[2606:4700::200]",
        "own.example",
    ];
    let network = Network::new(&forms, &HTTP, move |name, v6| {
        (name == "own.example").then(|| own.into_iter().filter(|address| address.is_ipv6() == v6).collect())
    });
    let interface = |change: &str| {
        for address in own {
            let prefix = if address.is_ipv6() { 128 } else { 32 };
            let address = format!("{address}/{prefix}");
            let arguments = ["address", change, &address, "dev", "lo"];
            assert!(std::process::Command::new("ip").args(arguments).status().unwrap().success());
        }
    };
    interface("add");
    network.nobody(row, &[]);
    network.nobody(row, &["--allow-private", "10.0.0.0/8"]);
    let allowed = network.every_way_in(&["--allow-private", "93.184.217.200"]);
    assert_eq!(allowed, ["64:ff9b::5db8:d9c8", "93.184.217.200"], "what is allowed is asked");
    // Asked for by hand, one needs no leave beside that.
    let folder = tempfile::tempdir().unwrap();
    let (output, astray) =
        network.after(folder.path(), &["fetch", "http://[2606:4700::200]/", "--delay", "0s"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(astray.len(), 3, "{astray:?}");
    interface("delete");
    network.log.lock().unwrap().forget();
    let asked = network.every_way_in(&[]);
    assert_eq!(
        asked,
        ["2606:4700::200", "64:ff9b::5db8:d9c8", "93.184.217.200"],
        "elsewhere they are like any others"
    );
}

/// Variables that other programs take a proxy from lead nowhere.
fn proxies(row: &str) {
    let network = Network::new(&["10.0.0.1"], &[80, 3_128], |_, _| None);
    let folder = tempfile::tempdir().unwrap();
    let mut command = huntsman(
        folder.path(),
        &["crawl", "http://site.example/", "--name", "t", "--delay", "0s", "--wait", "0s"],
    );
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, "http://10.0.0.1:3128");
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(network.log_of_astray(), Vec::<String>::new());
    // Through a proxy that the operator named, literal addresses and names of the inside are refused before it is asked.
    let flags = ["--proxy", "http://93.184.216.99:3128", "--delay", "0s", "--wait", "0s", "--retries", "0"];
    let urls = ["http://site.example/to/0", "http://router/"];
    network.after(folder.path(), &[&["fetch", "--follow"][..], &urls, &flags].concat());
    let asked = network.asked();
    assert!(asked.iter().any(|one| one.contains("/to/0")), "the proxy is asked: {asked:?}");
    assert!(!asked.iter().any(|one| one.contains("10.0.0.1") || one.contains("router")), "{asked:?}");
    println!(
        "shown: {row}: 6 variables of the environment, 0 connections; through the proxy of the settings nothing of the inside is asked for"
    );
}

/// What a person asks for by name, and what is said of it: the same whether anybody listens there or not.
fn by_hand(row: &str) {
    let network = Network::new(&[], &HTTP, inward);
    let folder = tempfile::tempdir().unwrap();
    let said = |url: &str| {
        let (output, astray) = network.after(
            folder.path(),
            &["fetch", url, "--delay", "0s", "--wait", "0s", "--retries", "0", "--format", "json"],
        );
        assert_eq!(astray, Vec::<String>::new(), "{url}");
        assert_ne!(output.status.code(), Some(0), "{url}");
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let hop = &shown["hops"][0];
        let asked = hop["robots"]["requests"][0].clone();
        assert_eq!(asked["error"], "forbidden-address", "{url}: {hop}");
        asked["detail"].as_str().unwrap().to_owned()
    };
    let (open, closed) = (said("http://inward.example/"), said("http://inward.example:81/"));
    assert_eq!(open, closed, "nothing tells an open port from a closed one");
    for url in ["http://router/", "http://x.internal/"] {
        said(url);
        let (output, astray) = network.after(folder.path(), &["robots", url]);
        assert_eq!(astray, Vec::<String>::new());
        assert!(String::from_utf8(output.stdout).unwrap().contains("forbidden-address"), "{url}");
    }
    println!("shown: {row}: an open and a closed port of the inside are told alike; 0 connections");
}

/// Names of the inside that the server of names says are public: they are not asked for all the same.
fn names_of_the_inside(row: &str) {
    let forms = [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "router",
        "intranet",
        "printer.local",
        "a.b.local",
        "api.internal",
        "db.internal.",
        "nas.lan",
        "pc.home",
        "mail.corp",
        "x.localdomain",
        "y.intranet",
        "z.private",
    ];
    // A public address apart from those of the site, so that the listener can tell.
    let elsewhere: IpAddr = [93, 184, 217, 1].into();
    let network = Network::new(&forms, &HTTP, move |name, v6| {
        let is_public = name.ends_with(".example");
        (!is_public).then(|| if v6 { Vec::new() } else { vec![elsewhere] })
    });
    network.nobody(row, &[]);
    network.nobody(row, &["--allow-private", "10.0.0.0/8"]);
    let allowed = network.every_way_in(&["--allow-private", "93.184.217.0/24"]);
    assert_eq!(allowed, ["93.184.217.1"], "where their address is allowed they are asked");
}
