//! A log that tests can read, and events to record.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::outcome::DirectOutcome;
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use telemetry::event::DirectMessage;
use telemetry::{Event, Level, LogSettings, LogTarget, Telemetry, TraceId};

pub const ACCOUNT: &str = "123456789012";
pub const TRACE: &str = "00010203-0405-4607-8809-0a0b0c0d0e0f";
pub const PATIENCE: Duration = Duration::from_secs(10);

pub fn trace_id() -> TraceId {
    TraceId::from_bytes([0, 1, 2, 3, 4, 5, 0x46, 7, 0x88, 9, 10, 11, 12, 13, 14, 15])
}

pub fn source() -> SocketAddr {
    "192.0.2.7:40123".parse().expect("an address")
}

/// What was written, and what a write is to fail with.
#[derive(Clone, Default)]
pub struct Capture(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    written: Vec<u8>,
    broken: bool,
    /// Bytes that still fit before every write fails.
    room: Option<usize>,
}

impl Capture {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().written.clone()).expect("UTF-8")
    }

    pub fn entries(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    pub fn break_off(&self) {
        self.0.lock().broken = true;
    }

    pub fn leave_room(&self, bytes: usize) {
        self.0.lock().room = Some(bytes);
    }

    pub fn mend(&self) {
        let mut state = self.0.lock();
        (state.broken, state.room) = (false, None);
    }

    /// While the guard lives, writes block.
    pub fn block(&self) -> impl Sized + '_ {
        let guard: MutexGuard<'_, _> = self.0.lock();
        guard
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        let count = state.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        if state.broken || count == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.room = state.room.map(|room| room - count);
        state.written.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub fn settings(target: LogTarget) -> LogSettings {
    LogSettings {
        target,
        level: Level::Debug,
        buffer_bytes: 1024 * 1024,
        account: ACCOUNT.into(),
        ring: None,
    }
}

pub fn captured() -> (Telemetry, Capture) {
    let capture = Capture::default();
    let target = LogTarget::Writer(Box::new(capture.clone()));
    (Telemetry::start(settings(target)).expect("a log"), capture)
}

/// The one entry of `event`, without its timestamp, whose form is checked.
pub fn entry<E: Event>(event: &E) -> Value {
    let (telemetry, capture) = captured();
    telemetry.record(event);
    assert!(telemetry.flush(PATIENCE));
    let mut entries = capture.entries();
    assert_eq!(entries.len(), 1);
    let mut entry = entries.remove(0);
    let timestamp = entry.as_object_mut().expect("an object").remove("timestamp");
    let timestamp = timestamp.expect("a timestamp");
    let form: String = timestamp
        .as_str()
        .expect("a text")
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(form, "0000-00-00 00:00:00.000");
    entry
}

/// A direct message that ended so.
pub fn direct<'a>(outcome: &'a DirectOutcome) -> DirectMessage<'a> {
    DirectMessage {
        trace_id: trace_id(),
        client_id: "myDevice",
        principal_id: "AIDAEXAMPLE",
        source: source(),
        topic: "commands/reboot",
        confirmation: false,
        timeout_seconds: None,
        outcome,
        batch: None,
        repeats: None,
        truth: None,
        delivery: None,
        ack: None,
        connection_epoch: None,
        payload_bytes: 17,
        metered_bytes: 17,
    }
}

/// The page of the metrics.
pub fn page(telemetry: &Telemetry) -> String {
    let mut page = String::new();
    telemetry.metrics().render(&[], &mut page);
    page
}

/// The value of one sample of the page, named with its labels.
pub fn sample(telemetry: &Telemetry, name: &str) -> f64 {
    let page = page(telemetry);
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {name} in\n{page}")).parse().expect("a number")
}
