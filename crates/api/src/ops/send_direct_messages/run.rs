//! A message on its way to many.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use broker::{Node, Settle, Settled};
use bytes::Bytes;
use foldhash::fast::RandomState;
use mqtt::ClientId;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::expansion::Targets;
use super::ledger::Ledger;
use super::lines::{Gone, Lines};
use super::pattern::Pattern;
use crate::deliveries::Deliveries;
use crate::exchange::{Exchange, Told};
use crate::fault::Fault;
use crate::ops::send_direct_message::{Alike, OneOfMany, Sent};
use crate::reply::line;
use crate::truth::Truth;

/// How many targets are dealt with before what became of them is told and others have their turn.
const ROUND: usize = 64;

/// The news of one target, by its number.
type News = (usize, Settled);

/// What all targets have in common.
pub(super) struct Plan {
    pub(super) alike: Alike,
    pub(super) at_once: usize,
    /// The idempotency key of the whole.
    pub(super) key: Option<Box<str>>,
    pub(super) deliveries: Arc<Deliveries>,
}

/// One call. Dropped, its sender has gone away: what is under way is logged so, and the rest is
/// never begun.
pub(super) struct Run {
    plan: Arc<Plan>,
    ledger: Ledger,
    waiting: std::vec::IntoIter<ClientId>,
    begun: usize,
    /// Bounded by the plan's number.
    under_way: HashMap<usize, Exchange, RandomState>,
    /// Never more than there are under way.
    news: (UnboundedSender<News>, UnboundedReceiver<News>),
    lines: Lines,
}

/// When more can be begun.
enum Next {
    /// Once others have had their turn.
    Soon,
    /// When the account's rate lets it.
    After(Duration),
    /// When one of those under way has settled, if there are any left to begin at all.
    WhenSettled,
}

impl Run {
    pub(super) fn new(
        plan: Plan,
        mut ledger: Ledger,
        targets: Targets,
        lines: mpsc::Sender<Bytes>,
    ) -> Self {
        let Targets { client_ids, unmatched } = targets;
        ledger.targets = Some(client_ids.len() + unmatched.len());
        let patience = ledger.node.bounds().write_stall;
        let mut run = Run {
            plan: Arc::new(plan),
            ledger,
            waiting: client_ids.into_iter(),
            begun: 0,
            under_way: HashMap::default(),
            news: mpsc::unbounded_channel(),
            lines: Lines::new(lines, patience),
        };
        unmatched.iter().for_each(|pattern| run.tell_unmatched(pattern));
        run
    }

    /// Sends to everybody and tells what became of it, until all is told or nobody reads any more.
    pub(super) async fn run(mut self) {
        match self.advance().await {
            Ok(()) => self.finish().await,
            // Dropping the rest says so.
            Err(Gone) => self.settle_what_is_known(),
        }
    }

    /// Nobody reads any more, but what was heard of before is logged as it went.
    fn settle_what_is_known(&mut self) {
        while let Ok((number, settled)) = self.news.1.try_recv() {
            if let Some(exchange) = self.under_way.remove(&number) {
                let told = exchange.settle_one(&settled);
                self.ledger.count(told.succeeded);
            }
        }
    }

    async fn advance(&mut self) -> Result<(), Gone> {
        let mut heard = Vec::with_capacity(ROUND);
        while !self.lines.is_closed() {
            let next = self.begin_some();
            self.lines.flush().await?;
            if self.under_way.is_empty() && self.waiting.len() == 0 {
                return Ok(());
            }
            let more = async {
                match next {
                    Next::Soon => tokio::task::yield_now().await,
                    Next::After(pause) => tokio::time::sleep(pause).await,
                    Next::WhenSettled => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.lines.closed() => return Err(Gone),
                _ = self.news.1.recv_many(&mut heard, ROUND) => {}
                () = more => {}
            }
            for (number, settled) in heard.drain(..) {
                // A message that timed out may have more news; it is told once.
                if let Some(exchange) = self.under_way.remove(&number) {
                    self.tell(exchange.settle_one(&settled));
                }
            }
        }
        Err(Gone)
    }

    /// Begins what may be begun now.
    fn begin_some(&mut self) -> Next {
        let node = Arc::clone(&self.ledger.node);
        for _ in 0..ROUND {
            if node.is_draining() {
                match self.waiting.next() {
                    Some(client_id) => self.turn_away(&client_id),
                    None => return Next::WhenSettled,
                }
                continue;
            }
            if self.under_way.len() >= self.plan.at_once {
                return Next::WhenSettled;
            }
            let pause = node.pace_of_many();
            if !pause.is_zero() && self.waiting.len() > 0 {
                return Next::After(pause);
            }
            match self.waiting.next() {
                Some(client_id) => self.begin(&node, client_id),
                None => return Next::WhenSettled,
            }
        }
        Next::Soon
    }

    fn begin(&mut self, node: &Arc<Node>, client_id: ClientId) {
        let plan = Arc::clone(&self.plan);
        let one = OneOfMany {
            // No key of a single message has a space in it.
            key: plan.key.as_ref().map(|key| format!("{key} {client_id}").into()),
            client_id,
            sender: self.ledger.sender.clone(),
            batch: self.ledger.trace_id,
            waited: node.now().since(self.ledger.taken_in),
        };
        let (mut exchange, dispatch) = plan.alike.begin(node, &plan.deliveries, one);
        let dispatch = match dispatch {
            Ok(dispatch) => dispatch,
            Err(outcome) => {
                return self.tell(exchange.settle_one(&Settled::refused(outcome, None)));
            }
        };
        self.begun += 1;
        let reporter = Reporter { number: self.begun, news: self.news.0.clone() };
        match dispatch.send(node, || Arc::new(reporter)) {
            Sent::Waiting(progress) => {
                exchange.note(progress);
                self.under_way.insert(self.begun, exchange);
            }
            Sent::Settled(progress, settled) => {
                exchange.note(progress);
                self.tell(exchange.settle_one(&settled));
            }
        }
    }

    fn tell(&mut self, told: Told) {
        self.ledger.count(told.succeeded);
        self.lines.push(&told.line);
    }

    /// A server that drains begins nothing new.
    fn turn_away(&mut self, client_id: &ClientId) {
        let fault = Fault::draining().telling(Truth::NeverSent);
        self.tell_fault(client_id.as_str(), &fault);
    }

    fn tell_unmatched(&mut self, pattern: &Pattern) {
        self.tell_fault(pattern.as_str(), &Fault::of_pattern());
    }

    /// What was never begun has the trace ID of the whole.
    fn tell_fault(&mut self, client_id: &str, fault: &Fault) {
        let line = line(client_id, self.ledger.trace_id, Some(fault));
        self.tell(Told { line, succeeded: false });
    }

    /// The last line says that it is the last.
    async fn finish(mut self) {
        let Ledger { succeeded, failed, trace_id, .. } = self.ledger;
        self.lines.push(&serde_json::json!({
            "done": true,
            "targets": succeeded + failed,
            "succeeded": succeeded,
            "failed": failed,
            "traceId": trace_id.to_string(),
        }));
        if let Ok(()) = self.lines.flush().await {
            self.ledger.finish();
        }
    }
}

/// Tells a run what became of one of its targets.
struct Reporter {
    number: usize,
    news: UnboundedSender<News>,
}

impl Settle for Reporter {
    fn settle(&self, settled: Settled) {
        // The run may be over, its sender gone; then nobody is left to tell.
        let _ = self.news.send((self.number, settled));
    }
}
