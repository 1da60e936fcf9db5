//! Random writes and faults against a model.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What a caller does.
#[derive(Clone, Debug)]
enum Step {
    /// Changes of some keys, in one write.
    Write(Vec<(u8, Option<u8>)>),
    /// Several writes that belong together.
    Together(Vec<Vec<(u8, Option<u8>)>>),
    /// Until everything written is durable, or can never be.
    Settle,
    /// Looks at what a crash leaves now.
    Crash,
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

const POSITION: &[u8] = b"position";

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = || prop::collection::vec((0..8_u8, any::<Option<u8>>()), 1..5);
    let step = prop_oneof![
        6 => write().prop_map(Step::Write),
        3 => prop::collection::vec(write(), 1..5).prop_map(Step::Together),
        1 => Just(Step::Settle),
        2 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..60)
}

/// The journal, and what its store has to hold after each write.
struct Run {
    memory: Arc<Memory>,
    journal: Arc<Journal>,
    model: Model,
    /// The state after each write, and whether a commit may end there.
    history: Vec<(Model, bool)>,
    tickets: Vec<Ticket>,
}

impl Run {
    fn new(durability: Durability, fails_from: Option<u64>) -> Self {
        let memory = Arc::new(Memory::new());
        if let Some(commit) = fails_from {
            memory.fail_from(commit, no_space());
        }
        let journal = start(&memory, durability);
        let history = vec![(Model::new(), true)];
        Self { memory, journal, model: Model::new(), history, tickets: vec![Ticket::NONE] }
    }

    fn write(&mut self, changed: &[(u8, Option<u8>)], boundary: bool) {
        let mut changes = Changes::new();
        // The position says which of the states was committed.
        let position = self.history.len().to_be_bytes().to_vec();
        changes.put(Table::Meta, POSITION, &position);
        self.model.insert(POSITION.to_vec(), position);
        for (key, value) in changed {
            match value {
                Some(value) => {
                    changes.put(Table::Meta, &[*key], &[*value]);
                    self.model.insert(vec![*key], vec![*value]);
                }
                None => {
                    changes.delete(Table::Meta, &[*key]);
                    self.model.remove(&vec![*key]);
                }
            }
        }
        self.tickets.push(self.journal.write(&changes));
        self.history.push((self.model.clone(), boundary));
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Write(changed) => self.write(changed, true),
            Step::Together(writes) => {
                let journal = Arc::clone(&self.journal);
                let _together = journal.together();
                for (index, changed) in writes.iter().enumerate() {
                    self.write(changed, index + 1 == writes.len());
                }
            }
            Step::Settle => {
                let last = self.tickets[self.tickets.len() - 1];
                let result = settled(&self.journal, last);
                prop_assert_eq!(result.is_ok(), self.journal.is_durable(last));
            }
            Step::Crash => self.check_crash()?,
        }
        Ok(())
    }

    /// What a kill leaves is a state between two groups, with everything in it that was reported.
    fn check_crash(&self) -> Result<(), TestCaseError> {
        let durable = self.tickets.iter().rposition(|ticket| self.journal.is_durable(*ticket));
        let reported = durable.expect("the first ticket is durable from the start");
        let left = contents(&self.memory.after_kill());
        let position = left.get(POSITION).map_or(0, |bytes| {
            usize::from_be_bytes(bytes.as_slice().try_into().expect("a position was written"))
        });
        let (state, boundary) = &self.history[position];
        prop_assert_eq!(&left, state);
        prop_assert!(boundary, "a commit ended amid writes that belong together");
        prop_assert!(position >= reported, "{} was reported, {} is there", reported, position);
        Ok(())
    }
}

fn contents(memory: &Memory) -> Model {
    let mut found = Model::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        found.insert(key.to_vec(), value.to_vec());
    };
    memory.scan(Table::Meta, &mut visit).unwrap();
    found
}

proptest! {
    #[test]
    fn a_crash_leaves_a_prefix_with_everything_reported(
        steps in steps(),
        batched in any::<bool>(),
        fails_from in prop::option::of(0..20_u64),
    ) {
        let durability = if batched { Durability::Batched } else { Durability::Always };
        let mut run = Run::new(durability, fails_from);
        for step in &steps {
            run.take(step)?;
        }
        run.journal.close();
        run.check_crash()?;
        if run.journal.failure().is_none() {
            prop_assert_eq!(contents(&run.memory.after_power_loss()), run.model.clone());
            prop_assert!(run.tickets.iter().all(|ticket| run.journal.is_durable(*ticket)));
        }
    }
}
