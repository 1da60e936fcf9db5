//! The steps of a call, and which of them went wrong.

use broker::{OnTheWire, Settled};
use engine::Moment;
use engine::outcome::DirectOutcome;

/// What a call does on its way, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Who calls, what it asks for, and whether it may.
    Authorise,
    /// The device's connection, whether it may receive the message and has room for it.
    Route,
    /// The write to the device's socket.
    Write,
    /// The device's PUBACK.
    Acknowledge,
    /// What the device publishes in answer.
    Respond,
}

impl Name {
    /// The name of its span.
    pub(super) fn word(self) -> &'static str {
        match self {
            Name::Authorise => "authorise",
            Name::Route => "route",
            Name::Write => "write",
            Name::Acknowledge => "acknowledge",
            Name::Respond => "respond",
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) name: Name,
    pub(super) from: Moment,
    pub(super) to: Moment,
    /// Whether it is the one that the call failed with.
    pub(super) failed: bool,
}

/// The moments that passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    pub(super) begun: Moment,
    pub(super) authorised: Option<Moment>,
    pub(super) routed: Option<Moment>,
    pub(super) ended: Moment,
}

/// The steps of a call that ended so. A dry run has no more than the first.
pub(super) fn steps(passed: Passed, settled: &Settled, is_repetition: bool) -> Vec<Step> {
    let mut steps = Vec::with_capacity(5);
    let mut begun = passed.begun;
    let mut add = |name, until: Option<Moment>| {
        let (from, to) = (begun, until.unwrap_or(passed.ended).max(begun));
        begun = to;
        steps.push(Step { name, from, to, failed: until.is_none() });
        until.is_some()
    };
    if !add(Name::Authorise, passed.authorised) {
        return steps;
    }
    // What another call had sent before is waited for and nothing else.
    let is_handed_over = is_repetition
        || (add(Name::Route, passed.routed) && add(Name::Write, handed_over(settled)));
    if is_handed_over && settled.outcome != DirectOutcome::Dispatched {
        let rejected = matches!(settled.outcome, DirectOutcome::ReceiverRejected(_));
        add(Name::Acknowledge, settled.acknowledged.filter(|_| !rejected));
        if settled.outcome == DirectOutcome::Responded {
            add(Name::Respond, Some(passed.ended));
        }
        if settled.outcome == DirectOutcome::ResponseTimeout {
            add(Name::Respond, None);
        }
    }
    steps
}

