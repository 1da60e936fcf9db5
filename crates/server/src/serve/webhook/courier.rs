//! Whoever posts receipts, a few at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use client::SendError;
use http::StatusCode;
use telemetry::event::{self, WebhookDrop};
use telemetry::{Status, Telemetry};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::queue::{Letter, Queue};
use super::signature::Signer;
use crate::config;
use crate::serve::backoff;
use crate::serve::poster::Poster;

/// How many posts are under way at a time, each on a connection of its own that is kept.
const AT_A_TIME: usize = 4;

/// Posts what comes in, and again what did not get through.
pub(super) struct Courier {
    post: Arc<Post>,
    attempts: u32,
    letters: mpsc::UnboundedReceiver<Letter>,
    queue: Arc<Queue>,
    telemetry: Arc<Telemetry>,
    /// What is to be tried again, and when; the number keeps two of one moment apart.
    again: BTreeMap<(Instant, u64), Letter>,
    numbers: u64,
    /// Connections without a post.
    idle: Vec<Poster>,
    under_way: JoinSet<Attempt>,
    /// Shared with every post under way that is not the first of its receipt.
    retrials: Arc<()>,
    /// It was said that receipts do not get through.
    failing: bool,
}

/// What is needed for a post.
struct Post {
    config: config::Webhook,
    signer: Signer,
}

/// A post that has ended.
struct Attempt {
    letter: Letter,
    poster: Poster,
    result: Result<(), Failure>,
    /// It was not the first of its receipt.
    retrial: Option<Arc<()>>,
}

/// Why a receipt did not get through.
enum Failure {
    /// The receiver wants no more of them.
    Gone,
    /// It may get through another time; why, without a full stop.
    Passing(String),
}

/// Whether to go on.
enum Next {
    GoOn,
    Stop,
}

