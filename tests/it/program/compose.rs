//! `docker-compose.yml` and the `Dockerfile`: no engine builds them here, but what stands in them is held against the program.

use clap::Parser;
use huntsman::cli::Cli;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The file, as another program's parser reads it, with its anchors and merges.
fn compose() -> Value {
    let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker-compose.yml");
    let output = Command::new("python3").args(["-c", read]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn words(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

fn accepted(command: &[String]) {
    if let Err(why) = Cli::try_parse_from(command) {
        panic!("{command:?}: {why}");
    }
}

#[test]
fn every_command_of_the_compose_file_is_one_of_ours() {
    let services = compose()["services"].as_object().unwrap().clone();
    let ours: Vec<_> = services.iter().filter(|(_, service)| service["image"] == "huntsman").collect();
    let names: Vec<_> = ours.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["node", "operator", "scheduler", "storage"]);
    for (name, service) in ours {
        // The entry point of the image is the program.
        let command = [vec!["huntsman".to_owned()], words(&service["command"])].concat();
        assert!(name == "operator" || command[1] == *name, "{name}: {command:?}");
        accepted(&command);
        let knows = |variable: &str| service["environment"][variable].is_string();
        assert!(knows("HUNTSMAN_FRONTIER") && knows("HUNTSMAN_STORE") == (name != "node"), "{name}");
        if name == "operator" {
            continue;
        }
        let health = words(&service["healthcheck"]["test"]);
        assert_eq!(health[0], "CMD", "{name}");
        accepted(&health[1..]);
        assert_eq!(service["stop_grace_period"], "15s", "longer than a drain");
        assert!(service["container_name"].is_null() && service["ports"].is_null(), "{name} can be scaled");
    }
    for line in read("docker-compose.yml").lines() {
        if let Some((_, command)) = line.split_once("operator ").filter(|_| line.starts_with('#')) {
            let command = command.split("  ").next().unwrap();
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            accepted(&[vec!["huntsman".to_owned()], words].concat());
        }
    }
}

#[test]
fn the_servers_of_the_compose_file_are_what_the_index_and_the_store_need() {
    let services = compose()["services"].clone();
    let redis = words(&services["redis"]["command"]).join(" ");
    assert!(redis.contains("--maxmemory-policy noeviction") && redis.contains("--appendonly no"), "{redis}");
    assert!(redis.contains("--save  "), "no persistence: {redis}");
    for server in ["redis", "postgres"] {
        let service = &services[server];
        assert!(service["ports"].is_null() && service["healthcheck"]["test"].is_array(), "{server}");
        let image = service["image"].as_str().unwrap();
        assert!(image.starts_with(&format!("{server}:")), "an official image: {image}");
    }
}

#[test]
fn the_image_is_built_in_two_steps_and_runs_as_nobody_in_particular() {
    let file = read("Dockerfile");
    let froms: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert!(
        froms.len() == 2 && froms[0].starts_with("rust:") && froms[1].starts_with("debian:"),
        "{froms:?}"
    );
    let last = file.rsplit("FROM ").next().unwrap();
    assert!(last.contains("\nUSER 10001") && last.contains("ENTRYPOINT [\"huntsman\"]"), "{last}");
    for (word, why) in [("curl", "a download"), ("wget", "a download"), ("ADD ", "a download")] {
        assert!(!file.contains(word), "{why}: {word}");
    }
    for copied in file.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        for source in copied.split_whitespace().rev().skip(1).filter(|source| !source.starts_with('-')) {
            let here = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
            assert!(here.exists() || source.starts_with("/build/"), "{source} is not there");
        }
    }
}
