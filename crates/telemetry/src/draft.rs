//! Lines whose beginning is written already.

use std::net::SocketAddr;

use crate::TraceId;
use crate::entry::{self, Account};
use crate::event::Event;
use crate::line::Line;
use crate::member::Party;

/// Connections of a series whose drafts a thread keeps, each of at most a few kilobytes. A message
/// goes out to several subscribers in turn, so one is not enough.
const PLACES: usize = 16;

/// Events of which a connection has one for each message, often many in a row. Their entries differ
/// in little, so that the line of one is made from that of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Messages that came in.
    PublishIn,
    /// Messages that went out.
    PublishOut,
}

/// The drafts that one thread keeps.
pub(crate) struct Drafts {
    publish_in: Places,
    publish_out: Places,
}

impl Drafts {
    pub(crate) const fn new() -> Self {
        Drafts { publish_in: Places::new(), publish_out: Places::new() }
    }

    pub(crate) fn of(&mut self, series: Series) -> &mut Places {
        match series {
            Series::PublishIn => &mut self.publish_in,
            Series::PublishOut => &mut self.publish_out,
        }
    }
}

/// The drafts of one series, of successes only. The trace ID tells a connection its place, which
/// belongs to the last one of all that share it.
pub(crate) struct Places([Option<Box<Draft>>; PLACES]);

/// A line that begins like the last one of a connection, and all that this beginning depends on, but
/// for what is the same in the whole series.
struct Draft {
    trace_id: TraceId,
    /// The account's number; 0 if it is nobody's.
    account: u64,
    source: SocketAddr,
    client_id: String,
    principal_id: String,
    line: Line,
    /// Bytes of the line that do not change, but for the time in them.
    kept: usize,
}

impl Places {
    const fn new() -> Self {
        Places([const { None }; PLACES])
    }

    /// The line of an event of this series that is a success, written up to where only the event
    /// itself can go on.
    #[inline]
    pub(crate) fn begun<E: Event>(
        &mut self,
        event: &E,
        party: &Party<'_>,
        account: &Account,
    ) -> &mut Line {
        let trace_id = event.trace_id();
        let place = &mut self.0[usize::from(trace_id.as_bytes()[15]) % PLACES];
        let draft = place.get_or_insert_with(Draft::nobodys);
        if draft.is_of(trace_id, party, account) {
            draft.line.rewind(draft.kept);
        } else {
            draft.take(trace_id, party, account);
            entry::begin(event, account, &mut draft.line);
            draft.kept = draft.line.as_bytes().len();
        }
        &mut draft.line
    }
}

impl Draft {
    /// One of no account, and so of no event.
    #[cold]
    fn nobodys() -> Box<Self> {
        Box::new(Draft {
            trace_id: TraceId::from_bytes([0; 16]),
            account: 0,
            source: SocketAddr::from(([0; 4], 0)),
            client_id: String::new(),
            principal_id: String::new(),
            line: Line::new(),
            kept: 0,
        })
    }

    /// Trace IDs are unique; but a log that takes one device for another, because once they were not,
    /// would be worse than a few comparisons.
    #[inline]
    fn is_of(&self, trace_id: TraceId, party: &Party<'_>, account: &Account) -> bool {
        self.trace_id == trace_id
            && self.account == account.number()
            && self.source == party.source
            && self.client_id == party.client_id
            && self.principal_id == party.principal_id
    }

    /// Is from now on that of another connection.
    fn take(&mut self, trace_id: TraceId, party: &Party<'_>, account: &Account) {
        self.trace_id = trace_id;
        self.account = account.number();
        self.source = party.source;
        party.client_id.clone_into(&mut self.client_id);
        party.principal_id.clone_into(&mut self.principal_id);
    }
}
