//! Packets that must not be sent before something is durable.

use std::collections::VecDeque;

use crate::Ticket;

/// Packets held back, in the order in which they are to be sent.
///
/// A PUBACK, PUBREC or SUBACK says that a message or a subscription will not be lost, a CONNACK that
/// a session is there or gone; a PUBLISH at QoS 2 and a PUBREL need that their packet ID means the
/// same after a crash. While one waits, everything whose order counts waits behind it
/// ([MQTT-4.6.0-2] and its like).
#[derive(Debug, Default)]
pub(super) struct Hold {
    items: VecDeque<Item>,
    acknowledgements: usize,
    bytes: usize,
    /// The first item is the CONNACK, before which nothing may be sent ([MQTT-3.2.0-1]).
    opens: bool,
    /// Somebody is going to release it.
    expected: bool,
}

#[derive(Debug)]
struct Item {
    /// None until the changes it waits for have their ticket.
    after: Option<Ticket>,
    acknowledges: bool,
    bytes: Vec<u8>,
}

/// What a packet waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Nothing of its own.
    No,
    /// What has this ticket.
    Until(Ticket),
    /// The changes that were made together with it.
    ForChanges,
}

impl Hold {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many acknowledgements of the client's messages are held back.
    pub(super) fn acknowledgements(&self) -> usize {
        self.acknowledgements
    }

    /// How many bytes are held back.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, wait: Wait, acknowledges: bool, bytes: Vec<u8>) {
        let after = match wait {
            Wait::No => Some(Ticket::NONE),
            Wait::Until(ticket) => Some(ticket),
            Wait::ForChanges => None,
        };
        self.acknowledgements += usize::from(acknowledges);
        self.bytes += bytes.len();
        self.items.push_back(Item { after, acknowledges, bytes });
    }

    /// Holds back the CONNACK, and with it everything else.
    pub(super) fn open(&mut self, after: Ticket, connack: Vec<u8>) {
        self.bytes += connack.len();
        self.items.push_front(Item { after: Some(after), acknowledges: false, bytes: connack });
        self.opens = true;
    }

    /// Whether the CONNACK is held back.
    pub(super) fn is_opening(&self) -> bool {
        self.opens
    }

    /// The changes made so far have this ticket.
    pub(super) fn seal(&mut self, ticket: Ticket) {
        for item in self.items.iter_mut().rev() {
            if item.after.is_none() {
                item.after = Some(ticket);
            }
        }
    }

    /// The ticket to wait for, if somebody has to begin to wait; now the caller does.
    pub(super) fn expect(&mut self) -> Option<Ticket> {
        if self.expected {
            return None;
        }
        let last = self.items.iter().filter_map(|item| item.after).max();
        self.expected = last.is_some();
        last
    }

    /// Appends to `out` what waits for nothing any more.
    pub(super) fn release(&mut self, durable: Ticket, out: &mut Vec<u8>) {
        self.expected = false;
        while let Some(item) = self.items.front() {
            if item.after.is_none_or(|after| after > durable) {
                break;
            }
            out.extend_from_slice(&item.bytes);
            self.bytes -= item.bytes.len();
            self.acknowledgements -= usize::from(item.acknowledges);
            self.items.pop_front();
            self.opens = false;
        }
    }
}
