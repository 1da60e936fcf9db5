//! Topic names, topic filters and matching.
#![allow(clippy::unwrap_used, reason = "a failed test should panic")]

use mqtt::{ClientId, ClientIdError, TopicError, TopicFilter, TopicFilterError, TopicName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn filter(text: &str) -> TopicFilter<'_> {
    TopicFilter::parse(text).unwrap()
}

/// The rules of section 4.7, as plainly as they can be written: recursion over the levels.
fn reference(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) => true,
        ([], []) => true,
        ([], _) | (_, []) => false,
        (["+", filter @ ..], [_, topic @ ..]) => reference(filter, topic),
        ([want, filter @ ..], [have, topic @ ..]) => want == have && reference(filter, topic),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn matching_agrees_with_the_reference(
        filter_levels in vec(select(vec!["+", "a", "b", "", "$x"]), 1..5),
        multi in any::<bool>(),
        topic_levels in vec(select(vec!["a", "b", "", "$x"]), 1..5),
        share in any::<bool>(),
    ) {
        let mut filter_levels = filter_levels;
        if multi {
            filter_levels.push("#");
        }
        let text = filter_levels.join("/");
        let whole = if share { format!("$share/g/{text}") } else { text.clone() };
        let topic = topic_levels.join("/");
        prop_assume!(!text.is_empty() && !topic.is_empty());
        let dollar = topic.starts_with('$') && text.starts_with(['+', '#']);
        let expected = !dollar && reference(&filter_levels, &topic_levels);
        let name = TopicName::parse(&topic).unwrap();
        prop_assert_eq!(filter(&whole).matches(name), expected, "{} on {}", whole, topic);
    }

    /// [MQTT-4.7.0-1], [MQTT3-4.7.1-1].
    #[test]
    fn parsing_never_panics_and_agrees_with_the_syntax(text in "[a+#/$]{0,8}") {
        let levels: Vec<_> = text.split('/').collect();
        let last = levels.len() - 1;
        let plain = !text.is_empty()
            && levels.iter().enumerate().all(|(at, level)| {
                (*level == "#" && at == last) || *level == "+" || !level.contains(['+', '#'])
            });
        prop_assert_eq!(TopicFilter::parse(&text).is_ok(), plain, "{}", text);
        prop_assert_eq!(TopicName::parse(&text).is_ok(), !text.is_empty() && !text.contains(['+', '#']));
    }
}

/// [MQTT-4.7.1-1], [MQTT3-4.7.1-2], [MQTT-4.7.1-2], [MQTT3-4.7.1-3], [MQTT-4.7.2-1],
/// [MQTT3-4.7.2-1].
#[test]
fn the_examples_of_the_standard_match() {
    let cases = [
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
        ("sport/#", "sport", true),
        ("#", "a/b", true),
        ("#", "$SYS/a", false),
        ("+/monitor/Clients", "$SYS/monitor/Clients", false),
        ("$SYS/#", "$SYS/a", true),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("A", "a", false),
    ];
    for (text, topic, expected) in cases {
        let name = TopicName::parse(topic).unwrap();
        assert_eq!(filter(text).matches(name), expected, "{text} on {topic}");
    }
}

/// [MQTT-4.7.3-4], [MQTT3-4.7.3-4], and U+FEFF is a character like any other [MQTT-1.5.4-3],
/// [MQTT3-1.5.3-3].
#[test]
fn nothing_is_normalized() {
    // A letter with its accent, and the letter followed by the accent: alike to the eye.
    for (text, topic) in [
        ("caf\u{E9}", "cafe\u{301}"),
        ("cafe\u{301}", "caf\u{E9}"),
        ("a", "\u{FEFF}a"),
        ("a/", "a"),
        ("a//b", "a/b"),
        ("a ", "a"),
        ("\u{FF21}", "A"),
        ("\u{FFFD}", "\u{1}"),
    ] {
        assert!(!filter(text).matches(TopicName::parse(topic).unwrap()), "{text} on {topic}");
        assert!(filter(text).matches(TopicName::parse(text).unwrap()), "{text} on itself");
    }
}

