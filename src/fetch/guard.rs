//! The address guard: which addresses and ports a crawl may ask.
//!
//! A page must not be able to send the crawler to the machine it runs on, to the network behind it or to a cloud's
//! metadata service. The guard is asked twice: for the literal address in a URL, and by the resolver for every
//! address of a name, so that what is checked is what is connected to.

use super::own::{self, Own};
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{PoisonError, RwLock};
use url::{Host, Url};

/// Why a URL or an address may not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The address is special and no allowed network contains it.
    #[error("address {0} is {1}")]
    Address(IpAddr, &'static str),
    /// The name is one of the inside, and no allowed network has its address.
    #[error("{0:?} is a name of the inside")]
    Name(String),
    /// Another protocol than HTTP lives on this port.
    #[error("port {0} is not for the web")]
    Port(u16),
    /// On this port stands the index or the store of this process.
    #[error("port {0} is that of our own index or store")]
    OwnPort(u16),
}

/// Addresses and ports that may be asked: all public ones but our own, and the networks that were allowed.
#[derive(Debug, Default)]
pub struct Guard {
    allow: RwLock<Vec<IpNet>>,
    own_ports: Vec<u16>,
    own: Option<Own>,
}

impl Guard {
    /// A guard that permits `allow` beside the public internet. A metadata address is permitted only where it is
    /// named by itself, not by a network around it. On `own_ports`, those of our index and store, nobody is asked, whatever
    /// his address: a name may lead there by any.
    pub fn new(allow: Vec<IpNet>, mut own_ports: Vec<u16>) -> Self {
        // A port of the web tells nothing: there the address alone decides.
        own_ports.retain(|port| ![80, 443].contains(port));
        Self { allow: RwLock::new(allow), own_ports, own: None }
    }

    /// Refuses the addresses of this machine, too, as if they were special.
    #[must_use]
    pub(super) fn beside(self, own: Own) -> Self {
        Self { own: Some(own), ..self }
    }

    /// Permits these, too, from now on.
    pub fn permit(&self, networks: impl IntoIterator<Item = IpNet>) {
        let mut allow = self.allow.write().unwrap_or_else(PoisonError::into_inner);
        for network in networks {
            if !allow.contains(&network) {
                allow.push(network);
            }
        }
    }

    /// Checks what a URL says by itself: its port, and its host where that is an address.
    pub fn check(&self, url: &Url) -> Result<(), Forbidden> {
        if let Some(port) = url.port()
            && (port == 0 || BAD_PORTS.binary_search(&port).is_ok() || SERVERS.binary_search(&port).is_ok())
        {
            return Err(Forbidden::Port(port));
        }
        if let Some(port) = url.port().filter(|port| self.own_ports.contains(port)) {
            return Err(Forbidden::OwnPort(port));
        }
        match url.host() {
            // Nobody need be asked for its address: none can be allowed.
            Some(Host::Domain(name)) if inside(name).is_some() && self.allows_nothing() => {
                Err(Forbidden::Name(name.to_owned()))
            }
            Some(Host::Ipv4(address)) => self.check_address(address.into()),
            Some(Host::Ipv6(address)) => self.check_address(address.into()),
            _ => Ok(()),
        }
    }

    /// Checks the address of a name. One of the inside may have no other than an allowed address, as if that were special: the
    /// world outside has no say in what it means.
    pub fn check_named(&self, name: &str, address: IpAddr) -> Result<(), Forbidden> {
        match inside(name) {
            Some(why) if !self.allows(address, why) => Err(Forbidden::Name(name.to_owned())),
            _ => self.check_address(address),
        }
    }

