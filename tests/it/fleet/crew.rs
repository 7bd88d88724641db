//! The roles of an installation that run, and how they end.

use super::installation::{InHand, Installation};
use super::process::Role;
use std::time::Duration;

/// After SIGTERM a process has ended within this: what is in hand may take ten seconds.
const DRAIN: Duration = Duration::from_secs(12);

/// Processes of an installation, in no order that matters.
#[derive(Default)]
pub(crate) struct Crew {
    pub(crate) schedulers: Vec<Role>,
    pub(crate) nodes: Vec<Role>,
    pub(crate) storages: Vec<Role>,
}

impl Installation {
    /// One scheduler, to which the seeds are given, and so many nodes and storage stages.
    pub(crate) fn crew(&self, nodes: usize, storages: usize) -> Crew {
        Crew {
            schedulers: vec![self.scheduler("1", &["seeds.txt"])],
            nodes: (0..nodes).map(|n| self.node(&n.to_string())).collect(),
            storages: (0..storages).map(|n| self.storage(&n.to_string())).collect(),
        }
    }

    /// What is in hand while every node and storage stage stands still for a moment.
    pub(crate) fn in_hand_standing(&self, crew: &Crew) -> InHand {
        let roles = || crew.nodes.iter().chain(&crew.storages);
        roles().for_each(Role::freeze);
        let in_hand = self.in_hand();
        roles().for_each(Role::thaw);
        in_hand
    }

    /// Kills a process. It stands still first, so that what is in hand at its death can be counted.
    pub(crate) fn kill(&self, role: Role) -> InHand {
        role.freeze();
        let in_hand = self.in_hand();
        role.kill();
        in_hand
    }
}

impl Crew {
    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Role> {
        self.schedulers.iter_mut().chain(&mut self.nodes).chain(&mut self.storages)
    }

    /// Nothing but a signal has ended one of them.
    pub(crate) fn assert_all_run(&mut self) {
        for role in self.all() {
            let ended = role.ended();
            assert_eq!(ended, None, "a process ended by itself: {}", role.said());
        }
    }

    /// All of them end in good order.
    pub(crate) fn end(mut self) {
        self.assert_all_run();
        let Self { schedulers, nodes, storages } = self;
        for role in nodes.into_iter().chain(storages).chain(schedulers) {
            let said = role.said();
            let (code, took) = role.end();
            assert_eq!(code, Some(0), "{said}");
            assert!(took < DRAIN, "it took {took:?} to end: {said}");
        }
    }
}
