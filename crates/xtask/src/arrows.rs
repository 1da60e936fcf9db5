//! `cargo xtask arrows`: which crate may know which. The table here is the one place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::repository::Repository;

/// The crates a workspace crate may depend on.
enum Allowed {
    /// These and no others.
    Only(&'static [&'static str]),
    /// All but these.
    AllBut(&'static [&'static str]),
}

/// One row of the dependency direction.
struct Row {
    name: &'static str,
    allowed: Allowed,
    /// Whether the crate may reach the outside world: an async runtime, sockets, HTTP.
    io: bool,
}

const fn pure(name: &'static str, allowed: &'static [&'static str]) -> Row {
    Row { name, allowed: Allowed::Only(allowed), io: false }
}

const fn shell(name: &'static str, allowed: &'static [&'static str]) -> Row {
    Row { name, allowed: Allowed::Only(allowed), io: true }
}

/// The dependency direction (ARCHITECTURE.md).
const TABLE: [Row; 18] = [
    pure("mqtt", &[]),
    pure("policy", &[]),
    pure("identity", &[]),
    pure("shadow", &[]),
    pure("engine", &["mqtt", "policy", "shadow"]),
    pure("registry", &["engine", "policy"]),
    pure("store", &["engine", "mqtt", "registry"]),
    shell("store-embedded", &["store"]),
    shell("telemetry", &["engine", "mqtt"]),
    shell("reactor", &[]),
    shell("broker", &["engine", "mqtt", "policy", "reactor", "shadow", "store", "telemetry"]),
    shell(
        "api",
        &[
            "broker",
            "engine",
            "identity",
            "mqtt",
            "policy",
            "registry",
            "shadow",
            "store",
            "telemetry",
        ],
    ),
    shell("client", &["identity", "mqtt"]),
    Row {
        name: "server",
        allowed: Allowed::AllBut(&["counts", "crash", "load", "xtask"]),
        io: true,
    },
    shell("crash", &["mqtt"]),
    shell("counts", &["engine", "identity", "mqtt", "policy", "telemetry"]),
    shell("load", &["client", "identity", "mqtt"]),
    shell("xtask", &[]),
];

/// Crates that do I/O, which a crate without I/O may not depend on. (rustls is not one of them: it
/// turns bytes into bytes.)
const IO_CRATES: [&str; 11] = [
    "async-std",
    "hyper",
    "hyper-util",
    "mio",
    "reqwest",
    "smol",
    "socket2",
    "tokio",
    "tokio-rustls",
    "tokio-tungstenite",
    "tokio-util",
];

/// Dependencies by crate: its workspace crates and its other crates, normal kind only.
type Edges = BTreeMap<String, BTreeSet<String>>;

/// The chore.
pub(crate) fn run(repository: &Repository) -> Outcome {
    let edges = normal_edges(repository.metadata());
    let violations = violations(&edges);
    if violations.is_empty() {
        println!("{} crates depend on each other as the table allows", edges.len());
        return Ok(());
    }
    for violation in &violations {
        println!("{violation}");
    }
    Err(Failure::new(format!("{} wrong dependencies between crates", violations.len())))
}

fn normal_edges(metadata: &Value) -> Edges {
    let mut edges = Edges::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let Some(name) = package["name"].as_str() else { continue };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let names = dependencies
            // Cargo writes null for a normal dependency, "dev" and "build" for the others.
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .map(str::to_owned)
            .collect();
        edges.insert(name.to_owned(), names);
    }
    edges
}

fn violations(edges: &Edges) -> Vec<String> {
    let mut found = Vec::new();
    for (name, dependencies) in edges {
        let Some(row) = TABLE.iter().find(|row| row.name == name) else {
            found.push(format!(
                "crates/{name}: not in the table of crates/xtask/src/arrows.rs; add a row that \
                 says what it may depend on"
            ));
            continue;
        };
        for dependency in dependencies {
            if edges.contains_key(dependency) && !allows(row, dependency) {
                found.push(format!(
                    "crates/{name}/Cargo.toml: depends on {dependency}; it may depend on {}",
                    describe(&row.allowed)
                ));
            }
            if !row.io && IO_CRATES.contains(&dependency.as_str()) {
                found.push(format!(
                    "crates/{name}/Cargo.toml: depends on {dependency}, but {name} decides \
                     without I/O; take the effect to broker, api or server"
                ));
            }
        }
    }
    found
}

fn allows(row: &Row, dependency: &str) -> bool {
    match row.allowed {
        Allowed::Only(names) => names.contains(&dependency),
        Allowed::AllBut(names) => !names.contains(&dependency),
    }
}

fn describe(allowed: &Allowed) -> String {
    match allowed {
        Allowed::Only([]) => "no crate of the workspace".to_owned(),
        Allowed::Only(names) => format!("{} only", names.join(", ")),
        Allowed::AllBut(names) => format!("all crates but {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(list: &[(&str, &[&str])]) -> Edges {
        let mut edges = Edges::new();
        for (name, dependencies) in list {
            let dependencies = dependencies.iter().map(|name| (*name).to_owned()).collect();
            edges.insert((*name).to_owned(), dependencies);
        }
        edges
    }

    #[test]
    fn allowed_arrows_pass() {
        let good = edges(&[("mqtt", &["bytes"]), ("policy", &[]), ("engine", &["mqtt", "policy"])]);
        assert!(violations(&good).is_empty());
    }

    #[test]
    fn a_backward_arrow_is_named_with_what_would_be_right() {
        let found = violations(&edges(&[("mqtt", &["engine"]), ("engine", &[])]));
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("crates/mqtt/Cargo.toml: depends on engine"));
        assert!(found[0].contains("no crate of the workspace"));
    }

    #[test]
    fn a_runtime_below_a_crate_without_io_is_refused() {
        let found = violations(&edges(&[("engine", &["tokio"])]));
        assert!(found[0].contains("without I/O"));
    }

    #[test]
    fn a_crate_without_a_row_is_refused() {
        assert!(violations(&edges(&[("newcomer", &[])]))[0].contains("not in the table"));
    }

    #[test]
    fn nobody_depends_on_the_tools() {
        assert_eq!(violations(&edges(&[("server", &["load"]), ("load", &[])])).len(), 1);
    }

    #[test]
    fn development_dependencies_are_no_arrows() {
        let metadata = serde_json::json!({"packages": [{"name": "mqtt", "dependencies": [
            {"name": "engine", "kind": "dev"}, {"name": "bytes", "kind": null},
        ]}]});
        assert_eq!(normal_edges(&metadata), edges(&[("mqtt", &["bytes"])]));
    }
}
