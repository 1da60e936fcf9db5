//! The server's data folder: certificates of `tenfour dev`, everything else written here.

use std::fs;
use std::path::{Path, PathBuf};

use super::lab::Setup;
use crate::failure::{Failure, Outcome};

/// The access key of the senders. It signs for nobody outside the data folder.
pub(super) const ACCESS_KEY_ID: &str = "AKIALOADLOADLOADLOAD";
/// Its secret.
pub(super) const SECRET_ACCESS_KEY: &str = "bench/secret/of/the/load/senders/0000000";
/// The region of signatures.
pub(super) const REGION: &str = "us-west-2";

/// Who may use the plain HTTP listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Senders {
    /// Everybody, unsigned.
    Open,
    /// Whoever signs.
    Signed,
}

/// How many threads serve connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    /// One.
    One,
    /// One for each core, which is what a server does that is not told otherwise.
    OneACore,
}

/// Whom the registry knows besides those who take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registry {
    /// Hardly anybody.
    Small,
    /// [`OTHERS`] more devices and as many senders, with a policy each.
    Large,
}

/// How many others a large registry has.
pub(super) const OTHERS: u32 = 1_000;

impl Registry {
    /// Its folder.
    fn folder(self) -> &'static str {
        match self {
            Self::Small => "registry",
            Self::Large => "registry-large",
        }
    }
}

/// Devices of all modes of the load generator: several statements with policy variables, as a
/// fleet's policy has them. What the load uses is neither first nor alone.
const DEVICE_POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect",
     "Resource": "arn:aws:iot:us-west-2:123456789012:client/load-*"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:RetainPublish"],
     "Resource": ["arn:aws:iot:us-west-2:123456789012:topic/devices/${iot:ClientId}/telemetry",
                  "arn:aws:iot:us-west-2:123456789012:topic/devices/${iot:ClientId}/state/*"]},
    {"Effect": "Allow", "Action": "iot:Subscribe",
     "Resource": "arn:aws:iot:us-west-2:123456789012:topicfilter/devices/${iot:ClientId}/*"},
    {"Effect": "Allow", "Action": "iot:Receive",
     "Resource": ["arn:aws:iot:us-west-2:123456789012:topic/devices/${iot:ClientId}/*",
                  "arn:aws:iot:us-west-2:123456789012:topic/load/messages"]},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"],
     "Resource": ["arn:aws:iot:us-west-2:123456789012:topic/load/pubsub/*",
                  "arn:aws:iot:us-west-2:123456789012:topic/load/queue/*"]},
    {"Effect": "Allow", "Action": "iot:Subscribe",
     "Resource": ["arn:aws:iot:us-west-2:123456789012:topicfilter/load/pubsub/*",
                  "arn:aws:iot:us-west-2:123456789012:topicfilter/load/queue/*"]},
    {"Effect": "Deny", "Action": ["iot:Publish", "iot:Receive"],
     "Resource": "arn:aws:iot:us-west-2:123456789012:topic/*/forbidden"}
  ]
}
"#;

const SENDER_POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "iot:Publish",
     "Resource": "arn:aws:iot:us-west-2:123456789012:topic/backend/*"},
    {"Effect": "Allow", "Action": "iot:SendDirectMessage",
     "Resource": "arn:aws:iot:us-west-2:123456789012:client/load-*",
     "Condition": {"StringLike": {"iot:Topic": ["devices/*/commands", "load/messages"]}}},
    {"Effect": "Deny", "Action": "iot:SendDirectMessage",
     "Resource": "arn:aws:iot:us-west-2:123456789012:client/load-*",
     "Condition": {"StringLike": {"iot:Topic": "*/forbidden"}}}
  ]
}
"#;

/// The data folder.
pub(super) struct DataFolder(PathBuf);

