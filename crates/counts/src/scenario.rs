//! The steps of a direct message's trip that are counted.

use crate::{access, decision, log_entry, packet, session, signature};

/// One step.
pub(crate) struct Scenario {
    /// What the command line and the baseline call it.
    pub(crate) name: &'static str,
    /// Prepares it and takes it that many times.
    pub(crate) run: fn(u32),
}

const fn scenario(name: &'static str, run: fn(u32)) -> Scenario {
    Scenario { name, run }
}

/// All of them, sorted by name.
pub(crate) const SCENARIOS: [Scenario; 13] = [
    scenario("access_send_and_receive", access::send_and_receive),
    scenario("log_direct_message", log_entry::direct_message),
    scenario("mqtt_decode_puback", packet::decode_puback),
    scenario("mqtt_decode_publish_v311", packet::decode_publish_v311),
    scenario("mqtt_decode_publish_v5", packet::decode_publish_v5),
    scenario("mqtt_encode_publish_v311", packet::encode_publish_v311),
    scenario("mqtt_encode_publish_v5", packet::encode_publish_v5),
    scenario("policy_allow", decision::allow),
    scenario("policy_condition", decision::condition),
    scenario("policy_deny", decision::deny),
    scenario("session_send_and_acknowledge", session::send_and_acknowledge),
    scenario("sigv4_claim", signature::claim),
    scenario("sigv4_verify", signature::verify),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_runs() {
        for scenario in &SCENARIOS {
            (scenario.run)(70);
        }
    }

    #[test]
    fn names_are_sorted_and_each_is_there_once() {
        assert!(SCENARIOS.is_sorted_by(|one, next| one.name < next.name));
    }
}
