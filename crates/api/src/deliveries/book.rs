//! The messages that are known, by trace ID and by idempotency key.

use std::sync::Arc;

use engine::Moment;
use hashbrown::HashTable;
use telemetry::TraceId;

use super::record::Record;
use super::shelf::{Entries, Entry, Place, Shelf};

/// How many messages that were sent are known for one that never was: of those there is a receipt for
/// whoever asks soon, and nothing else.
const SENT_TO_NEVER_SENT: usize = 8;

/// Every message is in it from its claim on. What is under way stays; what was sent is kept among
/// those that were sent, and pushes out only these; what never was sent gives its key back and its
/// place among them.
pub(super) struct Book {
    entries: Entries,
    /// Found without looking at more of them than the one that is asked for.
    by_trace_id: HashTable<u32>,
    by_key: HashTable<u32>,
    sent: Shelf,
    never_sent: Shelf,
}

impl Book {
    /// For so many messages that were sent.
    pub(super) fn new(most: usize) -> Self {
        Book {
            entries: Entries::new(),
            by_trace_id: HashTable::new(),
            by_key: HashTable::new(),
            sent: Shelf::new(most),
            never_sent: Shelf::new((most / SENT_TO_NEVER_SENT).max(1)),
        }
    }

    /// Takes in a message that is under way. Its key must be free.
    pub(super) fn add(&mut self, record: Arc<Record>, until: Moment) {
        let trace_id = hash(record.trace_id());
        let key = record.key().map(|key| key.hash);
        let number = self.entries.insert(Entry::new(record, until)) as u32;
        let entries = &self.entries;
        if let Some(key) = key {
            let rehash = |present: &u32| key_hash(entries, *present);
            self.by_key.insert_unique(key, number, rehash);
        }
        let rehash = |present: &u32| hash(entries[*present as usize].record.trace_id());
        self.by_trace_id.insert_unique(trace_id, number, rehash);
    }

    /// Something of that message was sent.
    pub(super) fn sent(&mut self, trace_id: TraceId) {
        let Some(number) = self.number(trace_id) else { return };
        if self.entries[number as usize].place == Place::UnderWay {
            self.entries[number as usize].place = Place::Sent;
            let surplus = self.sent.put(&mut self.entries, number);
            self.forget(surplus);
        }
    }

    /// That message is known never to be sent.
    pub(super) fn never_sent(&mut self, trace_id: TraceId) {
        let Some(number) = self.number(trace_id) else { return };
        match self.entries[number as usize].place {
            Place::UnderWay => {}
            Place::Sent => self.sent.take(&mut self.entries, number),
            Place::NeverSent => return,
        }
        self.remove_key(number);
        self.entries[number as usize].place = Place::NeverSent;
        let surplus = self.never_sent.put(&mut self.entries, number);
        self.forget(surplus);
    }

    /// The message of that trace ID.
    pub(super) fn find(&self, trace_id: TraceId) -> Option<&Arc<Record>> {
        Some(&self.entries[self.number(trace_id)? as usize].record)
    }

    /// The message that has the same key.
    pub(super) fn find_key(&self, record: &Record) -> Option<&Arc<Record>> {
        let key = record.key()?;
        let is_it = |number: &u32| self.entries[*number as usize].record.has_same_key(record);
        let number = self.by_key.find(key.hash, is_it)?;
        Some(&self.entries[*number as usize].record)
    }

    /// Another message has the key of that one from now on.
    pub(super) fn free_key(&mut self, trace_id: TraceId) {
        if let Some(number) = self.number(trace_id) {
            self.remove_key(number);
        }
    }

    /// Forgets what is kept no longer.
    pub(super) fn forget_old(&mut self, now: Moment) {
        for place in [Place::Sent, Place::NeverSent] {
            while let Some(oldest) = self.shelf(place).and_then(|shelf| shelf.oldest())
                && self.entries[oldest as usize].until <= now
            {
                self.forget(Some(oldest));
            }
        }
    }

    fn shelf(&mut self, place: Place) -> Option<&mut Shelf> {
        match place {
            Place::UnderWay => None,
            Place::Sent => Some(&mut self.sent),
            Place::NeverSent => Some(&mut self.never_sent),
        }
    }

    fn number(&self, trace_id: TraceId) -> Option<u32> {
        let is_it = |number: &u32| self.entries[*number as usize].record.trace_id() == trace_id;
        self.by_trace_id.find(hash(trace_id), is_it).copied()
    }

    fn forget(&mut self, number: Option<u32>) {
        let Some(number) = number else { return };
        match self.entries[number as usize].place {
            Place::UnderWay => {}
            Place::Sent => self.sent.take(&mut self.entries, number),
            Place::NeverSent => self.never_sent.take(&mut self.entries, number),
        }
        self.remove_key(number);
        let Entry { record, .. } = self.entries.remove(number as usize);
        let is_it = |present: &u32| *present == number;
        if let Ok(found) = self.by_trace_id.find_entry(hash(record.trace_id()), is_it) {
            found.remove();
        }
    }

    fn remove_key(&mut self, number: u32) {
        let key = key_hash(&self.entries, number);
        if let Ok(found) = self.by_key.find_entry(key, |present| *present == number) {
            found.remove();
        }
    }
}

fn key_hash(entries: &Entries, number: u32) -> u64 {
    entries[number as usize].record.key().map_or(0, |key| key.hash)
}