    fn allows_nothing(&self) -> bool {
        self.allow.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Checks an address that is about to be connected to.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Forbidden> {
        let is_own = |address| self.own.as_ref().is_some_and(|own| own.has(address));
        let why = special(address).or_else(|| with_carried(address).any(is_own).then_some(OWN));
        let Some(why) = why else { return Ok(()) };
        if self.allows(address, why) { Ok(()) } else { Err(Forbidden::Address(address, why)) }
    }

    /// Whether an allowed network has the address, which is `why`.
    fn allows(&self, address: IpAddr, why: &str) -> bool {
        let covers = |net: &IpNet| {
            with_carried(address).any(|address| net.contains(&address))
                && (why != METADATA || net.prefix_len() == net.max_prefix_len())
        };
        self.allow.read().unwrap_or_else(PoisonError::into_inner).iter().any(covers)
    }
}

/// The addresses of this machine's interfaces as they are now; none where the system does not tell.
pub fn own_addresses() -> HashSet<IpAddr> {
    own::read().unwrap_or_default()
}

/// What is special about a name, in words; `None` for one of the public tree. A name of one label is completed by the search
/// list of this machine.
fn inside(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if METADATA_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return Some(METADATA);
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_inside = last.len() == name.len() || INSIDE.iter().any(|known| last.eq_ignore_ascii_case(known));
    is_inside.then_some("of the inside")
}

/// Top-level names that no public server has: RFC 6761, RFC 6762, ICANN's `internal`, and what routers and home networks use.
const INSIDE: &[&str] =
    &["localhost", "local", "internal", "localdomain", "intranet", "lan", "home", "corp", "private"];

const METADATA_NAMES: &[&str] = &["metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"];

/// What is special about an address, in words; `None` for a public one. An IPv6 address that carries an IPv4 one is
/// what that one is.
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => {
            let within = |(net, length, _): &&(Ipv6Addr, u32, _)| {
                (u128::from(address) ^ u128::from(*net)) >> (128 - length) == 0
            };
            let own = SPECIAL_V6.iter().find(within).map(|(_, _, why)| *why);
            own.or_else(|| teredo_server(address).and_then(special_v4))
                .or_else(|| carried(address).and_then(special_v4))
        }
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let within =
        |(net, length, _): &&(Ipv4Addr, u32, _)| (u32::from(address) ^ u32::from(*net)) >> (32 - length) == 0;
    SPECIAL_V4.iter().find(within).map(|(_, _, why)| *why)
}

/// The IPv4 address that an IPv6 one stands for: mapped, translated, compatible, NAT64, 6to4, Teredo, ISATAP.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xFFFF | 0, high, low]
        | [0, 0, 0, 0, 0xFFFF, 0, high, low]
        | [0x64, 0xFF9B, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..]
        | [_, _, _, _, 0 | 0x200, 0x5EFE, high, low] => Some(join(high, low)),
        [0x2001, 0, .., high, low] => Some(join(!high, !low)),
        _ => None,
    }
}

/// An address, and the one that it carries.
fn with_carried(address: IpAddr) -> impl Iterator<Item = IpAddr> {
    let carried = match address {
        IpAddr::V6(address) => carried(address).map(IpAddr::V4),
        IpAddr::V4(_) => None,
    };
    std::iter::once(address).chain(carried)
}

fn teredo_server(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x2001, 0, high, low, ..] => Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    }
}

const METADATA: &str = "a metadata service";
/// Whoever crawls a site from its own server reads this, so that it says what to do.
const OWN: &str = "one of this machine's own (--allow-private permits it)";

/// IANA special-purpose registry, and where clouds keep their metadata. The first entry that contains the address
/// names it.
const SPECIAL_V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(169, 254, 169, 254), 32, METADATA),
    (Ipv4Addr::new(169, 254, 170, 2), 32, METADATA),
    (Ipv4Addr::new(100, 100, 100, 200), 32, METADATA),
    (Ipv4Addr::new(192, 0, 0, 192), 32, METADATA),
    (Ipv4Addr::new(168, 63, 129, 16), 32, METADATA),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a provider"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::UNSPECIFIED, 8, "this network"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a relay"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

