//! One change of one message.

use std::fmt::Write;
use std::sync::Arc;

use super::position::Position;

/// A change, as readers get it.
#[derive(Debug)]
pub(super) struct Event {
    /// Its place in the order of all.
    pub(super) number: u64,
    pub(super) principal_id: Arc<str>,
    pub(super) client_id: Box<str>,
    /// The receipt as JSON, which has no line end.
    pub(super) data: Box<str>,
}

impl Event {
    /// Appends it as an event of a stream; `run` is that of its number.
    pub(super) fn write(&self, run: u64, out: &mut String) {
        let id = Position { run, number: self.number };
        write(out, "receipt", id, &self.data);
    }
}

/// Appends the event that says from where on receipts come.
pub(super) fn write_start(out: &mut String, id: Position) {
    write(out, "start", id, "{}");
}

/// Appends the event that says that receipts were left out; how many, if that is known.
pub(super) fn write_gap(out: &mut String, id: Position, left_out: Option<u64>) {
    let data = serde_json::json!({ "leftOut": left_out }).to_string();
    write(out, "gap", id, &data);
}

fn write(out: &mut String, event: &str, id: Position, data: &str) {
    // Writing to a string cannot fail.
    let _ = write!(out, "event: {event}\nid: {id}\ndata: {data}\n\n");
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A change of a message of that principal to that device.
    pub(in super::super) fn event(principal_id: &str, client_id: &str) -> Event {
        let data = format!("{{\"clientId\":\"{client_id}\"}}").into();
        Event { number: 0, principal_id: principal_id.into(), client_id: client_id.into(), data }
    }

    #[test]
    fn an_event_has_its_kind_its_id_and_one_line_of_data() {
        let mut out = String::new();
        Event { number: 7, ..event("me", "lamp") }.write(255, &mut out);
        write_gap(&mut out, Position { run: 255, number: 8 }, Some(3));
        write_gap(&mut out, Position { run: 255, number: 8 }, None);
        write_start(&mut out, Position { run: 255, number: 9 });
        assert_eq!(
            out,
            "event: receipt\nid: 00000000000000ff-7\ndata: {\"clientId\":\"lamp\"}\n\n\
             event: gap\nid: 00000000000000ff-8\ndata: {\"leftOut\":3}\n\n\
             event: gap\nid: 00000000000000ff-8\ndata: {\"leftOut\":null}\n\n\
             event: start\nid: 00000000000000ff-9\ndata: {}\n\n"
        );
    }
}