/// A trace ID is random as it is.
fn hash(trace_id: TraceId) -> u64 {
    let [bytes @ .., _, _, _, _, _, _, _, _] = *trace_id.as_bytes();
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use broker::Settled;
    use engine::outcome::DirectOutcome;
    use proptest::prelude::*;

    use super::super::key::KeyHasher;
    use super::super::record::{Earlier, Known, Target};
    use super::*;

    const LATER: Moment = Moment::from_micros(1_000_000);

    fn record(hasher: &KeyHasher, principal_id: &str, key: &str) -> Arc<Record> {
        let known = Known {
            trace_id: TraceId::random(),
            target: Target::new("lamp", "t"),
            principal_id: principal_id.into(),
            taken_in_millis: 0,
            key: Some(hasher.key(principal_id, key)),
            fingerprint: 0,
        };
        let settled = Settled::refused(DirectOutcome::Acknowledged, None);
        Record::of_earlier(
            known,
            Earlier { settled, late: false, handed_over: 0, acknowledged: None },
        )
    }

    /// What happens to a message; the numbers choose a principal and, of the messages so far, one.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Claim(usize),
        Sent(usize),
        NeverSent(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            // One principal sends far more than the others.
            4 => Just(Step::Claim(0)),
            2 => (1..4_usize).prop_map(Step::Claim),
            4 => (0..1_000_usize).prop_map(Step::Sent),
            3 => (0..1_000_usize).prop_map(Step::NeverSent),
        ];
        prop::collection::vec(step, 1..300)
    }

    /// A book, and what must be in it.
    struct Model {
        book: Book,
        most: usize,
        claimed: Vec<(usize, Arc<Record>)>,
        places: BTreeMap<usize, Place>,
    }

    impl Model {
        fn count(&self, place: Place, principal: Option<usize>) -> usize {
            let is_meant = |(number, at): &(&usize, &Place)| {
                **at == place && principal.is_none_or(|id| self.claimed[**number].0 == id)
            };
            self.places.iter().filter(is_meant).count()
        }

        fn move_to(&mut self, chosen: usize, place: Place) {
            let number = chosen % self.claimed.len().max(1);
            let Some(before) = self.places.get(&number).copied() else { return };
            let trace_id = self.claimed[number].1.trace_id();
            match place {
                Place::Sent => self.book.sent(trace_id),
                Place::NeverSent => self.book.never_sent(trace_id),
                Place::UnderWay => {}
            }
            if before == Place::UnderWay || place == Place::NeverSent {
                self.places.insert(number, place);
            }
            self.check(place);
        }

        /// Nothing is missing but one of too many, and it is of a principal that has many.
        fn check(&mut self, place: Place) {
            let known = |record: &Record| self.book.find(record.trace_id()).is_some();
            let gone = |number: &&usize| !known(&self.claimed[**number].1);
            let gone: Vec<usize> = self.places.keys().filter(gone).copied().collect();
            for number in &gone {
                assert_eq!(self.places[number], place);
                assert!(self.count(place, None) > self.bound(place), "one is forgotten too early");
                let of = |principal| self.count(place, Some(principal));
                let most = (0..4).map(of).max().unwrap_or(0);
                assert!(of(self.claimed[*number].0) * 2 >= most, "it has few");
            }
            assert!(gone.len() <= 1);
            self.places.retain(|number, _| !gone.contains(number));
            assert!(self.count(place, None) <= self.bound(place));
            for (number, at) in &self.places {
                let has_key = self.book.find_key(&self.claimed[*number].1).is_some();
                assert_eq!(has_key, *at != Place::NeverSent);
            }
        }

        fn bound(&self, place: Place) -> usize {
            match place {
                Place::UnderWay => usize::MAX,
                Place::Sent => self.most,
                Place::NeverSent => (self.most / SENT_TO_NEVER_SENT).max(1),
            }
        }
    }

    proptest! {
        #[test]
        fn only_what_was_sent_pushes_out_what_was_sent_and_nobody_those_who_have_few(
            most in 1..20_usize,
            steps in steps(),
        ) {
            let hasher = KeyHasher::default();
            let (claimed, places) = (Vec::new(), BTreeMap::new());
            let mut model = Model { book: Book::new(most), most, claimed, places };
            for step in steps {
                match step {
                    Step::Claim(principal) => {
                        let number = model.claimed.len();
                        let id = format!("principal-{principal}");
                        let record = record(&hasher, &id, &number.to_string());
                        model.book.add(Arc::clone(&record), LATER);
                        model.claimed.push((principal, record));
                        model.places.insert(number, Place::UnderWay);
                        model.check(Place::UnderWay);
                    }
                    Step::Sent(chosen) => model.move_to(chosen, Place::Sent),
                    Step::NeverSent(chosen) => model.move_to(chosen, Place::NeverSent),
                }
            }
            model.book.forget_old(LATER);
            model.places.retain(|_, place| *place == Place::UnderWay);
            model.check(Place::UnderWay);
            assert_eq!(model.book.entries.len(), model.places.len());
        }
    }

    #[test]
    fn a_flood_of_one_principal_costs_another_nothing() {
        let hasher = KeyHasher::default();
        let mut book = Book::new(100);
        let mut send = |principal_id, number: usize| {
            let record = record(&hasher, principal_id, &number.to_string());
            book.add(Arc::clone(&record), LATER);
            book.sent(record.trace_id());
            record
        };
        let few: Vec<_> = (0..10).map(|number| send("quiet", number)).collect();
        (0..1_000).for_each(|number| drop(send("loud", number)));
        assert!(few.iter().all(|record| book.find_key(record).is_some()));
        assert_eq!(book.entries.len(), 100);
    }
}
