//! One entry, one line: JSON that is appended member by member.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::buffer::Buffer;
use crate::{digits, escape, timestamp};

/// Most bytes of a text from outside in one member. Every valid client ID and topic of the `aws`
/// profile fits; what is longer is cut and ends in `…`, so that nobody fills the disk with the
/// names of what was refused.
pub(crate) const TEXT_BYTES: usize = 2_048;

/// Why a room is as long as what is to be written there.
const ENOUGH: &str = "as much was asked for";

/// A line that is being written. Whoever writes sees to it that a member follows another.
///
/// Written by hand rather than with serde, which escapes byte by byte and knows no key in advance:
/// a message in or out costs an entry, and this is most of what an entry costs.
pub struct Line {
    out: Buffer,
}

/// The name of a member, with all that stands before its value: the [`key`] macro makes it.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// Such as `,"timeout":`.
    pub(crate) before_value: &'static str,
    /// Such as `,"clientId":"`.
    pub(crate) before_text: &'static str,
}

/// A [`Key`] from its name, a literal.
macro_rules! key {
    ($name:literal) => {
        $crate::line::Key {
            before_value: concat!(",\"", $name, "\":"),
            before_text: concat!(",\"", $name, "\":\""),
        }
    };
}

pub(crate) use key;

// The methods that take a key are always inlined: to copy as many bytes as are known beforehand is
// a few moves.
impl Line {
    pub(crate) const fn new() -> Self {
        Line { out: Buffer::new() }
    }

    /// Empties it, but for the place of the time.
    pub(crate) fn begin(&mut self) {
        self.out.clear();
        self.out.append([&timestamp::EPOCH]);
    }

