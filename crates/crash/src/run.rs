//! One run: load, kills, and what came of it.

use std::thread;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::publisher::{Publications, Publisher};
use crate::server::Server;
use crate::stage::{Phase, Stage};
use crate::subscriber::{Receipts, Subscriber};
use crate::verdict::Verdict;

const PUBLISHERS: usize = 4;
const SUBSCRIBERS: usize = 6;
/// When the server is killed, after it accepts, in milliseconds.
const KILL_MILLIS: std::ops::Range<u64> = 5..400;
/// One in so many kills comes early, when clients connect.
const EARLY: u64 = 3;
const EARLY_MILLIS: std::ops::Range<u64> = 5..40;
/// One in so many starts is cut off before the server accepts.
const CUT_OFF: u64 = 8;
const CUT_OFF_MILLIS: std::ops::Range<u64> = 1..60;

/// What a run showed.
pub(crate) struct Finding {
    pub(crate) kills: u64,
    pub(crate) cut_off: u64,
    /// How long the starts took until the server accepted.
    pub(crate) starts: Vec<Duration>,
    pub(crate) verdict: Verdict,
}

/// Runs the load, kills the server so many times, and lets everything come to its end.
///
/// # Errors
/// The server does not start, or ends by itself.
pub(crate) fn run(server: &mut Server, seed: u64, kills: u64) -> Result<Finding, String> {
    let stage = Stage::new(seed);
    stage.set_server(Some(server.start()?));
    thread::scope(|scope| {
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|index| Publisher::new(&stage, index))
            .map(|publisher| scope.spawn(move || publisher.run()))
            .collect();
        let subscribers: Vec<_> = (0..SUBSCRIBERS)
            .map(|index| Subscriber::new(&stage, index))
            .map(|subscriber| scope.spawn(move || subscriber.run()))
            .collect();
        let mut finding =
            Finding { kills: 0, cut_off: 0, starts: Vec::new(), verdict: Verdict::default() };
        let killed = kill(server, &stage, kills, &mut finding);
        // Without a server nobody finishes, but everybody's patience ends.
        stage.enter(Phase::Finish);
        let published: Vec<Publications> = publishers.into_iter().map(joined).collect();
        stage.enter(Phase::Drain);
        let received: Vec<Receipts> = subscribers.into_iter().map(joined).collect();
        killed?;
        server.stop()?;
        finding.verdict = Verdict::new(seed, &published, &received);
        finding.verdict.wrong.extend(stage.violations());
        finding.verdict.wrong.extend(server.panics());
        Ok(finding)
    })
}

fn kill(
    server: &mut Server,
    stage: &Stage,
    kills: u64,
    finding: &mut Finding,
) -> Result<(), String> {
    let mut chance = Chance::new(stage.seed, 1);
    while finding.kills < kills {
        let early = chance.once_in(EARLY);
        thread::sleep(chance.millis(if early { EARLY_MILLIS } else { KILL_MILLIS }));
        stage.set_server(None);
        server.kill()?;
        finding.kills += 1;
        if chance.once_in(CUT_OFF) && finding.kills < kills {
            server.spawn()?;
            thread::sleep(chance.millis(CUT_OFF_MILLIS));
            server.kill()?;
            finding.kills += 1;
            finding.cut_off += 1;
        }
        let began = Instant::now();
        stage.set_server(Some(server.start()?));
        finding.starts.push(began.elapsed());
    }
    Ok(())
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().expect("a client of the load does not panic")
}
