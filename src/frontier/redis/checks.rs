//! What a server must be before it may hold an index; each refusal says what to do.

use crate::frontier::FrontierError;

/// The oldest version whose scripts can say what they need.
const OLDEST: (u32, u32) = (7, 0);

/// What a server says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) run_id: String,
    version: String,
    policy: String,
    role: String,
    cluster: String,
}

impl Server {
    /// Reads the answer to `INFO`.
    pub(super) fn parse(info: &str) -> Self {
        let field = |name: &str| {
            let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.unwrap_or_default().trim().to_owned()
        };
        Self {
            run_id: field("run_id"),
            version: field("redis_version"),
            policy: field("maxmemory_policy"),
            role: field("role"),
            cluster: field("cluster_enabled"),
        }
    }

    /// Refuses a server that would lose or forget what it is told.
    pub(super) fn check(&self) -> Result<(), FrontierError> {
        let unusable = |why: String| Err(FrontierError::Unusable(why));
        let mut numbers = self.version.split('.').map(|part| part.parse().unwrap_or(0));
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version < OLDEST {
            let (major, minor) = OLDEST;
            return unusable(format!(
                "the server has version {:?}: use Redis {major}.{minor} or newer, or Valkey",
                self.version
            ));
        }
        if self.policy != "noeviction" {
            return unusable(format!(
                "the server throws keys away when its memory is full (maxmemory-policy is {:?}): \
                 CONFIG SET maxmemory-policy noeviction, and the same in its configuration file",
                self.policy
            ));
        }
        if self.cluster == "1" {
            return unusable(
                "the server is a node of a Redis Cluster, which holds a part of the keys: give the address of one server of its \
                 own (cluster-enabled no), whose memory is enough for one installation"
                    .into(),
            );
        }
        if !matches!(&*self.role, "master" | "") {
            return unusable("the server is a replica: give the address of its master".into());
        }
        Ok(())
    }
}

/// Refuses a server that keeps sets of 512 numbers in eight times the memory.
pub(super) fn check_encoding(encoding: &str) -> Result<(), FrontierError> {
    if encoding == "intset" {
        return Ok(());
    }
    Err(FrontierError::Unusable(format!(
        "the server keeps a set of 512 numbers as {encoding}, in eight times the memory: CONFIG SET set-max-intset-entries \
         512 or more, and the same in its configuration file"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n# Memory\r\nmaxmemory_policy:noeviction\r\nrole:master\r\n# Cluster\r\ncluster_enabled:0\r\n";

    #[test]
    fn a_server_is_refused_with_what_to_do() {
        assert!(Server::parse(GOOD).check().is_ok());
        assert_eq!(Server::parse(GOOD).run_id, "abc");
        for (good, bad, advice) in [
            ("7.0.15", "6.2.14", "7.0 or newer"),
            ("noeviction", "allkeys-lru", "CONFIG SET maxmemory-policy noeviction"),
            ("master", "slave", "its master"),
            ("cluster_enabled:0", "cluster_enabled:1", "one server of its own"),
        ] {
            let why = Server::parse(&GOOD.replace(good, bad)).check().unwrap_err().to_string();
            assert!(why.contains(advice), "{why}");
        }
        assert!(check_encoding("hashtable").unwrap_err().to_string().contains("set-max-intset-entries"));
        assert!(Server::parse("nonsense").check().is_err());
    }
}
