//! Every ending of a direct message has its word and its sentence (spec 1.4 and 12).

use std::collections::HashSet;

use engine::outcome::{DirectOutcome, Invalid};
use mqtt::ReasonCode;

/// Every outcome with the word it has in the log and in the body of an error.
fn table() -> Vec<(DirectOutcome, Option<&'static str>)> {
    let say = String::from;
    vec![
        (DirectOutcome::Acknowledged, None),
        (DirectOutcome::Dispatched, None),
        (DirectOutcome::Invalid(Invalid::ClientId(say("c"))), Some("MALFORMED_CLIENTID")),
        (DirectOutcome::Invalid(Invalid::Topic(say("t"))), Some("INVALID_TOPIC")),
        (
            DirectOutcome::Invalid(Invalid::Confirmation(say("c"))),
            Some("INVALID_CONFIRMATION_PARAMETER"),
        ),
        (DirectOutcome::Invalid(Invalid::Timeout(say("t"))), Some("INVALID_TIMEOUT_PARAMETER")),
        (DirectOutcome::Invalid(Invalid::Mqtt5Property(say("p"))), Some("INVALID_MQTT5_PROPERTY")),
        (DirectOutcome::Invalid(Invalid::Request(say("r"))), Some("INVALID_REQUEST")),
        (DirectOutcome::PayloadTooLarge { limit: 131_072 }, Some("PAYLOAD_TOO_LARGE")),
        (DirectOutcome::SenderUnauthorized, Some("SENDER_AUTHORIZATION_FAILURE")),
        (DirectOutcome::ReceiverUnauthorized, Some("RECEIVE_AUTHORIZATION_FAILURE")),
        (DirectOutcome::TargetNotFound, Some("TARGET_CLIENT_ID_NOT_FOUND")),
        (DirectOutcome::TargetNotConnected, Some("TARGET_CLIENT_NOT_CONNECTED")),
        (DirectOutcome::AccountThrottled, Some("SEND_DIRECT_MESSAGE_THROTTLED")),
        (DirectOutcome::WaitingRoomFull, Some("WAITING_MESSAGES_EXCEEDED")),
        (DirectOutcome::ReceiverThrottled, Some("RECEIVE_SESSION_THROTTLED")),
        (DirectOutcome::ReceiverWindowFull, Some("RECEIVER_MAX_UNACKED_QOS1_EXCEEDED")),
        (DirectOutcome::ReceiverPacketTooLarge { limit: 600 }, Some("RECEIVER_PACKET_TOO_LARGE")),
        (DirectOutcome::ReceiverNotWritable, Some("CLIENT_ENDPOINT_NOT_WRITABLE")),
        (DirectOutcome::ReceiverRejected(ReasonCode::NotAuthorized), Some("RECEIVER_REJECTED")),
        (DirectOutcome::ConfirmationTimeout, Some("DELIVERY_CONFIRMATION_TIMEOUT")),
        (DirectOutcome::ReceiverDisconnected, Some("RECEIVER_DISCONNECTED")),
        (DirectOutcome::DeadlineExceeded, Some("DEADLINE_EXCEEDED")),
        (DirectOutcome::Responded, None),
        (DirectOutcome::ResponseTimeout, Some("RESPONSE_TIMEOUT")),
        (DirectOutcome::IdempotencyConflict, Some("IDEMPOTENCY_KEY_CONFLICT")),
        (DirectOutcome::SenderDisconnected, Some("DELIVERY_CONFIRMATION_SENDER_DISCONNECT")),
        (DirectOutcome::Internal, Some("INTERNAL_SERVER_ERROR")),
    ]
}

/// Fails to compile when an outcome is added, as a reminder to give it a row above.
fn has_a_row(outcome: &DirectOutcome) -> bool {
    match outcome {
        DirectOutcome::Invalid(
            Invalid::ClientId(_)
            | Invalid::Topic(_)
            | Invalid::Confirmation(_)
            | Invalid::Timeout(_)
            | Invalid::Mqtt5Property(_)
            | Invalid::Request(_),
        )
        | DirectOutcome::Acknowledged
        | DirectOutcome::Dispatched
        | DirectOutcome::PayloadTooLarge { .. }
        | DirectOutcome::SenderUnauthorized
        | DirectOutcome::ReceiverUnauthorized
        | DirectOutcome::TargetNotFound
        | DirectOutcome::TargetNotConnected
        | DirectOutcome::AccountThrottled
        | DirectOutcome::WaitingRoomFull
        | DirectOutcome::ReceiverThrottled
        | DirectOutcome::ReceiverWindowFull
        | DirectOutcome::ReceiverPacketTooLarge { .. }
        | DirectOutcome::ReceiverNotWritable
        | DirectOutcome::ReceiverRejected(_)
        | DirectOutcome::ConfirmationTimeout
        | DirectOutcome::ReceiverDisconnected
        | DirectOutcome::SenderDisconnected
        | DirectOutcome::IdempotencyConflict
        | DirectOutcome::DeadlineExceeded
        | DirectOutcome::Responded
        | DirectOutcome::ResponseTimeout
        | DirectOutcome::Internal => true,
    }
}

#[test]
fn every_outcome_has_the_reason_of_the_contract() {
    for (outcome, reason) in table() {
        assert!(has_a_row(&outcome));
        assert_eq!(outcome.reason(), reason);
        assert_eq!(outcome.is_success(), reason.is_none());
    }
}

#[test]
fn labels_and_reasons_tell_every_outcome_apart() {
    let labels: HashSet<_> = table().iter().map(|(outcome, _)| outcome.label()).collect();
    assert_eq!(labels.len(), table().len());
    for (outcome, reason) in table() {
        assert!(reason.is_none_or(|reason| reason == outcome.label()));
    }
}

#[test]
fn every_failure_says_something_of_its_own_to_people() {
    let failures = table().into_iter().filter(|(outcome, _)| !outcome.is_success());
    let sentences: Vec<_> = failures.map(|(outcome, _)| outcome.details()).collect();
    let internal = DirectOutcome::Internal.details();
    assert_eq!(sentences.iter().filter(|sentence| **sentence == internal).count(), 1);
    assert!(sentences.iter().all(|sentence| !sentence.is_empty()));
    assert!(DirectOutcome::PayloadTooLarge { limit: 131_072 }.details().contains("131072"));
    assert!(DirectOutcome::ReceiverPacketTooLarge { limit: 600 }.details().contains("600"));
    let rejected = DirectOutcome::ReceiverRejected(ReasonCode::NotAuthorized);
    assert!(rejected.details().contains("0x87"));
}
