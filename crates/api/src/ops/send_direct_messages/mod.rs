//! `POST /direct-messages`: one message to many clients, answered with a line for each as it
//! settles. Not an operation of AWS.

mod expansion;
mod input;
mod ledger;
mod lines;
mod pattern;
mod run;

use std::sync::Arc;

use broker::Node;
use engine::outcome::DirectOutcome;

use super::Call;
use crate::deliveries::Deliveries;
use crate::exchange::{Begun, Later, counted};
use crate::pieces::Pieces;
use crate::reply::Reply;
use expansion::expand;
use input::Asked;
use input::Input;
pub(crate) use input::body_bytes;
use ledger::Ledger;
use run::{Plan, Run};

const MEDIA_TYPE: &str = "application/x-ndjson";

/// A checked message to many whose sender has to be answered. Dropping it says that the sender went
/// away.
pub struct Many {
    asked: Asked,
    plan: Plan,
    ledger: Ledger,
}

/// Checks the call. Whether the sender may send is asked for each target.
pub(crate) fn begin<'a>(
    node: &Arc<Node>,
    deliveries: &Arc<Deliveries>,
    call: Call<'_>,
) -> Begun<'a> {
    let Call { head, payload: body, sender, trace_id, .. } = call;
    let mut ledger = Ledger::open(node, sender, trace_id);
    let input = match Input::parse(body, head, &mut ledger.topic) {
        Ok(input) => input,
        Err(invalid) => return Begun::Answered(ledger.refuse(DirectOutcome::Invalid(invalid))),
    };
    let Input { asked, alike, at_once, key } = input;
    let limit = node.rules().quotas.payload_bytes;
    if alike.payload.len() > limit {
        return Begun::Answered(ledger.refuse(DirectOutcome::PayloadTooLarge { limit }));
    }
    let plan = Plan { alike, at_once, key, deliveries: Arc::clone(deliveries) };
    Begun::Later(Later::Many(Box::new(Many { asked, plan, ledger })))
}

impl Many {
    /// Finds out whom the message goes to, and sends to them in a task of the present runtime: gives
    /// the beginning of the answer. Dropped before, nothing is sent.
    pub(crate) async fn answered(self) -> Reply {
        let Many { asked, plan, ledger } = self;
        let expanded = expand(&ledger.node, &ledger.sender, &plan.alike.topic, asked).await;
        match expanded {
            Ok(targets) => {
                let (lines, pieces) = Pieces::channel();
                let reply = Reply::pieces(ledger.trace_id, MEDIA_TYPE, pieces);
                let reply = counted(&ledger.node, reply);
                // A sender that goes away from now on drops the answer, which ends the run.
                tokio::spawn(Run::new(plan, ledger, targets, lines).run());
                reply
            }
            Err(outcome) => ledger.refuse(outcome),
        }
    }
}

/// Checks the body; says how many of `names` fit a pattern of it, if it is acceptable.
#[cfg(fuzzing)]
pub fn parse<'a>(body: &[u8], names: impl Iterator<Item = &'a str>) -> Option<usize> {
    let headers = crate::Fields::new(&[]);
    let head = crate::Head { method: "POST", path: "", query: "", headers };
    let input = Input::parse(body, &head, &mut None).ok()?;
    let patterns = &input.asked.patterns;
    Some(names.filter(|name| patterns.iter().any(|pattern| pattern.fits(name))).count())
}
