//! Rust source with the inside of comments, strings and character literals blanked out, so that
//! braces can be counted. Line breaks stay where they are.

/// Source text of the same number of lines, code only.
pub(super) struct Masked {
    text: String,
}

impl Masked {
    /// Blanks what is not code.
    pub(super) fn of(source: &str) -> Self {
        let mut text = String::with_capacity(source.len());
        let mut rest = source;
        while !rest.is_empty() {
            let (length, is_code) = next_token(rest);
            let (token, after) = rest.split_at(length);
            if is_code {
                text.push_str(token);
            } else {
                text.extend(token.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            }
            rest = after;
        }
        Self { text }
    }

    /// The code, line by line.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }
}

/// The length in bytes of the comment, literal or single character that the text starts with,
/// and whether it is code.
fn next_token(text: &str) -> (usize, bool) {
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), false);
    }
    if text.starts_with("/*") {
        return (block_comment(text), false);
    }
    if text.starts_with('"') {
        return (quoted(text, '"'), false);
    }
    if let Some(length) = raw_string(text) {
        return (length, false);
    }
    if let Some(length) = character(text) {
        return (length, false);
    }
    // A whole word at once, so that the `r` of `bar"` is not taken for a raw string.
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let one = text.chars().next().map_or(1, char::len_utf8);
    (word.max(one), true)
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// A literal between unescaped quotes; the text starts with the opening one.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#`, `br"…"` and the like.
fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let opened = body[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let prefix = text.len() - opened.len();
    Some(opened.find(&close).map_or(text.len(), |at| prefix + at + close.len()))
}

/// A character literal; a lifetime is code.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let mut chars = body.chars();
    let first = chars.next()?;
    if first == '\\' || chars.next() == Some('\'') {
        return Some(quoted(text, '\''));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(source: &str) -> String {
        Masked::of(source).text
    }

    #[test]
    fn braces_in_literals_and_comments_disappear() {
        for source in [
            "\"{\"",
            "'{'",
            "'\\''",
            "b'}'",
            "// {",
            "/* { /* { */ */",
            "r#\"{\"{\"#",
            "\"\\\"{\"",
            "br\"{\"",
        ] {
            assert!(!masked(source).contains(['{', '}']), "{source}");
        }
    }

    #[test]
    fn code_and_lines_stay() {
        let source = "fn f<'a>(x: &'a str) {\n // {\n g(\"{\n\");\n}\n";
        let text = masked(source);
        assert_eq!(text.lines().count(), source.lines().count());
        assert_eq!(text.matches('{').count(), 1);
        assert_eq!(text.matches('}').count(), 1);
    }

    #[test]
    fn unfinished_literals_reach_the_end() {
        for source in ["\"abc", "r#\"abc", "/* abc", "'\\", "é'"] {
            masked(source);
        }
    }
}