/// When the socket had the message, if it has.
fn handed_over(settled: &Settled) -> Option<Moment> {
    let is_on_the_wire = match settled.wire {
        OnTheWire::Sent { .. } => true,
        // Nobody asked how far those got.
        OnTheWire::Never => {
            matches!(settled.outcome, DirectOutcome::Dispatched | DirectOutcome::SenderDisconnected)
        }
    };
    settled.handed_over.filter(|_| is_on_the_wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Moment {
        Moment::from_micros(micros)
    }

    /// Taken in at 10, found to be allowed at 20, taken on by a connection at 30, and answered at 90.
    const PASSED: Passed = Passed {
        begun: Moment::from_micros(10),
        authorised: Some(Moment::from_micros(20)),
        routed: Some(Moment::from_micros(30)),
        ended: Moment::from_micros(90),
    };

    /// Handed over at 40 and acknowledged at 70, if it was at all.
    fn settled(outcome: DirectOutcome, handed_over: bool, acknowledged: bool) -> Settled {
        let wire =
            if handed_over { OnTheWire::Sent { tcp_acknowledged: None } } else { OnTheWire::Never };
        Settled {
            handed_over: handed_over.then_some(at(40)),
            acknowledged: acknowledged.then_some(at(70)),
            wire,
            ..Settled::refused(outcome, Some(1))
        }
    }

    /// Each step, with an exclamation mark behind the one that failed.
    fn told(passed: Passed, settled: &Settled, is_repetition: bool) -> String {
        let steps = steps(passed, settled, is_repetition);
        let told = steps.iter().map(|step| {
            let failed = if step.failed { "!" } else { "" };
            let (from, to) = (step.from.micros(), step.to.micros());
            format!("{} {from}-{to}{failed}", step.name.word())
        });
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_confirmed_message_has_all_steps_one_after_the_other() {
        let acknowledged = settled(DirectOutcome::Acknowledged, true, true);
        assert_eq!(
            told(PASSED, &acknowledged, false),
            "authorise 10-20, route 20-30, write 30-40, acknowledge 40-70"
        );
        let dispatched = settled(DirectOutcome::Dispatched, false, false);
        let dispatched = Settled { handed_over: Some(at(40)), ..dispatched };
        assert_eq!(told(PASSED, &dispatched, false), "authorise 10-20, route 20-30, write 30-40");
    }

    #[test]
    fn the_last_step_of_a_failure_is_the_one_that_failed_and_lasts_until_the_end() {
        let refused = |outcome| settled(outcome, false, false);
        let forbidden = refused(DirectOutcome::SenderUnauthorized);
        let passed = Passed { authorised: None, routed: None, ..PASSED };
        assert_eq!(told(passed, &forbidden, false), "authorise 10-90!");
        let absent = refused(DirectOutcome::TargetNotFound);
        let passed = Passed { routed: None, ..PASSED };
        assert_eq!(told(passed, &absent, false), "authorise 10-20, route 20-90!");
        let unwritten = refused(DirectOutcome::ReceiverNotWritable);
        assert_eq!(told(PASSED, &unwritten, false), "authorise 10-20, route 20-30, write 30-90!");
        let silent = settled(DirectOutcome::ConfirmationTimeout, true, false);
        assert_eq!(
            told(PASSED, &silent, false),
            "authorise 10-20, route 20-30, write 30-40, acknowledge 40-90!"
        );
        let rejected = DirectOutcome::ReceiverRejected(mqtt::ReasonCode::UnspecifiedError);
        assert_eq!(
            told(PASSED, &settled(rejected, true, true), false),
            "authorise 10-20, route 20-30, write 30-40, acknowledge 40-90!"
        );
    }

    #[test]
    fn a_message_that_waited_for_its_socket_in_vain_was_not_written() {
        for outcome in [DirectOutcome::DeadlineExceeded, DirectOutcome::ReceiverDisconnected] {
            let unsent = Settled { wire: OnTheWire::Never, ..settled(outcome, true, false) };
            assert_eq!(told(PASSED, &unsent, false), "authorise 10-20, route 20-30, write 30-90!");
        }
    }

    #[test]
    fn a_sender_that_goes_away_leaves_what_it_waited_for() {
        let gone = settled(DirectOutcome::SenderDisconnected, false, false);
        let sent = Settled { handed_over: Some(at(40)), ..gone };
        assert_eq!(
            told(PASSED, &sent, false),
            "authorise 10-20, route 20-30, write 30-40, acknowledge 40-90!"
        );
    }

    #[test]
    fn a_response_is_a_step_of_its_own() {
        for (outcome, mark) in
            [(DirectOutcome::Responded, ""), (DirectOutcome::ResponseTimeout, "!")]
        {
            let steps = told(PASSED, &settled(outcome, true, true), false);
            assert!(steps.ends_with(&format!("acknowledge 40-70, respond 70-90{mark}")), "{steps}");
        }
    }

    #[test]
    fn a_repetition_waits_and_sends_nothing() {
        let passed = Passed { routed: None, ..PASSED };
        let acknowledged = settled(DirectOutcome::Acknowledged, true, true);
        assert_eq!(told(passed, &acknowledged, true), "authorise 10-20, acknowledge 20-70");
        let silent = settled(DirectOutcome::ConfirmationTimeout, true, false);
        assert_eq!(told(passed, &silent, true), "authorise 10-20, acknowledge 20-90!");
        let before = Settled { acknowledged: Some(at(5)), ..acknowledged };
        assert_eq!(told(passed, &before, true), "authorise 10-20, acknowledge 20-20");
    }

    #[test]
    fn no_step_ends_before_it_begins() {
        // The socket had the message before anybody took down that a connection had taken it on.
        let passed = Passed { routed: Some(at(50)), ..PASSED };
        let acknowledged = settled(DirectOutcome::Acknowledged, true, true);
        assert_eq!(
            told(passed, &acknowledged, false),
            "authorise 10-20, route 20-50, write 50-50, acknowledge 50-70"
        );
    }
}
