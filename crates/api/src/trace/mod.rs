//! Traces of direct messages: which calls are traced, and what is told of them.
//!
//! A call that is traced has one [`CallTrace`], which everybody on its way shares. Moments are taken down
//! there as they pass, and once the call has its answer spans are made of them.

mod call;
mod ending;
mod step;

use std::sync::{Arc, OnceLock};

use broker::Mark;
use engine::Moment;
use identity::sigv4::Headers;
use telemetry::TraceId;
use telemetry::trace::{Sampler, SpanNumber, SpanSink, TraceNumber, TraceParent};

use crate::caller::Caller;
use crate::head::Head;
use crate::router::{Operation, route};

pub(crate) use call::CallTrace;
pub(crate) use ending::{Ending, Failure, Subject};

const TRACEPARENT: &str = "traceparent";

/// Which direct messages are traced, and who takes their spans.
pub struct Traces {
    /// Who takes the spans of calls that are recorded.
    pub sink: Arc<dyn SpanSink>,
    /// Decides about calls that are not part of a trace of somebody else's.
    pub sampler: Sampler,
    /// Whether devices that speak MQTT 5 learn which trace a message belongs to.
    pub to_devices: bool,
}

impl Traces {
    /// The trace of a request that is taken in now; none if it is no direct message to one device, or if
    /// nobody is to learn of its trace.
    pub(crate) fn open(
        &self,
        head: &Head<'_>,
        caller: &Caller,
        (trace_id, now): (TraceId, Moment),
    ) -> Option<Arc<CallTrace>> {
        let Ok(Operation::SendDirectMessage { .. }) = route(head.method, head.path) else {
            return None;
        };
        let parent = parent(head);
        let trace = parent.map_or(TraceNumber::of(trace_id), |parent| parent.trace);
        let sampled = parent.map_or_else(|| self.sampler.samples(&trace), |parent| parent.sampled);
        if !sampled && !self.to_devices {
            return None;
        }
        let write = SpanNumber::random();
        let for_device = match parent {
            // Somebody else's trace that nobody records is passed on as it came.
            Some(parent) if !sampled => parent,
            Some(parent) => TraceParent { span: write, ..parent },
            None => TraceParent { trace, span: write, sampled, random: false },
        };
        Some(Arc::new(CallTrace {
            sink: sampled.then(|| Arc::clone(&self.sink)),
            trace,
            parent: parent.map(|parent| parent.span),
            server: SpanNumber::random(),
            write,
            for_device: self.to_devices.then_some(for_device),
            path: head.path.into(),
            secure: caller.secure,
            source: caller.source,
            begun: now,
            authorised: Mark::default(),
            routed: Mark::default(),
            repeats: OnceLock::new(),
        }))
    }
}

