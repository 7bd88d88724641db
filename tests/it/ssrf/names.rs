//! A server of names that lies as a test wants (RFC 1035, as much of it as an answer with addresses needs).

use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The addresses of a name. Called with the name, in lower case, and whether IPv6 ones are asked for.
pub(super) type Book = dyn Fn(&str, bool) -> Vec<IpAddr> + Send + Sync;

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;

/// Answers on the usual port of loopback until the process ends; counts the answers.
pub(super) fn serve(book: Arc<Book>) -> Arc<AtomicU64> {
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    let answers = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&answers);
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            if let Some(answer) = answer(&query[..length], &*book) {
                counted.fetch_add(1, Ordering::Relaxed);
                _ = socket.send_to(&answer, from);
            }
        }
    });
    answers
}

fn answer(query: &[u8], book: &Book) -> Option<Vec<u8>> {
    let mut name = String::new();
    let mut at = 12;
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        name.push_str(std::str::from_utf8(query.get(at..at + length)?).ok()?);
        name.push('.');
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    let question = query.get(12..at + 4)?;
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let wanted =
        |address: &IpAddr| matches!((address, kind), (IpAddr::V4(_), TYPE_A) | (IpAddr::V6(_), TYPE_AAAA));
    let found: Vec<IpAddr> = match kind {
        TYPE_A | TYPE_AAAA => book(&name, kind == TYPE_AAAA).into_iter().filter(wanted).collect(),
        _ => Vec::new(),
    };
    let mut out = query[..2].to_vec();
    out.extend([0x85, 0x80, 0, 1]);
    out.extend((found.len() as u16).to_be_bytes());
    out.extend([0, 0, 0, 0]);
    out.extend(question);
    for address in found {
        out.extend([0xC0, 12]);
        out.extend(kind.to_be_bytes());
        // Of the internet, and not to be kept.
        out.extend([0, 1, 0, 0, 0, 0]);
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        out.extend((octets.len() as u16).to_be_bytes());
        out.extend(octets);
    }
    Some(out)
}
