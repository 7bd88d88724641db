//! Tests that run once more in a network of their own, in which they may have any address and any port. Only who may make a network
//! namespace, as root may, can run them.

use huntsman::settings::environment::variable;
use std::process::Command;

/// Says to the process inside which test it is to go on with.
const INSIDE: &str = "TEST_INSIDE";

/// Runs the test of this name once more, in a network whose server of names is 127.0.0.1 with these `options` (resolv.conf(5)), after
/// `set_up`, commands of a shell. Answers with what it printed; within that network with `None`: go on.
#[track_caller]
pub(crate) fn again_inside(test: &str, options: &str, set_up: &str) -> Option<String> {
    if variable(INSIDE).is_some_and(|inside| inside == test) {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let resolv = folder.path().join("resolv.conf");
    std::fs::write(&resolv, format!("nameserver 127.0.0.1\noptions {options}\n")).unwrap();
    let script = format!("{set_up} && mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"");
    let output = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-c", &script])
        .arg(&resolv)
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, test)
        .output()
        .expect("unshare(1) and ip(8)");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{test}: {said}");
    assert!(said.contains("1 passed"), "no such test: {test}: {said}");
    Some(said)
}
