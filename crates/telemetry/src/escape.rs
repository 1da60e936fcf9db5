//! What a text may not hold as it is: on any reader and on any terminal.

use crate::buffer::Buffer;

/// Copies `text` to the front of `to`, which is not shorter, if it may stay as it is: if all of it
/// is printable ASCII but for quotes and backslashes, as nearly every text is. Says whether it is.
pub(crate) fn copy_plain(text: &[u8], to: &mut [u8]) -> bool {
    let to = &mut to[..text.len()];
    match text.len() {
        0..4 => copy_chunks::<1>(text, to),
        4..8 => copy_chunks::<4>(text, to),
        8..16 => copy_chunks::<8>(text, to),
        _ => copy_chunks::<16>(text, to),
    }
}

/// The same in chunks of `N` bytes. The last one overlaps the one before, which costs less than to
/// look at the rest byte by byte.
#[inline(always)]
fn copy_chunks<const N: usize>(text: &[u8], to: &mut [u8]) -> bool {
    if let (Some(last), Some(to_last)) = (text.last_chunk::<N>(), to.last_chunk_mut::<N>()) {
        if is_suspect(last) {
            return false;
        }
        *to_last = *last;
    }
    for (chunk, to_chunk) in text.as_chunks::<N>().0.iter().zip(to.as_chunks_mut::<N>().0) {
        if is_suspect(chunk) {
            return false;
        }
        *to_chunk = *chunk;
    }
    true
}

/// Whether there is a byte that is not printable ASCII, a quote or a backslash. Each is asked of all
/// bytes, without a branch, so that the compiler asks it of all at once.
#[inline(always)]
fn is_suspect<const N: usize>(bytes: &[u8; N]) -> bool {
    let any = |is: fn(u8) -> bool| bytes.iter().fold(false, |found, byte| found | is(*byte));
    any(|byte| !matches!(byte, b' '..=b'~')) | any(|byte| byte == b'"') | any(|byte| byte == b'\\')
}

/// Appends `text` as the inside of a JSON string, on one line.
///
/// JSON demands an escape for quotes, backslashes and what is below U+0020. Client IDs and topics
/// come from strangers, so what JSON allows in a string but others act on is escaped too: U+0085,
/// U+2028 and U+2029 end a line for many readers (Python's `splitlines`, JavaScript), the other C1
/// controls and U+007F steer a terminal, and the bidirectional overrides reorder what is seen.
#[cold]
pub(crate) fn append(text: &str, out: &mut Buffer) {
    let mut plain_from = 0;
    for (at, found) in text.char_indices() {
        let short = match found {
            '"' => b'"',
            '\\' => b'\\',
            '\u{8}' => b'b',
            '\t' => b't',
            '\n' => b'n',
            '\u{C}' => b'f',
            '\r' => b'r',
            _ if found < ' ' || is_treacherous(found) => b'u',
            _ => continue,
        };
        out.append([&text.as_bytes()[plain_from..at], &[b'\\', short]]);
        if short == b'u' {
            // All of them are below U+10000, so four digits tell each.
            let digit = |shift| b"0123456789abcdef"[(u32::from(found) >> shift) as usize & 0xF];
            out.append([&[digit(12), digit(8), digit(4), digit(0)]]);
        }
        plain_from = at + found.len_utf8();
    }
    out.append([&text.as_bytes()[plain_from..]]);
}

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
        let mut out = Buffer::new();
        append(text, &mut out);
        format!("\"{}\"", str::from_utf8(out.written()).unwrap())
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

    #[test]
    fn a_byte_is_found_at_every_place_of_every_length_whatever_is_beside_it() {
        for byte in 0..=u8::MAX {
            let plain = (0x20..0x7F).contains(&byte) && byte != b'"' && byte != b'\\';
            for length in 1..27 {
                for at in 0..length {
                    for filler in [b' ', b'!', b'#', b'[', b']', b'~'] {
                        let mut text = vec![filler; length];
                        text[at] = byte;
                        let mut to = vec![0; length];
                        let copied = copy_plain(&text, &mut to);
                        assert_eq!(copied, plain, "{byte} at {at} of {length}");
                        assert!(!plain || to == text);
                    }
                }
            }
        }
        assert!(copy_plain(b"", &mut []));
    }

    #[test]
    fn every_character_is_written_as_serde_json_does_or_else_for_a_reason() {
        // Beyond U+FFFF nothing is escaped: some of each plane.
        for c in ('\0'..='\u{FFFF}').chain(('\u{10000}'..=char::MAX).step_by(997)) {
            let text = c.to_string();
            let expected = if is_treacherous(c) {
                format!("\"\\u{:04x}\"", u32::from(c))
            } else {
                serde_json::to_string(&text).unwrap()
            };
            assert_eq!(line(&text), expected);
        }
    }
}
