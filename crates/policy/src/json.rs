//! A JSON reader that remembers where each value stood.
//!
//! Policy mistakes are reported by line and column, also those that JSON itself permits, such
//! as a member given twice; the common readers drop the place and keep the last of the two.

/// How deep values may nest. A policy needs six levels; the bound keeps the reader's recursion,
/// and with it the stack, small whatever the input.
const MAX_DEPTH: usize = 32;

/// A place in the text: line and column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
}

/// A value and where it begins.
#[derive(Debug)]
pub(crate) struct Node {
    pub place: Place,
    pub value: Value,
}

/// A JSON value. Objects keep every member in order, duplicates included.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// The number as it was written.
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

impl Value {
    /// The kind of value in words: "a string".
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// A member of an object and where its name begins.
#[derive(Debug)]
pub(crate) struct Member {
    pub name: String,
    pub place: Place,
    pub node: Node,
}

/// Why a text is not JSON, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub place: Place,
    pub message: String,
}

/// Reads one JSON value (RFC 8259) with nothing but white space around it.
pub(crate) fn read(text: &str) -> Result<Node, SyntaxError> {
    let mut reader = Reader { text, position: 0, line: 1, line_start: 0, depth: 0 };
    reader.skip_space();
    let node = reader.value()?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.wrong("text after the end of the document; remove it")),
    }
}

