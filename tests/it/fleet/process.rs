//! A process of an installation: started with a log of its own, killed, frozen, woken and ended from outside.

use super::form;
use crate::program::wait_until;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A role that runs; killed with the test.
pub(crate) struct Role {
    child: Child,
    log: PathBuf,
}

impl Role {
    /// Starts the binary under test; what it says is added to `log` in `folder`.
    pub(crate) fn start(
        folder: &Path,
        log: &str,
        arguments: &[String],
        variables: &[(String, String)],
    ) -> Self {
        let log = folder.join(log);
        let said = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(form::binary());
        command.current_dir(folder).args(arguments).arg("--no-config");
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(said));
        Self { child: command.spawn().unwrap(), log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What this process and those before it under the same name have said.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        assert!(try_signal(self.id(), name), "kill -{name} {}: {}", self.id(), self.said());
    }

    /// SIGKILL; the process is gone when this returns.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGSTOP; the process stands when this returns.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
        let id = self.id();
        wait_until("the process stands", || {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
        });
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    /// The exit code, if it has ended by itself; -1 where a signal ended it.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
    }

    /// SIGTERM; answers with its exit code and how long it took.
    pub(crate) fn end(mut self) -> (Option<i32>, Duration) {
        #[expect(clippy::disallowed_methods, reason = "real processes, real time")]
        let asked = Instant::now();
        self.signal("TERM");
        let code = self.child.wait().unwrap().code();
        (code, asked.elapsed())
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // One that has ended is no failure.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends a signal, by its name, to a process of ours; `false` where it has gone.
pub(crate) fn try_signal(id: u32, name: &str) -> bool {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).arg(id.to_string()).stderr(Stdio::null()).status().unwrap().success()
}
