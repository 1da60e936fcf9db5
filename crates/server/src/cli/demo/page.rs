//! The demo on paper: who does what, and when.

use std::time::Duration;

use super::super::paint::Paint;
use super::scene::{Outcome, PAYLOAD, Part, Scene, TOPIC};
use crate::dev::DEVICE;

/// Everything is readable in a window of 100 columns.
const LOG_COLUMNS: usize = 92;

/// Prints the demo.
#[derive(Clone, Copy)]
pub(super) struct Page {
    pub(super) paint: Paint,
}

impl Page {
    pub(super) fn title(self) {
        let title = "Tenfour: a message to one device, and the truth about what became of it";
        println!("{}\n", self.paint.bold(title));
    }

    /// Something that was done and took a while.
    pub(super) fn done(self, who: &str, what: &str, took: Duration) {
        println!("{who:<8}{what} {}", self.paint.dim(format_args!("({:.1} ms)", millis(took))));
    }

    pub(super) fn scene(self, number: usize, scene: &Scene, outcome: &Outcome, as_expected: bool) {
        println!("\n{}", self.paint.bold(format_args!("{number}  {}", scene.title)));
        let connected = outcome
            .answer
            .connected_in
            .map(|time| format!(" (after {:.1} ms for TCP and TLS)", millis(time)));
        let connected = connected.unwrap_or_default();
        self.step("0.00", "request", &format!("POST /connections/{DEVICE}/messages{connected}"));
        self.step(
            "",
            "",
            &format!("{TOPIC} {PAYLOAD} confirmation=true timeout={}", scene.timeout),
        );
        self.inside(scene, outcome);
        self.answer(outcome, as_expected);
        for (index, line) in outcome.entry.wrapped(LOG_COLUMNS).into_iter().enumerate() {
            let margin = if index == 0 { "   log " } else { "       " };
            println!("{}", self.paint.dim(format_args!("{margin}{line}")));
        }
    }

    /// What happened inside the server, by the times of its log.
    fn inside(self, scene: &Scene, outcome: &Outcome) {
        let Some(delivered) = outcome.entry.millis("deliveryMs") else {
            if scene.part == Part::Offline {
                self.step(
                    "",
                    "authorised",
                    "the sender may send to this client; looked it up: nobody",
                );
            }
            return;
        };
        let time = format!("{delivered:.2}");
        let rights = "the sender iot:SendDirectMessage, the device iot:Receive";
        self.step(&format!("< {time}"), "authorised", rights);
        self.step(&time, "delivered", "PUBLISH with QoS 1 on the device's connection");
        match outcome.entry.millis("ackMs") {
            Some(ack) => {
                let what = format!("from the device, {ack:.2} ms after the delivery");
                self.step(&format!("{:.2}", delivered + ack), "PUBACK", &what);
            }
            None => self.step("-", "no PUBACK", "the device has the message and says nothing"),
        }
    }

    fn answer(self, outcome: &Outcome, as_expected: bool) {
        let answer = &outcome.answer;
        let time = format!("{:.2}", millis(answer.elapsed));
        let status = answer.status.to_string();
        // The sentence that goes with a reason is in the log entry below.
        let words = answer.reason.as_deref().or(answer.message.as_deref()).unwrap_or_default();
        // The columns are made before the colours, which have no width.
        let column = format!("{status:<11}");
        let column = if as_expected { self.paint.good(column) } else { self.paint.bad(column) };
        println!("{time:>10} ms  {column} {words}");
    }

    fn step(self, time: &str, name: &str, what: &str) {
        let unit = if time.is_empty() || time == "-" { "  " } else { "ms" };
        println!("{time:>10} {unit}  {name:<11} {what}");
    }

    pub(super) fn next_steps(self, program: &str) {
        println!("\n{}", self.paint.bold("Next"));
        let send = format!("{program} send {DEVICE} {TOPIC} '{PAYLOAD}' --confirm");
        for (command, what) in [
            (format!("{program} dev"), "a server of your own, with commands to paste"),
            (format!("{program} listen {DEVICE}"), "be the device, in a second terminal"),
            (send, "in a third"),
        ] {
            println!("  {command}  {}", self.paint.dim(format_args!("# {what}")));
        }
    }

    pub(super) fn differences(self, differences: &[String]) {
        for difference in differences {
            println!("   {} {difference}", self.paint.bad("NOT AS EXPECTED"));
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
