//! Which shard holds what.

use crate::crawl::host::{HostKey, registrable_domain};
use crate::crawl::lease::{CrawlId, Token};
use crate::crawl::politeness::is_loopback;
use crate::crawl::url::UrlKey;
use crate::frontier::EntryId;

/// The shard of a host: that of its registrable domain or address, so that a rule about a domain touches one shard.
pub(super) fn of_host(host: &HostKey, shards: u32) -> u32 {
    let hash = blake3::hash(registrable_domain(host.host()).as_bytes());
    let number = u32::from_le_bytes(hash.as_bytes()[..4].try_into().expect("a hash has 32 bytes"));
    number % shards
}

/// The shard of the rules of a crawl.
pub(super) fn of_crawl(crawl: CrawlId, shards: u32) -> u32 {
    (crawl.0.unsigned_abs() % u64::from(shards)) as u32
}

/// What the seen-set keeps of a URL of a crawl, and in which shard.
pub(super) fn fingerprint(crawl: CrawlId, key: UrlKey, shards: u32) -> (u32, i64) {
    // The keys are hashes already; crawls differ by a multiple of an odd constant.
    let print = key.fingerprint() ^ crawl.0.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((print >> 40) as u32 % shards, print.cast_signed())
}

/// The token of a lease: the epoch, and a number that says the shard.
pub(super) fn token(epoch: u32, number: i64) -> Token {
    Token(i64::from(epoch) << 32 | number)
}

/// The number of a token in this epoch, and its shard.
pub(super) fn of_token(token: Token, epoch: u32, shards: u32) -> Option<(u32, i64)> {
    let number = token.0 & i64::from(u32::MAX);
    let is_ours = token.0 >= 0 && token.0 >> 32 == i64::from(epoch);
    is_ours.then_some(((number % i64::from(shards)) as u32, number))
}

/// The number of a stream entry over all shards: later ones of a shard have higher ones.
pub(super) fn entry(shard: u32, number: u64) -> EntryId {
    EntryId(number << 8 | u64::from(shard))
}

/// The shard of an entry and its number there.
pub(super) fn of_entry(id: EntryId) -> (u32, u64) {
    ((id.0 & 0xff) as u32, id.0 >> 8)
}

/// What scripts are told of a host beside its name: whether it is this machine, and twice the place in the name where its
/// registrable domain begins, counted from 1.
pub(super) fn kind(host: &HostKey) -> usize {
    let begins = host.domain().map_or(0, |domain| host.host().len() - domain.len() + 1);
    usize::from(is_loopback(host.host())) + 2 * begins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_in_one_shard_and_domains_are_in_all() {
        let shard = |host: &str| of_host(&HostKey::from_stored(host), 16);
        assert_eq!(shard("a.example.org"), shard("b.example.org:8080"));
        let used: std::collections::BTreeSet<_> = (0..500).map(|n| shard(&format!("d{n}.org"))).collect();
        assert_eq!(used.len(), 16);
    }

    #[test]
    fn scripts_are_told_where_a_domain_begins() {
        let kind = |host: &str| kind(&HostKey::from_stored(host));
        assert_eq!(["127.0.0.1:80", "localhost", "h", "[::1]:8080"].map(kind), [1, 1, 0, 1]);
        assert_eq!(["example.org", "www.example.org:8080"].map(kind), [2, 10]);
    }

    #[test]
    fn tokens_and_entries_say_their_shard() {
        let one = token(7, 3 * 16 + 5);
        assert_eq!(of_token(one, 7, 16), Some((5, 53)));
        assert_eq!(of_token(one, 8, 16), None);
        assert_eq!(of_token(Token(-1), 7, 16), None);
        assert_eq!(of_entry(entry(15, 9)), (15, 9));
    }
}
