//! Requests to a Device Shadow: none makes it panic, and whatever it comes to can be kept.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use shadow::{Content, Kept, Operation, Request, RequestTopic, STATE_BYTES, ShadowId};

const HOUR: u64 = 3_600_000;

// Lines: a topic, then requests: `g` and a payload reads, `d` and a payload deletes, everything else
// is an update.
fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let topic = std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let named = RequestTopic::parse(topic);
    if let Some(named) = &named {
        assert_eq!(named.id.request_topic(named.operation), topic);
    }
    let id = named.map_or_else(|| ShadowId::new("t", None).expect("valid"), |named| named.id);
    let (mut kept, mut now) = (Kept::default(), 1_700_000_000_000);
    for line in lines {
        now += 7 * HOUR;
        let (operation, payload) = match line {
            [b'g', payload @ ..] => (Operation::Get, payload),
            [b'd', payload @ ..] => (Operation::Delete, payload),
            payload => (Operation::Update, payload),
        };
        let request = match Request::parse(operation, payload) {
            Ok(request) => request,
            Err(rejected) => {
                let told = shadow::rejected(&rejected.fault, rejected.client_token.as_deref(), now);
                is_json(&told);
                continue;
            }
        };
        let Ok(done) = kept.handle(&id, &request, now) else { continue };
        done.answers.iter().for_each(|answer| is_json(&answer.payload));
        if let Some(changed) = done.kept {
            changed.check().expect("what is kept can be read");
            let is_over = kept.forgotten_at().is_some_and(|forgotten| forgotten <= now);
            let before = if is_over { 0 } else { kept.version };
            assert_eq!(changed.version, before + u64::from(operation == Operation::Update));
            if let Content::Document { state, .. } = &changed.content {
                assert!(state.len() <= STATE_BYTES);
            }
            kept = changed;
        }
    }
});

fn is_json(text: &str) {
    serde_json::from_str::<&RawValue>(text).expect("JSON");
    assert!(!text.contains('\n'));
}