/// What the request is done for; none if it does not say so, or not in the one way that there is.
fn parent(head: &Head<'_>) -> Option<TraceParent> {
    let mut values = head.headers.all(TRACEPARENT);
    match (values.next(), values.next()) {
        (Some(value), None) => TraceParent::parse(value),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use engine::directory::Principal;
    use engine::limits::USER_PROPERTIES_BYTES;
    use identity::sigv4::{Field, Fields};
    use mqtt::{PropertiesBuf, Property};
    use telemetry::trace::Span;

    use super::*;
    use crate::caller::Credentials;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0";

    struct Nobody;

    impl SpanSink for Nobody {
        fn take(&self, _: Vec<Span>) {}
    }

    struct Case<'a> {
        path: &'a str,
        parents: &'a [&'a str],
        ratio: f64,
        to_devices: bool,
    }

    const USUAL: Case<'_> =
        Case { path: "/connections/a/messages", parents: &[], ratio: 1.0, to_devices: false };

    fn open<'c>(case: &Case<'c>) -> Option<Arc<CallTrace>> {
        let traces = Traces {
            sink: Arc::new(Nobody),
            sampler: Sampler::of_ratio(case.ratio),
            to_devices: case.to_devices,
        };
        let address = ([127, 0, 0, 1], 1).into();
        let credentials = Credentials::Open(Principal::anonymous());
        let caller = Caller { source: address, target: address, secure: false, credentials };
        let field = |text: &&'c str| Field { name: "Traceparent", value: text.as_bytes() };
        let fields: Vec<_> = case.parents.iter().map(field).collect();
        let head =
            Head { method: "POST", path: case.path, query: "", headers: Fields::new(&fields) };
        traces.open(&head, &caller, (TraceId::from_bytes([7; 16]), Moment::START))
    }

    #[test]
    fn a_call_that_belongs_to_no_trace_begins_one_with_its_own_digits() {
        let begun = open(&USUAL).expect("traced");
        assert_eq!(begun.trace.bytes(), &[7; 16]);
        assert!(begun.parent.is_none() && begun.sink.is_some() && begun.for_device.is_none());
        assert!(open(&Case { ratio: 0.0, ..USUAL }).is_none());
    }

    #[test]
    fn the_parent_decides_whatever_the_ratio() {
        let (yes, no) = (format!("{PARENT}1"), format!("{PARENT}0"));
        let joined = open(&Case { parents: &[&yes], ratio: 0.0, ..USUAL }).expect("traced");
        assert_eq!(joined.trace.to_string(), &PARENT[3..35]);
        assert_eq!(joined.parent.expect("it has one").to_string(), &PARENT[36..52]);
        assert!(open(&Case { parents: &[&no], ..USUAL }).is_none());
    }

    #[test]
    fn a_parent_that_is_none_begins_a_new_trace() {
        let yes = format!("{PARENT}1");
        for parents in [&["nonsense"][..], &[""], &[&yes, &yes]] {
            let begun = open(&Case { parents, ..USUAL }).expect("traced");
            assert_eq!((begun.trace.bytes(), begun.parent), (&[7; 16], None), "{parents:?}");
        }
    }

    #[test]
    fn a_device_gets_the_trace_with_the_span_of_the_write_or_what_is_not_recorded_unchanged() {
        let device = |case: Case<'_>| open(&case).expect("traced").for_device.expect("asked for");
        let (yes, no) = (format!("{PARENT}1"), format!("{PARENT}0"));
        let parents: &[&str] = &[&yes];
        let call = open(&Case { parents, to_devices: true, ..USUAL }).expect("traced");
        let told = call.for_device.expect("asked for");
        assert_eq!((told.trace, told.span, told.sampled), (call.trace, call.write, true));
        let told = device(Case { parents: &[&no], to_devices: true, ..USUAL });
        assert_eq!(told.to_string(), no);
        let told = device(Case { ratio: 0.0, to_devices: true, ..USUAL });
        assert!(!told.sampled && told.trace.bytes() == &[7; 16]);
    }

    #[test]
    fn the_property_leaves_a_senders_own_alone_and_keeps_to_the_bound() {
        let call = open(&Case { to_devices: true, ..USUAL }).expect("traced");
        let with = |name: &str, value: &str| {
            let mut properties = PropertiesBuf::new();
            properties.push(Property::UserProperty(name, value)).expect("valid");
            call.with_traceparent(&properties)
        };
        let pushed = with("name", "value").expect("there is room");
        let pairs: Vec<_> = pushed.as_properties().user_properties().collect();
        let told = call.for_device.expect("asked for").to_string();
        assert_eq!(pairs, [("name", "value"), (TRACEPARENT, told.as_str())]);
        assert!(with(TRACEPARENT, "the sender's own").is_none());
        let room = USER_PROPERTIES_BYTES - TRACEPARENT.len() - told.len() - "name".len();
        assert!(with("name", &"x".repeat(room)).is_some());
        assert!(with("name", &"x".repeat(room + 1)).is_none());
        let call = open(&USUAL).expect("traced");
        assert!(call.with_traceparent(&PropertiesBuf::new()).is_none(), "not asked for");
    }

    #[test]
    fn other_operations_are_not_traced() {
        for path in ["/topics/a", "/direct-messages", "/connections/a", "/"] {
            assert!(open(&Case { path, ..USUAL }).is_none(), "{path}");
        }
    }
}