struct Reader<'t> {
    text: &'t str,
    /// Byte offset of what is read next; always on a character boundary.
    position: usize,
    line: usize,
    /// Byte offset of the first character of the line.
    line_start: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn place(&self) -> Place {
        let column = self.text[self.line_start..self.position].chars().count() + 1;
        Place { line: self.line, column }
    }

    fn wrong(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { place: self.place(), message: message.into() }
    }

    /// "expected ..., found ..." at the present place.
    fn expected(&self, what: &str) -> SyntaxError {
        match self.text[self.position..].chars().next() {
            Some(found) => self.wrong(format!("expected {what}, found {found:?}")),
            None => self.wrong(format!("expected {what}, but the document ends here")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => self.position += 1,
                b'\n' => {
                    self.position += 1;
                    self.line += 1;
                    self.line_start = self.position;
                }
                _ => break,
            }
        }
    }

    /// Steps over `byte` if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn value(&mut self) -> Result<Node, SyntaxError> {
        let place = self.place();
        let value = match self.peek() {
            Some(b'{') => self.nested(Reader::object)?,
            Some(b'[') => self.nested(Reader::array)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return Err(self.expected("a JSON value")),
        };
        Ok(Node { place, value })
    }

    fn nested(
        &mut self,
        read: fn(&mut Reader<'t>) -> Result<Value, SyntaxError>,
    ) -> Result<Value, SyntaxError> {
        if self.depth == MAX_DEPTH {
            return Err(self.wrong(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        self.position += 1;
        self.skip_space();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value, SyntaxError> {
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            let place = self.place();
            if self.peek() != Some(b'"') {
                return Err(self.expected("a member name in double quotes"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.expected("`:` after the member name"));
            }
            self.skip_space();
            let node = self.value()?;
            members.push(Member { name, place, node });
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `}`"));
            }
            self.skip_space();
        }
    }

    fn array(&mut self) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `]`"));
            }
            self.skip_space();
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, SyntaxError> {
        if !self.text[self.position..].starts_with(word) {
            return Err(self.expected("a JSON value"));
        }
        self.position += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let start = self.position;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Value::Number(self.text[start..self.position].to_owned()))
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        if self.position == start { Err(self.expected("a digit")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let opening = self.place();
        self.position += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.position..];
            let stop = rest.find(|c: char| c == '"' || c == '\\' || c < ' ');
            let Some(stop) = stop else {
                let message = "this string is never closed; end it with `\"`".to_owned();
                return Err(SyntaxError { place: opening, message });
            };
            string.push_str(&rest[..stop]);
            self.position += stop;
            if self.take(b'"') {
                return Ok(string);
            }
            if !self.take(b'\\') {
                let message = "a control character in a string; write it as an escape like `\\n`";
                return Err(self.wrong(message));
            }
            string.push(self.escape()?);
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, SyntaxError> {
        let plain = match self.peek() {
            Some(b'u') => return self.unicode_escape(),
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.expected("one of `\" \\ / b f n r t u` after a backslash")),
        };
        self.position += 1;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, SyntaxError> {
        let first = self.utf16_unit()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.wrong("not a character"));
        }
        let paired = first < 0xDC00 && self.take(b'\\');
        if paired && self.peek() == Some(b'u') {
            let second = self.utf16_unit()?;
            let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400);
            let scalar = low.map(|low| 0x10000 + ((first - 0xD800) << 10) + low);
            if let Some(pair) = scalar.and_then(char::from_u32) {
                return Ok(pair);
            }
        }
        Err(self.wrong("half of a surrogate pair; write both halves, or the character itself"))
    }

    /// `uXXXX`, with the position on the `u`.
    fn utf16_unit(&mut self) -> Result<u32, SyntaxError> {
        self.position += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.expected("four hexadecimal digits after `\\u`"));
            unit = unit * 16 + digit?;
            self.position += 1;
        }
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fails_at(text: &str) -> (usize, usize) {
        let error = read(text).expect_err(text);
        (error.place.line, error.place.column)
    }

    #[test]
    fn values_know_where_they_begin() {
        let node = read("{\n  \"ä\": \"ö\", \"b\": [1,\n true]\n}").unwrap();
        let Value::Object(members) = node.value else { panic!("an object") };
        assert_eq!(members[0].place, Place { line: 2, column: 3 });
        assert_eq!(members[0].node.place, Place { line: 2, column: 8 });
        assert_eq!(members[1].place, Place { line: 2, column: 13 });
        let Value::Array(items) = &members[1].node.value else { panic!("an array") };
        assert_eq!(items[1].place, Place { line: 3, column: 2 });
    }

    #[test]
    fn syntax_errors_say_where() {
        assert_eq!(fails_at(""), (1, 1));
        assert_eq!(fails_at("{\n\"a\" 1}"), (2, 5));
        assert_eq!(fails_at("{\"a\":1,}"), (1, 8));
        assert_eq!(fails_at("[1 2]"), (1, 4));
        assert_eq!(fails_at("{} x"), (1, 4));
        assert_eq!(fails_at("\n  \"abc"), (2, 3));
        assert_eq!(fails_at("\u{feff}{}"), (1, 1));
        assert_eq!(fails_at("[01]"), (1, 3));
        assert_eq!(fails_at("\"\\ud800x\""), (1, 8));
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(read(&format!("{}{}", "[".repeat(32), "]".repeat(32))).is_ok());
        assert_eq!(fails_at(&"[".repeat(60_000)), (1, 33));
        assert_eq!(fails_at(&"{\"a\":".repeat(10_000)), (1, 161));
    }

    #[test]
    fn escapes_are_resolved() {
        let node = read(r#""\u0041\n\/\ud83d\ude00""#).unwrap();
        assert!(matches!(node.value, Value::String(text) if text == "A\n/😀"));
    }

    fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
        use serde_json::Value as Theirs;
        match (ours, theirs) {
            (Value::Null, Theirs::Null) => true,
            (Value::Bool(a), Theirs::Bool(b)) => a == b,
            (Value::Number(a), Theirs::Number(b)) => a.parse::<f64>().ok() == b.as_f64(),
            (Value::String(a), Theirs::String(b)) => a == b,
            (Value::Array(a), Theirs::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, b))
            }
            (Value::Object(a), Theirs::Object(b)) => b.iter().all(|(name, b)| {
                // The common reader keeps the last of several members of one name.
                let last = a.iter().rev().find(|member| member.name == *name);
                last.is_some_and(|member| same(&member.node.value, b))
            }),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"([\[\]{},: \n"\\]|"[aub\\"]"|"a":|\\u[dD][89c]0[0-9]|1|0|-|\.5|e[1-3]|true|null|[a-fé😀]){0,24}"#) {
            match (read(&text), serde_json::from_str::<serde_json::Value>(&text)) {
                (Ok(ours), Ok(theirs)) => prop_assert!(same(&ours.value, &theirs), "{text}"),
                (Err(_), Err(_)) => {}
                (ours, theirs) => prop_assert!(false, "{text}: {ours:?} against {theirs:?}"),
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = read(&text);
        }
    }
}
