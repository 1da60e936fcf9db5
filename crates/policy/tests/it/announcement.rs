//! The sender's and receivers' policies that the feature is introduced with.

use policy::{Action, Context, Resource};

use crate::{decide, policies};

const SENDER: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "iot:SendDirectMessage",
            "Resource": "arn:aws:iot:us-west-2:123456789012:client/myDevice",
            "Condition": {
                "StringEquals": {
                    "iot:Topic": ["commands/reboot", "commands/update"]
                }
            }
        }
    ]
}"#;

const RECEIVER: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "iot:Receive",
            "Resource": "arn:aws:iot:us-west-2:123456789012:topic/commands/reboot"
        },
        {
            "Effect": "Allow",
            "Action": "iot:Receive",
            "Resource": "arn:aws:iot:us-west-2:123456789012:topic/commands/update"
        }
    ]
}"#;

const PREFIX_RECEIVER: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "iot:Receive",
            "Resource": "arn:aws:iot:us-west-2:123456789012:topic/commands/*"
        }
    ]
}"#;

#[test]
fn the_sender_reaches_its_device_on_the_listed_topics_only() {
    let policies = policies(&[SENDER]);
    let may = |device, topic| {
        let context = Context { topic, ..Context::default() };
        let device = Resource::Client(device);
        decide(&policies, Action::SendDirectMessage, device, &context).is_allowed()
    };
    assert!(may("myDevice", Some("commands/reboot")));
    assert!(may("myDevice", Some("commands/update")));
    assert!(!may("myDevice", Some("commands/erase")));
    assert!(!may("myDevice", Some("commands/reboot/now")));
    assert!(!may("myDevice", None), "a condition on an absent key fails");
    assert!(!may("otherDevice", Some("commands/reboot")));
    assert!(!may("myDevice2", Some("commands/reboot")));
}

#[test]
fn the_receiver_is_delivered_the_listed_topics_only() {
    let policies = policies(&[RECEIVER]);
    let may = |action, topic| {
        decide(&policies, action, Resource::Topic(topic), &Context::default()).is_allowed()
    };
    assert!(may(Action::Receive, "commands/reboot"));
    assert!(may(Action::Receive, "commands/update"));
    assert!(!may(Action::Receive, "commands/erase"));
    assert!(!may(Action::Publish, "commands/reboot"));
}

#[test]
fn a_wildcard_receiver_is_delivered_every_topic_below_the_prefix() {
    let policies = policies(&[PREFIX_RECEIVER]);
    let may = |topic| {
        let topic = Resource::Topic(topic);
        decide(&policies, Action::Receive, topic, &Context::default()).is_allowed()
    };
    assert!(may("commands/reboot"));
    assert!(may("commands/a/b"));
    assert!(!may("commands"));
    assert!(!may("other/commands/reboot"));
}
