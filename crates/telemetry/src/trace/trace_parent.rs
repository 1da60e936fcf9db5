//! W3C Trace Context: the header `traceparent`.

use std::fmt;

use uuid::Uuid;

use crate::TraceId;

/// A `trace-id` of W3C: 16 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceNumber([u8; 16]);

/// A `parent-id` of W3C, which OpenTelemetry calls a span ID: 8 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanNumber([u8; 8]);

/// Which span of which trace something is done for (W3C Trace Context, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceNumber,
    /// The span.
    pub span: SpanNumber,
    /// Whether whoever began the trace records it.
    pub sampled: bool,
    /// Whether whoever began the trace says that its ID is random (the second level of the
    /// recommendation); passed on as it came.
    pub random: bool,
}

impl TraceNumber {
    /// The one of a trace that begins with a request: the bits of its trace ID, so that the log and the
    /// trace name it alike.
    pub const fn of(trace_id: TraceId) -> Self {
        // A version 4 UUID is never all zero.
        TraceNumber(*trace_id.as_bytes())
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The part of it that is random in every trace ID that is made by the rules: the last 56 bits.
    pub(super) fn randomness(&self) -> u64 {
        let [_, _, _, _, _, _, _, _, last @ ..] = self.0;
        u64::from_be_bytes(last) & ((1 << 56) - 1)
    }
}

impl SpanNumber {
    /// A new one, from a generator of this thread that the system seeded.
    pub fn random() -> Self {
        // The first two bits of this half say which kind of UUID it is, so it is not zero.
        let [_, _, _, _, _, _, _, _, last @ ..] = *Uuid::new_v4().as_bytes();
        SpanNumber(last)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// The bytes that so many digits are, two each, in lower case.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    (digits.len() == 2 * N).then_some(bytes)
}

impl TraceParent {
    /// Bytes of the text form.
    pub const TEXT_BYTES: usize = 55;

    /// The bit of the flags that says that the trace is recorded.
    const SAMPLED: u8 = 1;

    /// The bit of the flags that says that the trace ID is random.
    const RANDOM: u8 = 2;

    /// Reads the header's value. One of a version after 00 is read as far as that goes, as the
    /// recommendation has it; `None` if there is nothing to go by, and a new trace begins.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (text, rest) = text.split_at_checked(Self::TEXT_BYTES)?;
        let [version] = hex(&text[..2])?;
        let ends_well = match version {
            0 => rest.is_empty(),
            0xFF => false,
            1..=0xFE => rest.first().is_none_or(|byte| *byte == b'-'),
        };
        let dashes = [2, 35, 52].iter().all(|at| text[*at] == b'-');
        let (trace, span) = (hex(&text[3..35])?, hex(&text[36..52])?);
        let [flags] = hex(&text[53..])?;
        let is_valid = ends_well && dashes && trace != [0; 16] && span != [0; 8];
        is_valid.then_some(TraceParent {
            trace: TraceNumber(trace),
            span: SpanNumber(span),
            sampled: flags & Self::SAMPLED != 0,
            random: flags & Self::RANDOM != 0,
        })
    }
}

impl fmt::Display for TraceParent {
    /// The header's value, in version 00.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sampled = if self.sampled { Self::SAMPLED } else { 0 };
        let random = if self.random { Self::RANDOM } else { 0 };
        let flags = sampled | random;
        write!(f, "00-{}-{}-{flags:02x}", self.trace, self.span)
    }
}

impl fmt::Display for TraceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TraceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceNumber({self})")
    }
}

impl fmt::Display for SpanNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for SpanNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn parse(text: &str) -> Option<TraceParent> {
        TraceParent::parse(text.as_bytes())
    }

    #[test]
    fn the_example_of_the_recommendation_is_read_and_written() {
        let text = format!("00-{TRACE}-{SPAN}-01");
        let parent = parse(&text).unwrap();
        assert_eq!(
            (parent.trace.to_string(), parent.span.to_string()),
            (TRACE.into(), SPAN.into())
        );
        assert!(parent.sampled);
        assert_eq!((parent.to_string(), text.len()), (text, TraceParent::TEXT_BYTES));
        assert!(!parse(&format!("00-{TRACE}-{SPAN}-00")).unwrap().sampled);
    }

    #[test]
    fn flags_that_nobody_knows_are_not_passed_on() {
        let told = |flags: &str| {
            let parent = parse(&format!("00-{TRACE}-{SPAN}-{flags}")).unwrap();
            (parent.sampled, parent.random, parent.to_string()[53..].to_owned())
        };
        assert_eq!(told("02"), (false, true, "02".to_owned()));
        assert_eq!(told("ff"), (true, true, "03".to_owned()));
        assert_eq!(told("fc"), (false, false, "00".to_owned()));
    }

    #[test]
    fn a_later_version_may_have_more_behind() {
        for text in [
            format!("01-{TRACE}-{SPAN}-01"),
            format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"),
            format!("cc-{TRACE}-{SPAN}-01-"),
        ] {
            assert_eq!(
                parse(&text).unwrap().to_string(),
                format!("00-{TRACE}-{SPAN}-01"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        let (no_trace, no_span) = ("0".repeat(32), "0".repeat(16));
        for text in [
            String::new(),
            "00".to_owned(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("cc-{TRACE}-{SPAN}-01.what"),
            format!("cc-{TRACE}-{SPAN}-0"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-.1"),
            format!("00-{no_trace}-{SPAN}-01"),
            format!("00-{TRACE}-{no_span}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("0X-{TRACE}-{SPAN}-01"),
            format!("00_{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}_{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}_01"),
            format!("00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01"),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-+1"),
        ] {
            assert_eq!(parse(&text), None, "{text}");
        }
    }

    #[test]
    fn a_trace_that_begins_with_a_request_has_its_digits() {
        let trace_id = TraceId::random();
        let digits = trace_id.to_string().replace('-', "");
        assert_eq!(TraceNumber::of(trace_id).to_string(), digits);
    }

    #[test]
    fn span_numbers_differ_and_are_not_zero() {
        let (a, b) = (SpanNumber::random(), SpanNumber::random());
        assert!(a != b && a.bytes()[0] >= 0x80);
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_does_harm(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = TraceParent::parse(&bytes);
        }

        #[test]
        fn what_is_written_is_read_again(trace in 1..=u128::MAX, span in 1..=u64::MAX, flags in 0..4_u8) {
            let parent = TraceParent {
                trace: TraceNumber(trace.to_be_bytes()),
                span: SpanNumber(span.to_be_bytes()),
                sampled: flags & 1 != 0,
                random: flags & 2 != 0,
            };
            prop_assert_eq!(parse(&parent.to_string()), Some(parent));
        }
    }
}
