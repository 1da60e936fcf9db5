//! Colours on a terminal, and nothing anywhere else.

use std::fmt::Display;
use std::io::IsTerminal;

/// Colours text for standard output, if that is a terminal and `NO_COLOR` is not set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    pub(super) fn for_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { on: !refused && std::io::stdout().is_terminal() }
    }

    /// Something went as it should.
    pub(super) fn good(self, text: impl Display) -> String {
        self.wrap("32", text)
    }

    /// Something did not.
    pub(super) fn bad(self, text: impl Display) -> String {
        self.wrap("31", text)
    }

    pub(super) fn bold(self, text: impl Display) -> String {
        self.wrap("1", text)
    }

    /// Less important than the rest.
    pub(super) fn dim(self, text: impl Display) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: impl Display) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// Text from outside as it may be shown on a terminal: control characters, which could drive the
/// terminal, are escaped. Line breaks and tabs stay.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\r\n\tc\u{9b}é"), "a\\u{1b}[2Jb\\r\n\tc\\u{9b}é");
    }

    #[test]
    fn without_a_terminal_text_stays_as_it_is() {
        assert_eq!(Paint { on: false }.bad("404"), "404");
        assert_eq!(Paint { on: true }.bad("404"), "\x1b[31m404\x1b[0m");
    }
}