impl Courier {
    /// # Errors
    /// The URL cannot be used.
    pub(super) fn new(
        config: config::Webhook,
        letters: mpsc::UnboundedReceiver<Letter>,
        queue: Arc<Queue>,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, SendError> {
        let (attempts, signer) = (config.attempts, Signer::new(config.secret.bytes()));
        let idle = (0..AT_A_TIME).map(|_| poster(&config)).collect::<Result<_, _>>()?;
        Ok(Courier {
            post: Arc::new(Post { config, signer }),
            attempts,
            letters,
            queue,
            telemetry,
            again: BTreeMap::new(),
            numbers: 0,
            idle,
            under_way: JoinSet::new(),
            retrials: Arc::new(()),
            failing: false,
        })
    }

    /// Goes on until the receiver wants no more or `end` says until when to finish.
    pub(super) async fn run(mut self, mut end: oneshot::Receiver<Instant>) {
        loop {
            let free = !self.idle.is_empty();
            let due = self.again.first_key_value().map(|((due, _), _)| *due);
            let due_then = due.unwrap_or_else(Instant::now);
            tokio::select! {
                Some(ended) = self.under_way.join_next() => {
                    if let Next::Stop = self.handle(ended) {
                        return self.give_up();
                    }
                }
                Some(letter) = self.letters.recv(), if free => self.begin(letter),
                () = sleep_until(due_then), if free && due.is_some() => {
                    if let Some((_, letter)) = self.again.pop_first() {
                        self.begin(letter);
                    }
                }
                deadline = &mut end => match deadline {
                    Ok(deadline) => return self.finish(deadline).await,
                    // The server did not come to its start.
                    Err(_) => return,
                },
            }
        }
    }

    fn begin(&mut self, letter: Letter) {
        let Some(poster) = self.idle.pop() else { return self.put_off(letter) };
        let retrial = (letter.attempts > 0).then(|| Arc::clone(&self.retrials));
        self.under_way.spawn(Arc::clone(&self.post).attempt(letter, poster, retrial));
    }

    /// Whether no receipt is left of those that did not get through.
    fn is_recovered(&self) -> bool {
        self.again.is_empty() && Arc::strong_count(&self.retrials) == 1
    }

    fn handle(&mut self, ended: Result<Attempt, JoinError>) -> Next {
        let Some(Attempt { letter, poster, result, retrial }) = self.take_back(ended) else {
            return Next::GoOn;
        };
        self.idle.push(poster);
        drop(retrial);
        let metrics = self.telemetry.metrics();
        metrics.webhook_attempt(Status::of(result.is_ok()));
        match result {
            Ok(()) => {
                if self.failing && self.is_recovered() {
                    self.failing = false;
                    self.telemetry.record(&event::Webhook::Recovered);
                }
            }
            Err(Failure::Gone) => {
                metrics.webhook_dropped(WebhookDrop::Gone);
                return Next::Stop;
            }
            Err(Failure::Passing(sentence)) => {
                if !std::mem::replace(&mut self.failing, true) {
                    self.telemetry.record(&event::Webhook::Failing { sentence: &sentence });
                }
                if letter.attempts < self.attempts {
                    self.put_off(letter);
                } else {
                    metrics.webhook_dropped(WebhookDrop::GivenUp);
                }
            }
        }
        Next::GoOn
    }

    /// What is left of a post; nothing if it panicked.
    fn take_back(&mut self, ended: Result<Attempt, JoinError>) -> Option<Attempt> {
        if let Ok(attempt) = ended {
            return Some(attempt);
        }
        self.telemetry.metrics().webhook_dropped(WebhookDrop::GivenUp);
        self.idle.extend(poster(&self.post.config));
        None
    }

    fn put_off(&mut self, letter: Letter) {
        self.numbers += 1;
        let due = Instant::now() + backoff::after(letter.attempts);
        self.again.insert((due, self.numbers), letter);
    }

    /// The receiver wants no more.
    fn give_up(mut self) {
        self.queue.close();
        self.letters.close();
        let waiting = std::iter::from_fn(|| self.letters.try_recv().ok()).count();
        self.letters_not_wanted(waiting + self.again.len());
    }

    /// Says and counts that the receiver wants no more, neither what waits nor what is under way.
    fn letters_not_wanted(&self, waiting: usize) {
        let dropped = waiting + self.under_way.len();
        self.count_dropped(WebhookDrop::Gone, dropped);
        // And the one that was answered so.
        self.telemetry.record(&event::Webhook::Gone { dropped: dropped + 1 });
    }

    /// Tries everything once that waits.
    async fn finish(mut self, deadline: Instant) {
        self.letters.close();
        let fresh = std::iter::from_fn(|| self.letters.try_recv().ok());
        let mut waiting: Vec<_> = std::mem::take(&mut self.again).into_values().collect();
        waiting.extend(fresh);
        // The oldest are taken from the end.
        waiting.reverse();
        let mut dropped = 0;
        loop {
            while !self.idle.is_empty()
                && let Some(letter) = waiting.pop()
            {
                self.begin(letter);
            }
            match timeout_at(deadline, self.under_way.join_next()).await {
                Ok(Some(ended)) => {
                    let Some(attempt) = self.take_back(ended) else { continue };
                    self.idle.push(attempt.poster);
                    let metrics = self.telemetry.metrics();
                    metrics.webhook_attempt(Status::of(attempt.result.is_ok()));
                    if let Err(Failure::Gone) = attempt.result {
                        metrics.webhook_dropped(WebhookDrop::Gone);
                        self.letters_not_wanted(waiting.len());
                        break;
                    }
                    dropped += usize::from(attempt.result.is_err());
                }
                Ok(None) => break,
                Err(_) => {
                    dropped += waiting.len() + self.under_way.len();
                    break;
                }
            }
        }
        self.count_dropped(WebhookDrop::Shutdown, dropped);
        if dropped > 0 {
            self.telemetry.record(&event::Webhook::DroppedAtTheEnd { dropped });
        }
    }

    fn count_dropped(&self, why: WebhookDrop, dropped: usize) {
        (0..dropped).for_each(|_| self.telemetry.metrics().webhook_dropped(why));
    }
}

fn poster(config: &config::Webhook) -> Result<Poster, SendError> {
    Poster::new(&config.remote, config.timeout)
}

impl Post {
    async fn attempt(
        self: Arc<Self>,
        mut letter: Letter,
        mut poster: Poster,
        retrial: Option<Arc<()>>,
    ) -> Attempt {
        letter.attempts += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let headers = self.signer.headers(&letter.id, now.as_secs(), &letter.body);
        let result = match poster.post(&headers, &letter.body).await.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(StatusCode::GONE) => Err(Failure::Gone),
            Ok(status) => Err(Failure::Passing(poster.answered(status))),
            Err(sentence) => Err(Failure::Passing(sentence)),
        };
        Attempt { letter, poster, result, retrial }
    }
}
