//! A direct message in the log.

use std::hint::black_box;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use engine::outcome::DirectOutcome;
use telemetry::event::DirectMessage;
use telemetry::{Level, LogSettings, LogTarget, Telemetry, TraceId};

/// Counts a confirmed message and puts its entry into the log's buffer, which has room for more
/// than a hundred thousand.
pub(crate) fn direct_message(iterations: u32) {
    let (open, closed) = mpsc::channel::<()>();
    let settings = LogSettings {
        target: LogTarget::Writer(Box::new(Gate(closed))),
        level: Level::Info,
        buffer_bytes: 64 * 1024 * 1024,
        ring: None,
        account: "123456789012".to_owned(),
    };
    let telemetry = Telemetry::start(settings).expect("a thread can be started");
    let event = DirectMessage {
        trace_id: TraceId::from_bytes([7; 16]),
        client_id: "lamp-0001",
        principal_id: "AIDAEXAMPLE",
        source: SocketAddr::from(([203, 0, 113, 9], 40_000)),
        topic: "commands/reboot",
        confirmation: true,
        timeout_seconds: Some(10),
        outcome: &DirectOutcome::Acknowledged,
        batch: None,
        repeats: None,
        truth: None,
        delivery: Some(Duration::from_micros(123)),
        ack: Some(Duration::from_micros(4_567)),
        connection_epoch: Some(42),
        payload_bytes: 256,
        metered_bytes: 256,
    };
    for _ in 0..iterations {
        telemetry.record(black_box(&event));
    }
    // Before the telemetry, which waits for its writer.
    drop(open);
}

/// A target that takes nothing until the other end of its channel is dropped, and then throws
/// everything away. How often the log's thread wakes and what it takes would differ each time.
struct Gate(Receiver<()>);

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An error is what is waited for: nobody sends.
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
