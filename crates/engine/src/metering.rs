//! What AWS would charge for, as far as it is documented (spec 9).
//!
//! A message counts in units of 5 KB, begun ones as whole: its payload, its topic and, with MQTT 5,
//! its user properties, response topic, correlation data and content type.

use mqtt::Properties;

/// The unit. AWS's kilobytes are of 1,024 bytes.
pub const UNIT_BYTES: usize = 5 * 1_024;

/// How many units that many bytes are; one at least.
#[inline]
pub fn units(bytes: usize) -> u64 {
    bytes.div_ceil(UNIT_BYTES).max(1) as u64
}

/// What a message is measured by, in bytes. To a device with MQTT 3.1.1 no properties go out.
#[inline]
pub fn message_bytes(topic: &str, properties: Properties<'_>, payload_bytes: usize) -> usize {
    let message = topic.len() + payload_bytes;
    if properties.is_empty() { message } else { message + property_bytes(properties) }
}

/// What of that are the properties.
pub fn property_bytes(properties: Properties<'_>) -> usize {
    let pairs = properties.user_properties().map(|(name, value)| name.len() + value.len());
    pairs.sum::<usize>()
        + properties.response_topic().map_or(0, str::len)
        + properties.correlation_data().map_or(0, <[u8]>::len)
        + properties.content_type().map_or(0, str::len)
}

#[cfg(test)]
mod tests {
    use mqtt::{PropertiesBuf, Property};

    use super::*;

    #[test]
    fn a_unit_that_is_begun_counts_as_a_whole() {
        let expected = [(0, 1), (1, 1), (5_120, 1), (5_121, 2), (10_240, 2), (131_072, 26)];
        for (bytes, units) in expected {
            assert_eq!(super::units(bytes), units, "{bytes} bytes");
        }
    }

    #[test]
    fn only_the_properties_that_count_are_counted() {
        let mut properties = PropertiesBuf::new();
        let all = [
            Property::PayloadFormatIndicator(1),
            Property::MessageExpiryInterval(9),
            Property::UserProperty("ab", "cde"),
            Property::UserProperty("", "f"),
            Property::ResponseTopic("re/ply"),
            Property::CorrelationData(&[0; 16]),
            Property::ContentType("text/plain"),
        ];
        all.into_iter().for_each(|property| properties.push(property).expect("valid"));
        assert_eq!(
            message_bytes("a/b", properties.as_properties(), 100),
            3 + 100 + 6 + 6 + 16 + 10
        );
        assert_eq!(message_bytes("a/b", Properties::EMPTY, 100), 103);
    }
}
