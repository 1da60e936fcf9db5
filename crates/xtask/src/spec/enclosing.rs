//! Which function of a Rust or Python file a line belongs to, by indentation.

/// The lines of a file.
pub(super) struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.lines().collect())
    }

    /// The function that the line is in, or that the comment on it is about.
    pub(super) fn function_around(&self, index: usize) -> Option<&'a str> {
        self.function_below_comment(index).or_else(|| self.function_above(index))
    }

    /// The function after a comment, with nothing but comments and attributes between them.
    fn function_below_comment(&self, index: usize) -> Option<&'a str> {
        let is_before_function =
            |line: &str| line.starts_with(['#', '@']) || line.starts_with("//");
        let mut below = self.0[index..].iter().map(|line| line.trim());
        if !below.next().is_some_and(is_before_function) {
            return None;
        }
        below.find(|line| !is_before_function(line)).and_then(function_name)
    }

    /// The nearest line above that begins a function and is indented less.
    fn function_above(&self, index: usize) -> Option<&'a str> {
        let mut depth = indentation(self.0[index]);
        for line in self.0[..index].iter().rev() {
            // The end of something, the head of a function over several lines included.
            let is_end = line.trim_start().starts_with([')', ']', '}']);
            if line.trim().is_empty() || is_end || indentation(line) >= depth {
                continue;
            }
            if let Some(name) = function_name(line.trim()) {
                return Some(name);
            }
            depth = indentation(line);
        }
        None
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The name after `fn` or `def`, if the line begins a function.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split([' ', '(', '<', ':']);
    let is_head = |word: &&str| ["pub", "async", "const", "unsafe"].contains(word);
    let keyword = words.by_ref().find(|word| !is_head(word))?;
    matches!(keyword, "fn" | "def").then(|| words.next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The function of the line that has an `X`.
    fn function_at_x(text: &str) -> Option<&str> {
        let index = text.lines().position(|line| line.contains('X')).unwrap();
        Lines::of(text).function_around(index)
    }

    #[test]
    fn a_line_is_in_the_function_that_is_open_there() {
        assert_eq!(function_at_x("fn a() {\n    if b {\n        // X\n    }\n}\n"), Some("a"));
        assert_eq!(function_at_x("fn a() {\n}\n\nasync fn b() {\n    \"X\";\n}\n"), Some("b"));
        assert_eq!(function_at_x("fn a(\n    c: u8,\n) -> u8 {\n    c // X\n}\n"), Some("a"));
        assert_eq!(function_at_x("def a():\n    \"\"\"X\"\"\"\n"), Some("a"));
        assert_eq!(
            function_at_x("def a(b):\n    pass\n\ndef c(d):\n    # X\n    pass\n"),
            Some("c")
        );
    }

    #[test]
    fn a_comment_belongs_to_the_function_below_it() {
        assert_eq!(function_at_x("/// X\n/// and more\n#[test]\nfn a() {}\n"), Some("a"));
        assert_eq!(function_at_x("def b():\n    pass\n\n# X\n@fixture\ndef a():\n"), Some("a"));
        let last = "fn a() {\n    // X\n    let b = 1;\n}\nfn c() {}\n";
        assert_eq!(function_at_x(last), Some("a"));
    }

    #[test]
    fn a_table_belongs_to_no_function() {
        assert_eq!(function_at_x("fn a() {\n}\n\nconst B: [u8; 1] = [\n    1, // X\n];\n"), None);
        assert_eq!(function_at_x("def a():\n    pass\n\nCASES = {\n    \"X\": 1,\n}\n"), None);
        assert_eq!(function_at_x("//! X\n"), None);
        assert_eq!(function_at_x("let fnord = X;\n"), None);
    }
}
