//! A tool alone is built from the very crates that all tools are built from, so that `make dev` builds none of them again.

use std::{collections::BTreeSet, process::Command};

use mes_golden::shell;
use serde_json::Value;

/// Returns other people's crates that `selected` packages are built and tested with, each with its features.
fn crates(selected: &[&str]) -> BTreeSet<String> {
    let output = Command::new("cargo")
        .args(["tree", "--offline", "--locked", "--prefix", "none", "--edges", "normal,build,dev"])
        .args(["--format", "{p} [{f}]"])
        .args(selected)
        .current_dir(shell::root())
        .output()
        .expect("cargo");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{selected:?}: {}", String::from_utf8_lossy(&output.stderr));
    let others = text.lines().filter(|line| !line.contains(" (/"));
    others.map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn a_tool_alone_is_built_with_the_features_of_all() {
    let all = crates(&["--workspace"]);
    assert!(all.len() > 200, "{} crates", all.len());
    for package in [
        "mes-core",
        "mes-bars",
        "mes-fetch",
        "mes-risk",
        "mes-bt",
        "mes-train",
        "mes-nets",
        "mes-projectx",
        "mes-sim",
        "mes-alert",
        "mes-watch",
        "mes",
    ] {
        let other: Vec<_> = crates(&["--package", package]).difference(&all).cloned().collect();
        assert!(
            other.is_empty(),
            "{package}: add these to tools/workspace-hack/Cargo.toml:\n{}",
            other.join("\n")
        );
    }
}

/// What trades waits in threads and on descriptors; the exchange to practise on and the page of the day serve by libraries
/// that need tokio, and `mes` holds the tools side by side.
#[test]
fn nothing_but_what_serves_is_asynchronous() {
    let serves = ["mes-sim", "mes-watch", "mes"];
    let metadata = crate::tidy::metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let name = |id: &str| {
        let packages = metadata["packages"].as_array().expect("packages");
        let package = packages.iter().find(|package| package["id"] == id).expect("a package");
        package["name"].as_str().unwrap_or_default().to_owned()
    };
    let below = |id: &str| -> Vec<String> {
        let node = nodes.iter().find(|node| node["id"] == id).expect("a node");
        let edges = node["deps"].as_array().expect("deps").iter();
        // A test may run the exchange in its own process.
        let built = |edge: &&Value| {
            edge["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
        };
        // Named for a feature of lettre that nobody asks for; cargo tree does not have it.
        let asked = |edge: &&Value| edge["name"] != "tokio1_crate";
        edges.filter(built).filter(asked).filter_map(|edge| edge["pkg"].as_str().map(str::to_owned)).collect()
    };
    let members = metadata["workspace_members"].as_array().expect("members").iter();
    let mut waiting: Vec<String> = members.filter_map(|id| id.as_str().map(str::to_owned)).collect();
    waiting.retain(|id| !serves.contains(&name(id).as_str()));
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if seen.insert(id.clone()) {
            assert!(name(&id) != "tokio", "something but {serves:?} needs tokio");
            waiting.extend(below(&id));
        }
    }
    assert!(seen.len() > 100);
}
