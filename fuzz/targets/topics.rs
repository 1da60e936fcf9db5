//! Topic names and filters: parsing and matching against a naive reference.

#![no_main]

use engine::topics::{Subscription, Topics};
use libfuzzer_sys::fuzz_target;
use mqtt::{SubscribeOptions, TopicFilter, TopicName};

fuzz_target!(|text: &str| {
    let (filter_text, topic_text) = text.split_once('\n').unwrap_or((text, text));
    let topic = TopicName::parse(topic_text);
    let topic_is_right = !topic_text.is_empty()
        && topic_text.len() <= 65_535
        && !topic_text.contains(['\0', '+', '#']);
    assert_eq!(topic.is_ok(), topic_is_right);
    let filter = TopicFilter::parse(filter_text);
    assert_eq!(filter.is_ok(), filter_is_right(filter_text));
    let (Ok(filter), Ok(topic)) = (filter, topic) else { return };
    let want: Vec<&str> = filter.inner().split('/').collect();
    let have: Vec<&str> = topic_text.split('/').collect();
    let reserved = topic_text.starts_with('$') && matches!(want[0], "+" | "#");
    let expected = !reserved && matches(&want, &have);
    assert_eq!(filter.matches(topic), expected);

    let mut topics = Topics::default();
    let options = SubscribeOptions::default();
    topics.insert(filter, Subscription { subscriber: 1, options, identifier: None });
    let mut found = 0;
    topics.matches(topic, true, |_| found += 1);
    assert_eq!(found, usize::from(expected));
    assert!(topics.remove(filter, &1));
    topics.matches(topic, true, |_| panic!("it was removed"));
});

fn filter_is_right(text: &str) -> bool {
    let plain = |filter: &str| {
        let levels: Vec<&str> = filter.split('/').collect();
        let last = levels.len() - 1;
        !filter.is_empty()
            && levels.iter().enumerate().all(|(at, level)| {
                (!level.contains('#') || (*level == "#" && at == last))
                    && (!level.contains('+') || *level == "+")
            })
    };
    let whole = text.len() <= 65_535 && !text.contains('\0');
    whole
        && match text.strip_prefix("$share/") {
            None => plain(text),
            Some(shared) => shared.split_once('/').is_some_and(|(group, filter)| {
                !group.is_empty() && !group.contains(['+', '#']) && plain(filter)
            }),
        }
}

/// [MQTT-4.7.1-1] and [MQTT-4.7.1-2], level by level.
fn matches(want: &[&str], have: &[&str]) -> bool {
    match (want, have) {
        (["#"], _) | ([], []) => true,
        (["+", want @ ..], [_, have @ ..]) => matches(want, have),
        ([first, want @ ..], [level, have @ ..]) => first == level && matches(want, have),
        ([], [_, ..]) | ([_, ..], []) => false,
    }
}
