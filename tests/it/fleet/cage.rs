//! A control group with little memory, in which the kernel kills who wants more.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) struct Cage(PathBuf);

impl Cage {
    /// A group that may use so many bytes. Needs the right to make one, as root has.
    pub(crate) fn of(bytes: u64) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("huntsman-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        for (root, limit) in
            [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]
        {
            let group = PathBuf::from(root).join(&name);
            if std::fs::create_dir(&group).is_ok() {
                if std::fs::write(group.join(limit), bytes.to_string()).is_ok() {
                    return Self(group);
                }
                _ = std::fs::remove_dir(&group);
            }
        }
        panic!("no control group for memory can be made here: run the tests as root, with cgroups mounted");
    }

    /// Puts a process into it.
    pub(crate) fn take(&self, process: u32) {
        std::fs::write(self.0.join("cgroup.procs"), process.to_string()).unwrap();
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        // Those in it may still be on their way out.
        for _ in 0..200 {
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
