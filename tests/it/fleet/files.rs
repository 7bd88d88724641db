//! Files whose bytes are not what was written.

use super::faults::held;
use super::installation::{Installation, Plan};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

fn flip(file: &Path, at: u64) {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
}

/// F36: a flipped bit in the file of Redis: it does not start, the roles wait, and an empty one is filled again.
#[test]
fn a_damaged_file_of_redis_is_no_loss() {
    let settings: &[&str] = &["--appendonly", "yes", "--aof-use-rdb-preamble", "no"];
    let mut installation = Installation::start(Plan { redis_settings: settings, ..Plan::default() });
    let mut crew = installation.crew(2, 1);
    installation.wait_for_share(40);
    let in_hand = installation.in_hand_standing(&crew);
    installation.redis().stop();
    let folder = installation.redis().folder().join("appendonlydir");
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let file = files.max_by_key(|file| file.metadata().unwrap().len()).unwrap();
    let text = std::fs::read(&file).unwrap();
    // The length of an argument: what follows cannot be read.
    let at = text.windows(2).skip(text.len() / 2).position(|two| two == b"\n$").unwrap() + text.len() / 2;
    flip(&file, at as u64 + 2);
    installation.redis().start_again();
    std::thread::sleep(Duration::from_secs(1));
    let refuses = !installation.redis().is_up();
    crew.assert_all_run();
    if refuses {
        std::fs::remove_dir_all(&folder).unwrap();
        installation.redis().stop();
        installation.redis().start_again();
    }
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand.all().max(installation.plan.hosts as usize));
    crew.end();
    assert!(refuses, "Redis took the damaged file");
    let seen = format!("Redis refused the file, an empty one was filled; {verdict}");
    held("F36", "a_damaged_file_of_redis_is_no_loss", &seen);
}

/// F36: a flipped bit in a table of Postgres: whoever reads it says so and ends; nothing is taken for finished.
#[test]
fn a_damaged_table_of_postgres_is_refused_loudly() {
    let installation = Installation::start(Plan { own_postgres: true, ..Plan::default() });
    let mut crew = installation.crew(2, 1);
    installation.wait_for_share(40);
    let server = installation.server();
    let file = installation.texts("SELECT pg_relation_filepath('urls')").remove(0);
    server.signal("INT");
    std::thread::sleep(Duration::from_millis(500));
    let data = server.data();
    let checksums = crate::servers::postgres::program("pg_checksums");
    installation.runtime.block_on(async {
        server.wait_until_ended().await;
        let told = server.command(&checksums).arg("--enable").arg("-D").arg(&data).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        flip(&data.join(&file), 4_000);
        server.run_again().await;
    });
    let said = |crew: &super::crew::Crew| crew.storages[0].said() + &crew.schedulers[0].said();
    installation.wait("word of the damage", Duration::from_secs(30), || {
        said(&crew).contains("the database is damaged")
    });
    installation.wait("a process that ends", Duration::from_secs(30), || {
        crew.storages[0].ended().is_some() || crew.schedulers[0].ended().is_some()
    });
    let finished = installation.number("SELECT count(*) FROM crawls WHERE state = 'finished'");
    assert_eq!(finished, Some(0), "never finished with a table that cannot be read");
    let codes = [crew.storages[0].ended(), crew.schedulers[0].ended()];
    held(
        "F36",
        "a_damaged_table_of_postgres_is_refused_loudly",
        &format!("storage and scheduler ended with {codes:?}"),
    );
}
