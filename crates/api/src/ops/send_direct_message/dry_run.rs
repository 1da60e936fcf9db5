//! `x-tenfour-dry-run`: what would become of the message, told instead of done.

use broker::{DryRun, Node, Receiver, Settled};
use engine::direct::DirectMessage;
use engine::question::Question;
use mqtt::Version;
use serde_json::{Value, json};

use super::input::Input;
use super::{Dispatch, Ledger};
use crate::exchange::{Exchange, counted};
use crate::explanation;
use crate::fault::Fault;
use crate::reply::Reply;

impl Dispatch<'_> {
    /// Answers with a document. Everything up to the sender's permission was checked as for a message
    /// that is sent, and answered so.
    pub(super) fn dry_run(&self, ledger: Ledger) -> Reply {
        let message = match self.input.message(self.payload.bytes()) {
            Ok(message) => message,
            Err(outcome) => return Exchange::new(ledger).settle(Settled::refused(outcome, None)),
        };
        let node = ledger.node();
        let run = node.dry_run_direct(&self.permit, &self.input.client_id, &message);
        let epoch = run.receiver.as_ref().map(|receiver| receiver.epoch);
        let settled = Settled::refused(run.outcome.clone(), epoch);
        let telling = Telling { node, ledger: &ledger, input: &self.input, message, run };
        let document = telling.document(&settled);
        let reply = counted(node, Reply::document(ledger.trace_id(), &document));
        ledger.settle(&settled);
        reply
    }
}

/// Everything that the document is made from.
struct Telling<'a> {
    node: &'a Node,
    ledger: &'a Ledger,
    input: &'a Input,
    message: DirectMessage<'a>,
    run: DryRun,
}

impl Telling<'_> {
    fn document(&self, settled: &Settled) -> Value {
        let fault = Fault::of_direct(settled);
        json!({
            "dryRun": true,
            "traceId": self.ledger.trace_id().to_string(),
            "wouldSend": fault.is_none(),
            "status": fault.as_ref().map_or(200, |fault| fault.kind.status().as_u16()),
            "reason": fault.as_ref().map(|fault| fault.reason),
            "message": self.sentence(fault.as_ref()),
            "sender": self.sender(),
            "receiver": self.receiver(),
            "device": self.device(),
            "limits": self.limits(),
        })
    }

    fn sentence(&self, fault: Option<&Fault>) -> String {
        match (fault, self.message.confirmation) {
            (Some(fault), _) => fault.message.clone(),
            (None, None) => "The message would be written to the device's connection.".into(),
            (None, Some(_)) => "The message would be written to the device's connection; whether \
                 the device would acknowledge it cannot be known."
                .into(),
        }
    }

    fn asked(&self) -> Question<'_> {
        Question::send_direct(&self.ledger.sender, &self.input.client_id, self.message.topic)
    }

    /// Whoever may not send is refused before.
    fn sender(&self) -> Value {
        let mut sender = json!({
            "principalId": &*self.ledger.sender.principal.id,
            "decision": "allowed",
        });
        self.explain(&mut sender, &self.asked());
        sender
    }

    fn receiver(&self) -> Value {
        let Some(Receiver { peer, allowed, .. }) = &self.run.receiver else {
            return json!({ "decision": "unknown" });
        };
        let mut receiver = json!({ "decision": if *allowed { "allowed" } else { "denied" } });
        self.explain(&mut receiver, &Question::receive(peer, self.message.topic));
        receiver
    }

    /// Adds what only some may know.
    fn explain(&self, party: &mut Value, question: &Question<'_>) {
        if let Some(explanation) = explanation::of(self.node, &self.asked(), question) {
            party["principalId"] = explanation["principalId"].clone();
            party["statement"] = explanation["statement"].clone();
            party["explanation"] = explanation;
        }
    }

    fn device(&self) -> Value {
        let mut device = json!({
            "connected": self.run.receiver.as_ref().is_some_and(|receiver| !receiver.opening),
            "session": self.run.persistent,
        });
        if let Some(Receiver { epoch, writable, prospect, .. }) = &self.run.receiver {
            device["connectionEpoch"] = (*epoch).into();
            device["protocol"] = protocol(prospect.version).into();
            device["inFlight"] = prospect.inflight.into();
            device["window"] = prospect.window.into();
            device["writable"] = (*writable).into();
        }
        device
    }

    fn limits(&self) -> Value {
        let mut limits = json!({
            "payloadBytes": self.message.payload.len(),
            "payloadLimit": self.node.rules().quotas.payload_bytes,
        });
        if let Some(Receiver { prospect, .. }) = &self.run.receiver {
            limits["packetBytes"] = prospect.packet_bytes.into();
            // A device that names none takes what the protocol can express.
            let named = Some(prospect.packet_size_max).filter(|max| *max != u32::MAX);
            limits["maximumPacketSize"] = named.into();
        }
        limits
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::V311 => "MQTT 3.1.1",
        Version::V5 => "MQTT 5.0",
    }
}