/// [MQTT-4.7.1-1], [MQTT3-4.7.1-2], [MQTT-4.7.1-2], [MQTT3-4.7.1-3].
#[test]
fn misplaced_wildcards_are_refused() {
    for text in ["a/#/b", "a#", "#a", "##", "#/", "a/b#"] {
        assert_eq!(TopicFilter::parse(text), Err(TopicFilterError::MultiLevelWildcard), "{text}");
    }
    for text in ["a+/b", "+a", "a/b+", "++"] {
        assert_eq!(TopicFilter::parse(text), Err(TopicFilterError::SingleLevelWildcard), "{text}");
    }
}

/// [MQTT-4.8.2-1], [MQTT-4.8.2-2].
#[test]
fn a_shared_subscription_has_group_and_filter() {
    let shared = filter("$share/group/a/+/c");
    assert_eq!(shared.share_group(), Some("group"));
    assert_eq!(shared.inner(), "a/+/c");
    assert_eq!(shared.as_str(), "$share/group/a/+/c");
    assert_eq!(shared.levels().collect::<Vec<_>>(), ["a", "+", "c"]);
    assert!(shared.has_wildcard());
    assert!(!filter("$share/g/a").has_wildcard());
    assert_eq!(filter("a/b").share_group(), None);
    // Without the slash it is an ordinary filter.
    assert_eq!(filter("$share").share_group(), None);
    assert_eq!(filter("$shared/g/a").share_group(), None);
    assert_eq!(filter("$share/g//").inner(), "/");
}

/// [MQTT-4.8.2-1], [MQTT-4.8.2-2].
#[test]
fn an_incomplete_shared_subscription_is_refused() {
    for text in ["$share/", "$share/g", "$share//a", "$share/+/a", "$share/#/a", "$share/g#/a"] {
        assert_eq!(TopicFilter::parse(text), Err(TopicFilterError::Share), "{text}");
    }
    assert_eq!(TopicFilter::parse("$share/g/"), Err(TopicFilterError::Empty));
    assert_eq!(TopicFilter::parse("$share/g/#/a"), Err(TopicFilterError::MultiLevelWildcard));
}

/// [MQTT-4.7.3-1], [MQTT3-4.7.3-1], [MQTT-4.7.3-2], [MQTT3-4.7.3-2], [MQTT-4.7.3-3],
/// [MQTT3-4.7.3-3].
#[test]
fn names_and_filters_are_bounded_and_without_nul() {
    let longest = "a".repeat(65_535);
    let too_long = "a".repeat(65_536);
    assert!(TopicName::parse(&longest).is_ok());
    assert!(TopicFilter::parse(&longest).is_ok());
    assert!(ClientId::parse(&longest).is_ok());
    assert_eq!(TopicName::parse(&too_long), Err(TopicError::TooLong(65_536)));
    assert_eq!(TopicFilter::parse(&too_long), Err(TopicFilterError::TooLong(65_536)));
    assert_eq!(ClientId::parse(&too_long), Err(ClientIdError::TooLong(65_536)));
    assert_eq!(TopicName::parse("a\0"), Err(TopicError::NulCharacter));
    assert_eq!(TopicName::parse("+\0"), Err(TopicError::NulCharacter));
    assert_eq!(TopicFilter::parse("a\0"), Err(TopicFilterError::NulCharacter));
    assert_eq!(ClientId::parse("a\0"), Err(ClientIdError::NulCharacter));
    assert_eq!(TopicName::parse(""), Err(TopicError::Empty));
    assert_eq!(TopicFilter::parse(""), Err(TopicFilterError::Empty));
    assert_eq!(ClientId::parse(""), Err(ClientIdError::Empty));
}
