//! The server's data folder: certificates of `tenfour dev`, everything else written here.

use std::fs;
use std::path::{Path, PathBuf};

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
     "Resource": "arn:aws:iot:us-west-2:123456789012:topic/load/pubsub/*"},
    {"Effect": "Allow", "Action": "iot:Subscribe",
     "Resource": "arn:aws:iot:us-west-2:123456789012:topicfilter/load/pubsub/*"},
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
        folder.write("registry/certificates/myDevice.toml", device)?;
        folder.write("registry/senders/load.toml", &sender)?;
        folder.write("registry/policies/load-device.json", DEVICE_POLICY)?;
        folder.write("registry/policies/load-sender.json", SENDER_POLICY)?;
        Ok(folder)
    }

    /// Writes a configuration: no rates, the log at INFO, metrics on. The path of its file and of
    /// its log.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn configure(&self, name: &str, senders: Senders) -> Outcome<(PathBuf, PathBuf)> {
        let (file, log) = (format!("{name}.toml"), format!("{name}.jsonl"));
        self.write(&file, &toml(senders, &log))?;
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

fn toml(senders: Senders, log: &str) -> String {
    let open = match senders {
        Senders::Open => ", open = true",
        Senders::Signed => "",
    };
    format!(
        r#"region = "{REGION}"
account = "123456789012"
profile = "aws"
registry = "registry"

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

[log]
file = "{log}"
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
        assert!(
            toml(Senders::Open, "l").contains("http = { address = \"127.0.0.1:0\", open = true }")
        );
        assert!(!toml(Senders::Signed, "l").contains("open"));
    }
}