impl DataFolder {
    /// Writes the registry into a folder in which `tenfour dev` has made certificates.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn furnish(path: PathBuf) -> Outcome<Self> {
        let folder = Self(path);
        // As a device's file is made by `tenfour dev`, with our policy instead.
        let device =
            "certificate = \"../../devices/myDevice.cert.pem\"\npolicies = [\"load-device\"]\n";
        let sender = format!(
            "access_key_id = \"{ACCESS_KEY_ID}\"\nsecret_access_key = \"{SECRET_ACCESS_KEY}\"\n\
             policies = [\"load-sender\"]\n"
        );
        for registry in [Registry::Small, Registry::Large].map(Registry::folder) {
            for kind in ["certificates", "senders", "things", "policies"] {
                let path = folder.path(registry).join(kind);
                fs::create_dir_all(&path)
                    .map_err(|error| Failure::io(format!("making {}", path.display()), &error))?;
            }
            let at = |file: &str| format!("{registry}/{file}");
            folder.write(&at("certificates/myDevice.toml"), device)?;
            folder.write(&at("senders/load.toml"), &sender)?;
            folder.write(&at("policies/load-device.json"), DEVICE_POLICY)?;
            folder.write(&at("policies/load-sender.json"), SENDER_POLICY)?;
        }
        folder.write("registry-large/things/myDevice.toml", "type = \"lamp\"\n")?;
        (0..OTHERS).try_for_each(|number| folder.add_others(number))?;
        Ok(folder)
    }

    /// A device and a sender that never come, with policies like those of the load.
    fn add_others(&self, number: u32) -> Outcome {
        let at = |file: String| format!("{}/{file}", Registry::Large.folder());
        let device = format!("id = \"{number:064x}\"\npolicies = [\"device-{number}\"]\n");
        let sender = format!(
            "access_key_id = \"AKIAOTHER{number:011}\"\nsecret_access_key = \"{number:040}\"\n\
             policies = [\"sender-{number}\"]\n"
        );
        let theirs = |policy: &str| policy.replace("load", &format!("other-{number}"));
        self.write(&at(format!("certificates/other-{number}.toml")), &device)?;
        self.write(&at(format!("senders/other-{number}.toml")), &sender)?;
        self.write(&at(format!("policies/device-{number}.json")), &theirs(DEVICE_POLICY))?;
        self.write(&at(format!("policies/sender-{number}.json")), &theirs(SENDER_POLICY))
    }

    /// Writes a configuration: no rates, the log at INFO, metrics on. The path of its file and of
    /// its log.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn configure(&self, setup: &Setup) -> Outcome<(PathBuf, PathBuf)> {
        let (file, log) = (format!("{}.toml", setup.name), format!("{}.jsonl", setup.name));
        self.write(&file, &toml(setup))?;
        Ok((self.path(&file), self.path(&log)))
    }

    /// A path in the folder.
    pub(super) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.0.join(relative)
    }

    fn write(&self, relative: &str, text: &str) -> Outcome {
        let path = self.path(relative);
        fs::write(&path, text)
            .map_err(|error| Failure::io(format!("writing {}", path.display()), &error))
    }
}

fn toml(setup: &Setup) -> String {
    let Setup { name, profile, durability, .. } = *setup;
    let registry = setup.registry.folder();
    let receipts = setup.receipts.map_or_else(String::new, |most| format!("receipts = {most}"));
    let open = match setup.senders {
        Senders::Open => ", open = true",
        Senders::Signed => "",
    };
    let threads = match setup.threads {
        Threads::One => "threads = 1\n",
        Threads::OneACore => "",
    };
    format!(
        r#"{threads}region = "{REGION}"
account = "123456789012"
profile = "{profile}"
registry = "{registry}"

[tls]
certificate = "tls/server.pem"
key = "tls/server.key"
ca = "tls/ca.pem"

[listeners]
mqtt = {{ address = "127.0.0.1:0", principal = "certificates/myDevice" }}
mqtts = "127.0.0.1:0"
https = "127.0.0.1:0"
http = {{ address = "127.0.0.1:0"{open} }}
admin = "127.0.0.1:0"

[quotas]
unlimited = true
# A publisher may be heard before the PUBACKs of its subscriber are.
outbound_unacknowledged = 1000

[limits]
{receipts}

[store]
folder = "{name}.store"
durability = "{durability}"

[log]
file = "{name}.jsonl"
level = "INFO"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_are_json_and_the_configuration_says_who_may_send() {
        for policy in [DEVICE_POLICY, SENDER_POLICY] {
            let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
            assert!(policy["Statement"].as_array().unwrap().len() > 2);
        }
        let setup = Setup::new("l", Senders::Open).kept("batched").with_receipts(7);
        let text = toml(&setup);
        for line in [
            "http = { address = \"127.0.0.1:0\", open = true }",
            "durability = \"batched\"",
            "receipts = 7",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!toml(&Setup::new("l", Senders::Signed)).contains("open"));
    }
}