    /// The line as far as it is written.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.out.written()
    }

    /// Takes back what was written after the first `length` bytes.
    pub(crate) fn rewind(&mut self, length: usize) {
        self.out.rewind(length);
    }

    #[inline(always)]
    pub(crate) fn set_time(&mut self, time: &timestamp::Text) {
        self.out.replace_front(time);
    }

    /// Bytes that are part of the line as they are, in parts.
    #[inline(always)]
    pub(crate) fn raw<const N: usize>(&mut self, parts: [&[u8]; N]) {
        self.out.append(parts);
    }

    /// A word of ours, in which nothing needs an escape.
    #[inline(always)]
    pub(crate) fn word(&mut self, key: Key, word: &'static str) {
        self.raw([key.before_text.as_bytes(), word.as_bytes(), b"\""]);
    }

    /// Text from outside, cut at [`TEXT_BYTES`].
    #[inline(always)]
    pub(crate) fn text(&mut self, key: Key, text: &str) {
        if text.len() > TEXT_BYTES {
            return self.cut(key.before_text, text);
        }
        let key = key.before_text.as_bytes();
        let room = self.out.room(key.len() + text.len() + 1);
        let (to_key, room) = room.split_at_mut(key.len());
        let (to_text, to_quote) = room.split_at_mut(text.len());
        to_key.copy_from_slice(key);
        to_quote[0] = b'"';
        if escape::copy_plain(text.as_bytes(), to_text) {
            self.out.fill(key.len() + text.len() + 1);
        } else {
            self.out.fill(key.len());
            self.escaped(text);
        }
    }

    /// The rest of a text in which something needs an escape.
    #[cold]
    fn escaped(&mut self, text: &str) {
        escape::append(text, &mut self.out);
        self.raw([b"\""]);
    }

    /// The longest beginning of an overlong text that ends between characters.
    #[cold]
    fn cut(&mut self, before_text: &str, text: &str) {
        self.raw([before_text.as_bytes()]);
        escape::append(&text[..text.floor_char_boundary(TEXT_BYTES)], &mut self.out);
        self.raw(["…\"".as_bytes()]);
    }

    /// Text from outside, if there is any.
    #[inline(always)]
    pub(crate) fn text_option(&mut self, key: Key, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// A text that is put together only now; of any length.
    pub(crate) fn formatted(&mut self, key: Key, text: fmt::Arguments<'_>) {
        self.raw([key.before_text.as_bytes()]);
        // What is appended always arrives.
        let _ = fmt::write(self, text);
        self.raw([b"\""]);
    }

    /// Milliseconds since 1970, as the date and time that every entry begins with.
    pub(crate) fn date(&mut self, key: Key, millis: u64) {
        let date = timestamp::date(Duration::from_millis(millis));
        self.raw([key.before_text.as_bytes(), &date, b"\""]);
    }

    #[inline(always)]
    pub(crate) fn boolean(&mut self, key: Key, value: bool) {
        let key = key.before_value.as_bytes();
        if value { self.raw([key, b"true"]) } else { self.raw([key, b"false"]) }
    }

    #[inline(always)]
    pub(crate) fn number(&mut self, key: Key, number: u64) {
        let key = key.before_value.as_bytes();
        let room = self.out.room(key.len() + digits::MOST);
        let (to_key, to_number) = room.split_at_mut(key.len());
        to_key.copy_from_slice(key);
        let length = digits::write(number, to_number.first_chunk_mut().expect(ENOUGH));
        self.out.fill(key.len() + length);
    }

    #[inline(always)]
    pub(crate) fn number_option(&mut self, key: Key, number: Option<u64>) {
        if let Some(number) = number {
            self.number(key, number);
        }
    }

    /// Milliseconds with a fraction, exact to the microsecond; nothing for `None`.
    ///
    /// As the shortest number that is read back as the same one of 64 bits, as everybody writes
    /// JSON: `12.345`, `0.1`, `5.0`.
    #[inline(always)]
    pub(crate) fn millis_option(&mut self, key: Key, duration: Option<Duration>) {
        /// Below this many (30 years), microseconds have at most 15 digits. So many are told apart,
        /// and the shortest form is the exact one.
        const EXACT_SECONDS: u64 = 1_000_000_000;
        let Some(duration) = duration else { return };
        let (seconds, micros) = (duration.as_secs(), duration.subsec_micros());
        if seconds >= EXACT_SECONDS {
            return self.inexact_millis(key.before_value, duration);
        }
        let key = key.before_value.as_bytes();
        let room = self.out.room(key.len() + digits::MOST + 4);
        let (to_key, to_millis) = room.split_at_mut(key.len());
        to_key.copy_from_slice(key);
        let whole = seconds * 1_000 + u64::from(micros / 1_000);
        let length = digits::write(whole, to_millis.first_chunk_mut().expect(ENOUGH));
        let [_, tenths, hundredths, thousandths] = digits::four(micros % 1_000);
        let fraction = [b'.', tenths, hundredths, thousandths];
        to_millis[length..length + 4].copy_from_slice(&fraction);
        let zeros = match [hundredths, thousandths] {
            [b'0', b'0'] => 2,
            [_, b'0'] => 1,
            [_, _] => 0,
        };
        self.out.fill(key.len() + length + fraction.len() - zeros);
    }

    /// Milliseconds of more than can be told exactly.
    #[cold]
    fn inexact_millis(&mut self, before_value: &str, duration: Duration) {
        let millis = serde_json::json!(duration.as_micros() as f64 / 1_000.0);
        self.raw([before_value.as_bytes(), millis.to_string().as_bytes()]);
    }

    /// An address of IPv4 that is written in IPv6 counts as one of IPv4.
    #[inline(always)]
    pub(crate) fn ip(&mut self, key: Key, address: IpAddr) {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let key = key.before_text.as_bytes();
                let room = self.out.room(key.len() + digits::IPV4_BYTES);
                let (to_key, to_address) = room.split_at_mut(key.len());
                to_key.copy_from_slice(key);
                let to_address = to_address.first_chunk_mut().expect(ENOUGH);
                let length = digits::write_ipv4(address, to_address);
                to_address[length] = b'"';
                self.out.fill(key.len() + length + 1);
            }
            IpAddr::V6(address) => self.formatted(key, format_args!("{address}")),
        }
    }

    /// The inside of a string.
    pub(crate) fn inside(&mut self, text: &str) {
        if escape::copy_plain(text.as_bytes(), self.out.room(text.len())) {
            self.out.fill(text.len());
        } else {
            escape::append(text, &mut self.out);
        }
    }
}

/// What is formatted goes inside of a string.
impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.inside(text);
        Ok(())
    }
}