const SPECIAL_V6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::new(0xFD00, 0xEC2, 0, 0, 0, 0, 0, 0x254), 128, METADATA),
    (Ipv6Addr::new(0xFD20, 0xCE, 0, 0, 0, 0, 0, 0x254), 128, METADATA),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::UNSPECIFIED, 128, "this host"),
    (Ipv6Addr::new(0xFC00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xFEC0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local"),
    (Ipv6Addr::new(0xFF00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
    (Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 0), 32, "for documentation"),
    (Ipv6Addr::new(0x3FFF, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation"),
    (Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0), 48, "for benchmarks"),
    (Ipv6Addr::new(0x2001, 0x10, 0, 0, 0, 0, 0, 0), 28, "no address of a host"),
    (Ipv6Addr::new(0x2001, 0x20, 0, 0, 0, 0, 0, 0), 28, "no address of a host"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "a black hole"),
    (Ipv6Addr::new(0x64, 0xFF9B, 1, 0, 0, 0, 0, 0), 48, "translated locally"),
    (Ipv6Addr::new(0x5F00, 0, 0, 0, 0, 0, 0, 0), 16, "for segment routing"),
];

/// Ports that browsers refuse to speak HTTP to (WHATWG Fetch, "port blocking"), ascending.
const BAD_PORTS: &[u16] = &[
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
    109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
    526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
    3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Ports of databases, caches and queues, which browsers do not refuse: a link must not make us speak to one, ascending.
const SERVERS: &[u16] = &[
    1_433, 1_521, 2_181, 2_375, 3_306, 3_389, 5_432, 5_672, 5_900, 6_379, 9_042, 9_092, 11_211, 26_379,
    27_017,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, url: &str) -> Result<(), Forbidden> {
        guard.check(&Url::parse(url).expect(url))
    }

    #[test]
    fn special_addresses_are_refused_however_they_are_written() {
        let guard = Guard::default();
        for host in [
            "127.0.0.1",
            "127.255.255.255",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "168.63.129.16",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[100::1]",
            "[64:ff9b:1::1]",
            "[fd00:ec2::254]",
            "[::ffff:127.0.0.1]",
            "[::ffff:0:127.0.0.1]",
            "[::127.0.0.1]",
            "[::7f00:1]",
            "[64:ff9b::10.0.0.1]",
            "[2002:7f00:1::]",
            "[2002:a9fe:a9fe::1]",
            "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
            "[2001:0:7f00:1:8000:63bf:3fff:fdd2]",
            "[2a00:1450::5efe:192.168.0.1]",
            "[3fff::1]",
        ] {
            assert!(check(&guard, &format!("http://{host}/")).is_err(), "{host}");
        }
    }

    #[test]
    fn public_addresses_are_permitted() {
        let guard = Guard::default();
        for host in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[::ffff:1.1.1.1]",
            "[64:ff9b::1.1.1.1]",
            "[2002:101:101::1]",
            "[2001:4860::1]",
            "example.org",
        ] {
            assert_eq!(check(&guard, &format!("http://{host}/")), Ok(()), "{host}");
        }
    }

    #[test]
    fn an_allowed_network_is_permitted_but_not_the_metadata_in_it() {
        let nets =
            |nets: &[&str]| Guard::new(nets.iter().map(|net| net.parse().unwrap()).collect(), Vec::new());
        let guard = nets(&["127.0.0.0/8", "169.254.0.0/16", "fd00::/8"]);
        assert_eq!(check(&guard, "http://127.0.0.1:8080/"), Ok(()));
        assert_eq!(check(&guard, "http://[::ffff:127.0.0.1]/"), Ok(()));
        assert_eq!(check(&guard, "http://169.254.1.1/"), Ok(()));
        assert_eq!(check(&guard, "http://[fd00::1]/"), Ok(()));
        for host in ["10.0.0.1", "[::1]", "169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"] {
            assert!(check(&guard, &format!("http://{host}/")).is_err(), "{host}");
        }
        assert_eq!(check(&nets(&["169.254.169.254/32"]), "http://169.254.169.254/"), Ok(()));
    }

    #[test]
    fn an_own_address_is_refused_in_every_form_unless_it_is_allowed() {
        let read = || Ok(["93.184.216.200", "2606:4700::200"].map(|address| address.parse().unwrap()).into());
        let guard = |allow: &[&str]| {
            let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
            Guard::new(allow, Vec::new()).beside(Own::new(read, crate::clock::Clock::start()))
        };
        let forms = [
            "93.184.216.200",
            "1572395208",
            "[::ffff:93.184.216.200]",
            "[64:ff9b::93.184.216.200]",
            "[2002:5db8:d8c8::1]",
            "[2606:4700::200]",
        ];
        for host in forms {
            let why = check(&guard(&[]), &format!("http://{host}/")).expect_err(host);
            assert!(why.to_string().contains(" is one of this machine's own (--allow-private "), "{why}");
            let allowing = guard(&["93.184.216.0/24", "2606:4700::200/128"]);
            assert_eq!(check(&allowing, &format!("http://{host}/")), Ok(()), "{host}");
            assert_eq!(check(&Guard::default(), &format!("http://{host}/")), Ok(()), "{host}");
        }
        assert!(guard(&[]).check_named("example.org", [93, 184, 216, 200].into()).is_err());
        for host in ["93.184.216.201", "[2606:4700::201]", "[::ffff:93.184.216.201]"] {
            assert_eq!(check(&guard(&[]), &format!("http://{host}/")), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_name_of_the_inside_needs_an_allowed_address() {
        let private: IpAddr = [10, 0, 0, 1].into();
        let public: IpAddr = [1, 1, 1, 1].into();
        let metadata: IpAddr = [169, 254, 169, 254].into();
        let guard = Guard::default();
        let allowing = |net: &str| Guard::new(vec![net.parse().unwrap()], Vec::new());
        for name in
            ["localhost", "a.localhost", "printer.local", "api.internal", "router", "LOCALHOST.", "x.LAN"]
        {
            assert!(check(&guard, &format!("http://{name}/")).is_err(), "{name}");
            assert!(guard.check_named(name, public).is_err(), "{name}");
            assert!(allowing("10.0.0.0/8").check_named(name, public).is_err(), "{name}");
            assert_eq!(allowing("10.0.0.0/8").check_named(name, private), Ok(()), "{name}");
        }
        for name in ["example.org", "local.example.org", "internal.example", "localhost.example.com."] {
            assert_eq!(check(&guard, &format!("http://{name}/")), Ok(()), "{name}");
            assert_eq!(guard.check_named(name, public), Ok(()), "{name}");
            assert!(guard.check_named(name, private).is_err(), "{name}");
        }
        let name = "metadata.google.internal";
        assert!(allowing("0.0.0.0/0").check_named(name, metadata).is_err());
        assert!(allowing("0.0.0.0/0").check_named(name, private).is_err());
        assert_eq!(allowing("169.254.169.254/32").check_named(name, metadata), Ok(()));
    }

    #[test]
    fn nobody_is_asked_on_the_port_of_our_index_or_store() {
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], vec![7_000, 443]);
        assert_eq!(check(&guard, "http://127.0.0.1:7000/"), Err(Forbidden::OwnPort(7_000)));
        assert_eq!(check(&guard, "http://example.org:7000/"), Err(Forbidden::OwnPort(7_000)));
        assert_eq!(check(&guard, "http://example.org:443/"), Ok(()));
    }

    #[test]
    fn ports_of_other_protocols_are_refused() {
        assert!(BAD_PORTS.is_sorted() && SERVERS.is_sorted());
        for (port, expected) in
            [(0, false), (22, false), (25, false), (6_667, false), (80, true), (443, true), (8_080, true)]
        {
            assert_eq!(
                check(&Guard::default(), &format!("http://example.org:{port}/")).is_ok(),
                expected,
                "{port}"
            );
        }
    }
}
