//! The scripts that run in the server: each begins with the parts that it shares with others.

const CORE: &str = include_str!("lua/core.lua");
const BUCKETS: &str = include_str!("lua/buckets.lua");
const CRAWLS: &str = include_str!("lua/crawls.lua");
const HOSTS: &str = include_str!("lua/hosts.lua");

/// A script, by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Acknowledge,
    Admit,
    Beat,
    Blocked,
    Borrow,
    Counts,
    Forget,
    HandOff,
    Lease,
    Low,
    MakeRoom,
    Mark,
    Nodes,
    Open,
    Paces,
    Probe,
    Refilling,
    /// [`Script::Admit`] where memory is full: it queues nothing.
    Refuse,
    Release,
    Remind,
    Renew,
    Rules,
    Seen,
    Settings,
    Take,
    Unseen,
    Version,
}

/// When a script may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// Not where the memory is full: it brings more in.
    Takes,
    /// Always: it lets out, or what it takes is bounded by what was leased before.
    Drains,
    /// Always: it writes nothing.
    Reads,
}

impl Script {
    /// All of them, in the order of their numbers.
    pub(super) const ALL: [Self; 27] = [
        Self::Acknowledge,
        Self::Admit,
        Self::Beat,
        Self::Blocked,
        Self::Borrow,
        Self::Counts,
        Self::Forget,
        Self::HandOff,
        Self::Lease,
        Self::Low,
        Self::MakeRoom,
        Self::Mark,
        Self::Nodes,
        Self::Open,
        Self::Paces,
        Self::Probe,
        Self::Refilling,
        Self::Refuse,
        Self::Release,
        Self::Remind,
        Self::Renew,
        Self::Rules,
        Self::Seen,
        Self::Settings,
        Self::Take,
        Self::Unseen,
        Self::Version,
    ];

    fn parts(self) -> (Memory, &'static [&'static str]) {
        use Memory::{Drains, Reads, Takes};
        match self {
            Self::Acknowledge => (Drains, &[CORE, HOSTS, include_str!("lua/acknowledge.lua")]),
            Self::Admit => (Takes, &[CORE, HOSTS, include_str!("lua/admit.lua")]),
            Self::Beat => (Drains, &[CORE, include_str!("lua/beat.lua")]),
            Self::Blocked => (Reads, &[CORE, HOSTS, include_str!("lua/blocked.lua")]),
            Self::Borrow => (Drains, &[CORE, HOSTS, include_str!("lua/borrow.lua")]),
            Self::Counts => (Reads, &[CORE, HOSTS, include_str!("lua/counts.lua")]),
            Self::Forget => (Drains, &[CORE, HOSTS, CRAWLS, include_str!("lua/forget.lua")]),
            Self::HandOff => (Drains, &[CORE, HOSTS, include_str!("lua/hand_off.lua")]),
            Self::Lease => (Drains, &[CORE, HOSTS, include_str!("lua/lease.lua")]),
            Self::Low => (Reads, &[CORE, HOSTS, include_str!("lua/low.lua")]),
            Self::MakeRoom => (Drains, &[CORE, HOSTS, include_str!("lua/make_room.lua")]),
            Self::Mark => (Drains, &[include_str!("lua/mark.lua")]),
            Self::Nodes => (Drains, &[CORE, include_str!("lua/nodes.lua")]),
            Self::Open => (Takes, &[CORE, include_str!("lua/open.lua")]),
            Self::Paces => (Takes, &[CORE, HOSTS, include_str!("lua/paces.lua")]),
            Self::Probe => (Drains, &[include_str!("lua/probe.lua")]),
            Self::Refilling => (Drains, &[CORE, include_str!("lua/refilling.lua")]),
            Self::Refuse => (Drains, &[CORE, HOSTS, include_str!("lua/admit.lua")]),
            Self::Release => (Drains, &[CORE, HOSTS, include_str!("lua/release.lua")]),
            Self::Remind => (Drains, &[CORE, HOSTS, include_str!("lua/remind.lua")]),
            Self::Renew => (Drains, &[CORE, include_str!("lua/renew.lua")]),
            Self::Rules => (Takes, &[CORE, include_str!("lua/rules.lua")]),
            Self::Seen => (Takes, &[CORE, BUCKETS, include_str!("lua/seen.lua")]),
            Self::Settings => (Drains, &[CORE, CRAWLS, include_str!("lua/settings.lua")]),
            Self::Take => (Drains, &[CORE, include_str!("lua/take.lua")]),
            Self::Unseen => (Reads, &[CORE, BUCKETS, include_str!("lua/unseen.lua")]),
            Self::Version => (Drains, &[CORE, include_str!("lua/version.lua")]),
        }
    }

    /// The text that the server is given.
    pub(super) fn text(self) -> String {
        let (memory, parts) = self.parts();
        let flags = match memory {
            Memory::Takes => "#!lua\n",
            Memory::Drains => "#!lua flags=allow-oom\n",
            Memory::Reads => "#!lua flags=no-writes,allow-oom\n",
        };
        flags.to_owned() + &parts.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::Script;

    #[test]
    fn every_script_stands_at_its_number_and_says_what_it_promises() {
        for (number, script) in Script::ALL.into_iter().enumerate() {
            assert_eq!(script as usize, number, "{script:?}");
            let (_, parts) = script.parts();
            assert!(parts.iter().all(|part| part.starts_with("-- ")), "{script:?} begins with a comment");
            assert!(script.text().starts_with("#!lua"), "refused where it may not run");
        }
    }

    #[test]
    fn the_probe_tries_every_command_of_every_script() {
        let probe = Script::Probe.text();
        for script in Script::ALL {
            let text = script.text();
            for call in text.split("redis.call(").skip(1) {
                // One that is named by an argument is named where that is given.
                let Some(command) = call.strip_prefix('\'').and_then(|rest| rest.split('\'').next()) else {
                    assert!(call.starts_with("command,"), "{call}");
                    continue;
                };
                assert!(probe.contains(&format!("'{command}'")), "{script:?} needs {command}");
            }
        }
    }
}
