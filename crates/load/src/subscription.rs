//! SUBSCRIBE to one topic, and what has to be answered.

use mqtt::{
    EncodeError, Packet, PacketId, Properties, QoS, ReasonCode, RetainHandling, Subscribe,
    SubscribeOptions, Version,
};

/// The SUBSCRIBE of a client that has no other packet on its way.
///
/// # Errors
/// When MQTT has no such packet.
pub(crate) fn request(topic: &str, qos: QoS, version: Version) -> Result<Vec<u8>, EncodeError> {
    let options = SubscribeOptions {
        qos,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Send,
    };
    let subscribe = Subscribe {
        packet_id: PacketId::new(1).expect("1 is not 0"),
        properties: Properties::EMPTY,
        filters: vec![(topic, options)],
    };
    let mut packet = Vec::new();
    subscribe.encode(version, &mut packet)?;
    Ok(packet)
}

/// Whether an answer grants it with the QoS that was asked for.
///
/// # Errors
/// What it says instead.
pub(crate) fn check(answer: &Packet<'_>, qos: QoS) -> Result<(), String> {
    let Packet::SubAck(suback) = answer else {
        return Err(format!("{} came instead of SUBACK", answer.name()));
    };
    let granted = match qos {
        QoS::AtMostOnce => ReasonCode::Success,
        QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
        QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
    };
    if suback.reasons != [granted] {
        return Err(format!("the broker answered {:?}, not {granted}", suback.reasons));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt::{SubAck, decode};

    #[test]
    fn less_than_what_was_asked_for_is_refused() {
        let bytes = request("t", QoS::AtLeastOnce, Version::V5).unwrap();
        let (packet, _) = decode(&bytes, Version::V5, 100).unwrap().unwrap();
        let Packet::Subscribe(subscribe) = &packet else { panic!("{}", packet.name()) };
        let answer = |reason| {
            let (packet_id, properties) = (subscribe.packet_id, Properties::EMPTY);
            Packet::SubAck(SubAck { packet_id, properties, reasons: vec![reason] })
        };
        assert!(check(&answer(ReasonCode::GrantedQoS1), QoS::AtLeastOnce).is_ok());
        let less = check(&answer(ReasonCode::Success), QoS::AtLeastOnce).unwrap_err();
        assert!(less.contains("GrantedQoS1"), "{less}");
        assert!(check(&packet, QoS::AtLeastOnce).unwrap_err().contains("instead of SUBACK"));
    }
}
