//! What `tenfour check` and `tenfour policy test` say to people and scripts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Own",
      "Effect": "Allow",
      "Action": ["iot:Connect", "iot:Receive"],
      "Resource": [
        "arn:aws:iot:us-west-2:123456789012:client/${iot:Connection.Thing.ThingName}",
        "arn:aws:iot:us-west-2:123456789012:topic/rooms/${iot:Connection.Thing.Attributes[room]}"
      ]
    },
    {
      "Effect": "Deny",
      "Action": "iot:SendDirectMessage",
      "Resource": "*",
      "Condition": { "StringLike": { "iot:Topic": "secret/*" } }
    }
  ]
}
"#;

/// A configuration without TLS, and a registry with a lamp.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let id = "ab".repeat(32);
    for (name, text) in [
        (
            "tenfour.toml",
            "[listeners]\nmqtt = { address = \"127.0.0.1:0\", principal = \"certificates/lamp\" }\n",
        ),
        (
            "registry/certificates/lamp.toml",
            &format!("id = \"{id}\"\npolicies = [\"lamp\"]\nthings = [\"lamp-1\"]\n"),
        ),
        (
            "registry/certificates/old.toml",
            &format!("id = \"{}\"\nstatus = \"REVOKED\"\npolicies = [\"lamp\"]\n", "cd".repeat(32)),
        ),
        ("registry/things/lamp-1.toml", "[attributes]\nroom = \"attic\"\n"),
        ("registry/policies/lamp.json", POLICY),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn tenfour(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenfour"));
    command.current_dir(folder).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn policy_test(folder: &Path, principal: &str, action: &str, more: &[&str]) -> Output {
    let start = ["policy", "test", "--dir", ".", "--principal", principal, "--action", action];
    tenfour(folder, &[&start[..], more].concat())
}

#[test]
fn check_sums_up_a_good_folder() {
    let folder = folder();
    let output = tenfour(folder.path(), &["check", "--config", "tenfour.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    for line in
        ["ok: tenfour.toml", "  mqtt        127.0.0.1:0", "certificates: 2", "policies:     1"]
    {
        assert!(stdout(&output).lines().any(|found| found == line), "{}", stdout(&output));
    }
}

#[test]
fn check_finds_the_mistakes_of_configuration_and_registry_together() {
    let folder = folder();
    fs::write(folder.path().join("tenfour.toml"), "\nreggion = \"eu-central-1\"\n").unwrap();
    fs::write(folder.path().join("registry/things/lamp-1.toml"), "typ = \"lamp\"\n").unwrap();
    let output = tenfour(folder.path(), &["check", "--config", "tenfour.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "registry/things/lamp-1.toml:1: unknown key `typ`; did you mean `type`?\n\
                    tenfour.toml:2: unknown key `reggion`; did you mean `region`?\n";
    assert_eq!(stdout(&output), expected);
}

#[test]
fn check_says_so_when_there_is_no_registry() {
    let folder = folder();
    fs::rename(folder.path().join("registry"), folder.path().join("elsewhere")).unwrap();
    let output = tenfour(folder.path(), &["check", "--config", "tenfour.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("registry: cannot be listed"), "{}", stdout(&output));
}

#[test]
fn a_policy_test_knows_the_thing_of_the_connection() {
    let folder = folder();
    let attic = ["--resource", "topic/rooms/attic"];
    let with_client = [&attic[..], &["--client-id", "lamp-1"]].concat();
    let allowed = policy_test(folder.path(), "certificates/lamp", "iot:Receive", &with_client);
    assert_eq!(allowed.status.code(), Some(0), "{}", stderr(&allowed));
    assert!(stdout(&allowed).starts_with("ALLOWED\n"), "{}", stdout(&allowed));
    assert!(stdout(&allowed).contains("registry/policies/lamp.json:4"), "{}", stdout(&allowed));
    let denied = policy_test(folder.path(), "certificates/lamp", "iot:Receive", &attic);
    assert_eq!(denied.status.code(), Some(1), "over HTTP there is no thing");
    assert!(stdout(&denied).starts_with("DENIED\n"), "{}", stdout(&denied));
}

#[test]
fn a_connect_is_tested_under_the_client_id_it_is_about() {
    let folder = folder();
    let arn = "arn:aws:iot:us-west-2:123456789012:client/lamp-1";
    let output =
        policy_test(folder.path(), "certificates/lamp", "iot:Connect", &["--resource", arn]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

#[test]
fn a_policy_test_in_json_says_what_settled_it_and_what_was_ignored() {
    let folder = folder();
    let more = [
        "--resource",
        "client/lamp-1",
        "--context",
        "iot:Topic=secret/a",
        "--context",
        "iot:Tpic=x",
        "--json",
    ];
    let output = policy_test(folder.path(), "certificates/lamp", "iot:SendDirectMessage", &more);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json["allowed"], false);
    assert_eq!(json["decision"], "explicitDeny");
    assert_eq!(json["statement"]["policy"], "lamp");
    assert_eq!(json["statement"]["line"], 13);
    assert!(json["warnings"][0].as_str().unwrap().contains("did you mean iot:Topic?"));
}

#[test]
fn a_revoked_certificate_may_nothing() {
    let folder = folder();
    let more = ["--resource", "client/lamp-1", "--json"];
    let output = policy_test(folder.path(), "certificates/old", "iot:Connect", &more);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&json["allowed"], &json["status"]), (&false.into(), &"REVOKED".into()));
}

#[test]
fn a_policy_test_that_cannot_be_asked_ends_with_2() {
    let folder = folder();
    let ask = |principal, action, resource| {
        let output = policy_test(folder.path(), principal, action, &["--resource", resource]);
        assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
        stderr(&output)
    };
    let unknown = ask("certificates/lmp", "iot:Receive", "topic/a");
    assert!(unknown.contains("did you mean certificates/lamp?"), "{unknown}");
    assert!(ask("lamp", "iot:Receive", "topic/a").contains("expected certificates/NAME"));
    assert!(ask("certificates/lamp", "iot:Recieve", "topic/a").contains("is not an action"));
    assert!(ask("certificates/lamp", "iot:Receive", "lamp").contains("expected client/ID"));
    assert!(
        ask("certificates/lamp", "iot:Receive", "arn:aws:s3:::x").contains("expected arn:aws:iot")
    );
    fs::write(folder.path().join("tenfour.toml"), "x = 1").unwrap();
    assert!(ask("certificates/lamp", "iot:Receive", "topic/a").contains("tenfour.toml:1: unknown"));
}
