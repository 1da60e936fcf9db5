//! Keeps what is registered: one change at a time, in force at once and told when it is durable.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use engine::Ticket;
use engine::directory::{Directory, Principal};
use identity::x509;
use parking_lot::Mutex;
use policy::{Attributes, Scope};
use registry::{Change, Clash, Edit, Issuer, Record, Refused, Registry};
use store::{Changes, Journal, Records, StoreError, StoreFailed, Table, record};

/// What is registered, and where it is kept. Files and the API change it alike.
pub struct Registrar {
    state: Mutex<State>,
    /// What is looked up for connections and requests; exchanged with every change.
    directory: Arc<ArcSwap<Directory>>,
    /// None if nothing outlives the process.
    journal: Option<Arc<Journal>>,
}

struct State {
    registry: Registry,
    /// The ticket of the newest change.
    latest: Ticket,
}

/// A change that was made, and what is to be told of it once it is durable.
#[derive(Debug)]
pub(crate) struct Made<T> {
    /// For whoever asked for it.
    pub(crate) told: T,
    /// They were in use and are not any more.
    pub(crate) ended: Vec<Arc<Principal>>,
    /// When it is durable.
    pub(crate) ticket: Ticket,
}

/// What became of the files' records.
#[derive(Debug)]
pub struct TakenUp {
    /// They were in use and are not any more.
    pub ended: Vec<Arc<Principal>>,
    /// Why the files are not in force, if they are not.
    pub clashes: Vec<Clash>,
}

impl Registrar {
    /// Nothing is registered, and nothing outlives the process.
    pub fn new(scope: Scope) -> Arc<Self> {
        Self::over(Registry::new(scope), None)
    }

    /// What an earlier process kept is registered, and what is registered from now on is kept.
    ///
    /// # Errors
    /// What was kept cannot be read.
    pub fn open(
        scope: Scope,
        records: &dyn Records,
        journal: Arc<Journal>,
    ) -> Result<Arc<Self>, StoreError> {
        let mut change = Change::nothing();
        record::each(records, Table::Registry, |key, value| {
            let record = with_attributes(record::registry::read(key, value)?);
            change.edits.push(Edit::Put(Box::new(record)));
            Ok(())
        })?;
        let mut registry = Registry::new(scope);
        // Nobody is connected yet.
        let _ = registry.apply(change, now_millis() / 1_000);
        Ok(Self::over(registry, Some(journal)))
    }

    fn over(registry: Registry, journal: Option<Arc<Journal>>) -> Arc<Self> {
        let directory = Arc::new(ArcSwap::from_pointee(registry.directory()));
        let state = Mutex::new(State { registry, latest: Ticket::NONE });
        Arc::new(Registrar { state, directory, journal })
    }

    /// Everybody who is registered; exchanged with every change.
    pub fn directory(&self) -> Arc<ArcSwap<Directory>> {
        Arc::clone(&self.directory)
    }

    /// Looks at what is registered. Everybody else waits meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Registry) -> T) -> T {
        look(&self.state.lock().registry)
    }

    /// Takes up what the files say now, as a whole; or, if they clash with something, only that
    /// senders and certificates are gone.
    pub fn take_up(&self, records: Vec<Record>) -> TakenUp {
        let registry = &mut self.state.lock().registry;
        let gone = registry.take_away(&records);
        let (change, clashes) = match registry.take_up(records) {
            Ok(change) => (change, Vec::new()),
            Err(clashes) => (gone, clashes),
        };
        let effects = registry.apply(change, now_millis() / 1_000);
        self.directory.store(Arc::new(registry.directory()));
        TakenUp { ended: effects.ended, clashes }
    }

    /// Gives those who were in use and have expired since the last time.
    pub fn expire(&self) -> Vec<Arc<Principal>> {
        self.state.lock().registry.expire(now_millis() / 1_000).ended
    }

    /// The wall clock, in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        now_millis() / 1_000
    }

    /// The authority with which this node makes certificates; `make` makes one, valid from a time in
    /// seconds since 1970 on, if there is none yet.
    pub(crate) fn issuer<E>(
        &self,
        make: impl FnOnce(i64) -> Result<Issuer, E>,
    ) -> Result<Arc<Issuer>, E> {
        let present = |registry: &Registry| registry.issuer().map(Arc::clone);
        if let Some(issuer) = self.look(present) {
            return Ok(issuer);
        }
        let issuer = make(self.now())?;
        let made = Arc::new(issuer.clone());
        // Somebody else may have been quicker. What is issued is written after it, so that nothing
        // is there whose issuer is not.
        let kept = self.change(|registry, _| match present(registry) {
            Some(issuer) => Ok((Change::nothing(), issuer)),
            None => Ok((Change::put(Record::Issuer(issuer)), made.clone())),
        });
        Ok(kept.map_or(made, |kept| kept.told))
    }

    /// Lets `decide` find out what changes, at a time in milliseconds since 1970, and makes the
    /// change. What is told of it is for others only once it is durable.
    pub(crate) fn change<T>(
        &self,
        decide: impl FnOnce(&Registry, i64) -> Result<(Change, T), Refused>,
    ) -> Result<Made<T>, Refused> {
        let mut state = self.state.lock();
        let now = now_millis();
        let (change, told) = decide(&state.registry, now)?;
        if change.is_nothing() {
            // What makes it so may be on its way to the disk still.
            return Ok(Made { told, ended: Vec::new(), ticket: state.latest });
        }
        state.latest = self.keep(&change);
        let effects = state.registry.apply(change, now / 1_000);
        self.directory.store(Arc::new(state.registry.directory()));
        Ok(Made { told, ended: effects.ended, ticket: state.latest })
    }

    /// Calls `then` once the change is durable or never will be; it must not wait.
    pub(crate) fn when_kept(
        &self,
        ticket: Ticket,
        then: impl FnOnce(Result<(), StoreFailed>) + Send + 'static,
    ) {
        match &self.journal {
            Some(journal) => journal.when_durable(ticket, then),
            None => then(Ok(())),
        }
    }

    fn keep(&self, change: &Change) -> Ticket {
        let Some(journal) = &self.journal else { return Ticket::NONE };
        let mut changes = Changes::new();
        record::registry::write(&mut changes, change);
        journal.write(&changes)
    }
}

/// What a certificate says to policies is in the certificate.
fn with_attributes(record: Record) -> Record {
    match record {
        Record::Certificate(mut certificate) => {
            let pem = certificate.pem.as_deref().unwrap_or_default();
            if let Ok((_, parsed)) = x509::parse_pem(pem.as_bytes()) {
                certificate.attributes = Attributes::from_iter(parsed.policy_attributes());
            }
            Record::Certificate(certificate)
        }
        record @ (Record::Authority(_)
        | Record::Policy(_)
        | Record::Thing(_)
        | Record::Sender(_)
        | Record::RegistrationCode(_)
        | Record::Issuer(_)
        | Record::Logging(_)) => record,
    }
}

/// The wall clock, in milliseconds since 1970.
fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
