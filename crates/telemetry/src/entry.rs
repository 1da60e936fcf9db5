//! The shape of every log entry.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::draft::Drafts;
use crate::event::{Event, Protocol};
use crate::line::{Line, key};
use crate::timestamp::Clock;
use crate::{Level, Status};

/// The account as a member of every entry.
pub(crate) struct Account {
    /// Such as `,"accountId":"123456789012"`.
    member: Vec<u8>,
    /// Tells it from those of other logs of this process.
    number: u64,
}

impl Account {
    pub(crate) fn new(id: &str) -> Self {
        static ACCOUNTS: AtomicU64 = AtomicU64::new(1);
        let mut line = Line::new();
        line.formatted(key!("accountId"), format_args!("{id}"));
        let number = ACCOUNTS.fetch_add(1, Ordering::Relaxed);
        Account { member: line.as_bytes().to_vec(), number }
    }

    /// Not 0.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

/// What a thread needs to write entries, and what it keeps from one to the next.
pub(crate) struct Scribe {
    clock: Clock,
    line: Line,
    drafts: Drafts,
}

impl Scribe {
    pub(crate) const fn new() -> Self {
        Scribe { clock: Clock::new(), line: Line::new(), drafts: Drafts::new() }
    }

    /// The entry, with its line end: the members every entry has (spec 8.2), then the event's own.
    #[inline]
    pub(crate) fn write<E: Event>(&mut self, event: &E, account: &Account) -> &[u8] {
        let line = match (E::SERIES, event.party()) {
            (Some(series), Some(party)) if event.status() == Status::Success => {
                self.drafts.of(series).begun(event, &party, account)
            }
            (_, _) => {
                begin(event, account, &mut self.line);
                &mut self.line
            }
        };
        line.set_time(self.clock.now());
        event.write(line);
        line.raw([b"}\n"]);
        line.as_bytes()
    }
}

/// Writes what stands before that which only the event itself can tell; the time is still to be set.
#[inline]
pub(crate) fn begin<E: Event>(event: &E, account: &Account, line: &mut Line) {
    line.begin();
    // A member that is known as a whole is copied as a whole.
    match event.level() {
        Level::Debug => line.raw([br#","logLevel":"DEBUG""#]),
        Level::Info => line.raw([br#","logLevel":"INFO""#]),
        Level::Warn => line.raw([br#","logLevel":"WARN""#]),
        Level::Error => line.raw([br#","logLevel":"ERROR""#]),
        Level::Disabled => line.raw([br#","logLevel":"DISABLED""#]),
    }
    line.raw([&event.trace_id().member(), &account.member]);
    let status = match event.status() {
        Status::Success => br#","status":"Success""#,
        Status::Failure => br#","status":"Failure""#,
    };
    let protocol: &[u8] = match event.protocol() {
        Some(Protocol::Mqtt) => br#","protocol":"MQTT""#,
        Some(Protocol::Http) => br#","protocol":"HTTP""#,
        None => b"",
    };
    line.raw([status, br#","eventType":""#, E::TYPE.as_bytes(), b"\"", protocol]);
    if let Some(party) = event.party() {
        line.party(&party);
    }
}
