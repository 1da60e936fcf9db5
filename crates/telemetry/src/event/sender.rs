//! What the events of HTTP operations share.

use std::net::SocketAddr;

use crate::event::Subject;
use crate::line::{Line, key};
use crate::member::Ending;
use crate::{FailureClass, Status, TraceId, Verdict};

/// Whose request it is. It has no client ID.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The request's.
    pub trace_id: TraceId,
    /// Who the sender proved to be.
    pub principal_id: &'a str,
    /// Where the sender's connection comes from.
    pub source: SocketAddr,
}

/// Why a request was refused, in the words of its answer.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// On what ground.
    pub class: FailureClass,
    /// The machine-readable word (`reason`).
    pub reason: &'static str,
    /// The sentence for people (`details`).
    pub details: &'a str,
}

impl Sender<'_> {
    pub(crate) fn subject(&self) -> Subject<'_> {
        let Self { principal_id, source, .. } = *self;
        Subject { client_id: None, principal_id: Some(principal_id), source: Some(source) }
    }

    /// `principalId`, `sourceIp` and `sourcePort`.
    pub(crate) fn write(&self, line: &mut Line) {
        line.text(key!("principalId"), self.principal_id);
        line.source(self.source);
    }
}

impl<'a> Refusal<'a> {
    pub(crate) fn status(refused: Option<&Refusal<'_>>) -> Status {
        Status::of(refused.is_none())
    }

    /// As the verdict that is counted.
    pub(crate) fn verdict(refused: Option<&Refusal<'a>>) -> Verdict<'a> {
        match refused {
            None => Verdict::Success,
            Some(Refusal { class, details, .. }) => {
                Verdict::Failure { class: *class, code: None, details }
            }
        }
    }

    /// `reason` and `details`; nothing for a success.
    pub(crate) fn write(refused: Option<&Refusal<'_>>, line: &mut Line) {
        if let Some(Refusal { reason, details, .. }) = refused {
            line.ending(&Ending {
                reason: Some(reason),
                details: Some(details),
                mqtt_reason_code: None,
            });
        }
    }
}
