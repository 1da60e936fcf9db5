//! Nanoseconds of one entry, counted and put into the log's buffer: `cargo bench -p telemetry`
//! prints one JSON object. Each figure is the median over batches, which a noisy machine disturbs
//! less than a mean; `two_threads` is that of one of two threads that write at the same time.
//!
//! `entry CASE COUNT` only writes that many, and nothing takes them out of the log's buffer before
//! the end: an emulator that counts instructions, such as `valgrind --tool=callgrind`, run for two
//! counts, tells those of one entry by the difference.

use std::hint::black_box;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use engine::outcome::DirectOutcome;
use telemetry::event::{DirectMessage, PublishIn, PublishOut};
use telemetry::{Level, LogSettings, LogTarget, Telemetry, TraceId, Verdict};

const BATCHES: usize = 1_001;
const BATCH: u32 = 500;

/// What is written: the name, and how to write the `n`th entry.
type Case = (&'static str, fn(&Telemetry, u32));

const CASES: [Case; 4] = [
    ("direct_message", direct_message),
    ("publish_in", publish_in),
    ("publish_out", publish_out),
    ("publish_out_to_many", publish_out_to_many),
];

fn trace_id(number: u32) -> TraceId {
    let [a, b, c, d] = number.wrapping_mul(0x9E37_79B9).to_be_bytes();
    TraceId::from_bytes([a, b, c, d, 5, 6, 0x47, 8, 0x89, 10, 11, 12, a, b, c, d])
}

fn source() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 9], 40_000))
}

fn direct_message(telemetry: &Telemetry, number: u32) {
    telemetry.record(black_box(&DirectMessage {
        trace_id: trace_id(number),
        client_id: "lamp-0001",
        principal_id: "AIDAEXAMPLE",
        source: source(),
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
    }));
}

fn publish_in(telemetry: &Telemetry, _: u32) {
    telemetry.record(black_box(&PublishIn {
        trace_id: trace_id(1),
        client_id: "lamp-0001",
        principal_id: "3f1c5ad2b7",
        source: source(),
        topic: "fleet/lamps/0001/state",
        retain: false,
        bytes: 9,
        outcome: Verdict::Success,
    }));
}

fn publish_to(telemetry: &Telemetry, subscriber: u32) {
    telemetry.record(black_box(&PublishOut {
        trace_id: trace_id(subscriber),
        client_id: "dashboard-0001",
        principal_id: "3f1c5ad2b7",
        source: source(),
        topic: "fleet/lamps/0001/state",
        bytes: 9,
        outcome: Verdict::Success,
    }));
}

fn publish_out(telemetry: &Telemetry, _: u32) {
    publish_to(telemetry, 1);
}

fn publish_out_to_many(telemetry: &Telemetry, number: u32) {
    publish_to(telemetry, number % 1_000);
}

/// A target that takes nothing until the other end of its channel is dropped.
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

fn telemetry(target: impl Write + Send + 'static) -> Telemetry {
    let settings = LogSettings {
        target: LogTarget::Writer(Box::new(target)),
        level: Level::Info,
        buffer_bytes: 256 * 1024 * 1024,
        ring: None,
        account: "123456789012".to_owned(),
    };
    Telemetry::start(settings).expect("a thread can be started")
}

/// The median, in nanoseconds, of what an entry takes.
fn measure(telemetry: &Telemetry, write: fn(&Telemetry, u32)) -> f64 {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            for number in 0..BATCH {
                write(telemetry, number);
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH)
        })
        .collect();
    batches.sort_unstable_by(f64::total_cmp);
    batches[BATCHES / 2]
}

fn measure_two_threads(telemetry: &Telemetry, write: fn(&Telemetry, u32)) -> f64 {
    thread::scope(|scope| {
        let other = scope.spawn(|| measure(telemetry, write));
        let one = measure(telemetry, write);
        one.max(other.join().expect("no panic"))
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [name, count] = &arguments[..] {
        let (_, write) = CASES.iter().find(|case| case.0 == name).expect("the name of a case");
        let (open, closed) = mpsc::channel();
        let telemetry = telemetry(Gate(closed));
        for number in 0..count.parse().expect("a number") {
            write(&telemetry, number);
        }
        drop(open);
        return;
    }
    let telemetry = telemetry(io::sink());
    let figures = CASES.map(|(name, write)| {
        let alone = measure(&telemetry, write);
        let together = measure_two_threads(&telemetry, write);
        format!("\"{name}_ns\": {alone:.1}, \"{name}_two_threads_ns\": {together:.1}")
    });
    println!("{{{}}}", figures.join(", "));
}
