//! One entry, one line: on any reader and on any terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Appends `value` to `out` as JSON on one line, without the line end.
pub(crate) fn append_line<T: Serialize>(value: &T, out: &mut Vec<u8>) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, OneLine))
}

/// Compact JSON that escapes what JSON allows in a string but others act on.
///
/// JSON demands `\uXXXX` only below U+0020. Client IDs and topics come from strangers: U+0085,
/// U+2028 and U+2029 end a line for many readers (Python's `splitlines`, JavaScript), the other C1
/// controls and U+007F steer a terminal, and the bidirectional overrides reorder what is seen.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|byte| byte < 0x7F) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut plain_from = 0;
        for (at, found) in fragment.char_indices().filter(|(_, c)| is_treacherous(*c)) {
            writer.write_all(&fragment.as_bytes()[plain_from..at])?;
            write!(writer, "\\u{:04x}", u32::from(found))?;
            plain_from = at + found.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain_from..])
    }
}

/// All of these are below U+10000, so one `\uXXXX` tells each.
fn is_treacherous(c: char) -> bool {
    matches!(
        c,
        '\u{7F}'..='\u{9F}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
            | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        let mut out = Vec::new();
        append_line(&text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_ends_a_line_or_steers_a_terminal_is_escaped() {
        let hostile =
            "a\n\r\t\0\u{1b}[2J\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{202e}\u{2066}\u{feff}";
        let line = line(hostile);
        assert!(line.bytes().all(|b| (0x20..0x7F).contains(&b)), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), hostile);
    }

    #[test]
    fn quotes_and_backslashes_are_escaped_and_other_text_is_kept() {
        assert_eq!(line("\"},{\"x\\"), r#""\"},{\"x\\""#);
        assert_eq!(line("Grüße 🚀 日本"), "\"Grüße 🚀 日本\"");
    }
}
