//! Where files cite statements: `MQTT-` for 5.0 or `MQTT3-` for 3.1.1, then the number, all in
//! brackets.

use std::path::{Path, PathBuf};

use super::enclosing::Lines;
use super::statement::Standard;

/// How a citation begins; one of a number goes on with a digit.
const OPENINGS: [(&str, Standard); 2] =
    [(concat!("[", "MQTT-"), Standard::V5), (concat!("[", "MQTT3-"), Standard::V311)];

/// One place that cites a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Citation {
    pub(super) standard: Standard,
    /// As it is written; whether it exists is another question.
    pub(super) number: String,
    pub(super) path: PathBuf,
    /// Counted from 1.
    pub(super) line: usize,
    /// For people: the function around it, or its line. Only where tests are.
    pub(super) test: Option<String>,
}

/// Whether a file is one that cites: sources and documents, but not this chore and its examples.
pub(super) fn may_cite(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("rs" | "py" | "md")) && !path.starts_with("crates/xtask")
}

/// All citations of a file.
pub(super) fn all_in(path: &Path, text: &str) -> Vec<Citation> {
    let lines = Lines::of(text);
    let first_of_tests = first_line_of_tests(path, text);
    let mut citations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (standard, number) in in_line(line) {
            let is_in_test = first_of_tests.is_some_and(|first| index >= first);
            let test = is_in_test.then(|| match lines.function_around(index) {
                Some(function) => format!("{}::{function}", path.display()),
                None => format!("{}:{}", path.display(), index + 1),
            });
            let path = path.to_owned();
            citations.push(Citation { standard, number, path, line: index + 1, test });
        }
    }
    citations
}

/// The standards and numbers cited in a line, from left to right.
fn in_line(line: &str) -> Vec<(Standard, String)> {
    let mut found: Vec<(usize, Standard, String)> = Vec::new();
    for (opening, standard) in OPENINGS {
        for (at, _) in line.match_indices(opening) {
            let rest = &line[at + opening.len()..];
            if rest.starts_with(|c: char| c.is_ascii_digit()) {
                let number = rest.split(']').next().unwrap_or(rest);
                found.push((at, standard, number.to_owned()));
            }
        }
    }
    found.sort_by_key(|(at, ..)| *at);
    found.into_iter().map(|(_, standard, number)| (standard, number)).collect()
}

/// The index of the line from which on the file is tests, if any.
fn first_line_of_tests(path: &Path, text: &str) -> Option<usize> {
    let name = path.file_name()?.to_str()?;
    let is_under_tests = path.components().any(|part| part.as_os_str() == "tests");
    match path.extension()?.to_str()? {
        "rs" if is_under_tests || name == "tests.rs" => Some(0),
        "rs" => text.lines().position(|line| line.trim() == "#[cfg(test)]"),
        "py" => (is_under_tests && name.starts_with("test_")).then_some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cite(number: &str) -> String {
        format!("{}{number}]", OPENINGS[0].0)
    }

    fn cite_311(number: &str) -> String {
        format!("{}{number}]", OPENINGS[1].0)
    }

    fn tests_of(path: &str, text: &str) -> Vec<Option<String>> {
        all_in(Path::new(path), text).into_iter().map(|citation| citation.test).collect()
    }

    #[test]
    fn both_standards_are_read_in_the_order_of_the_line() {
        let line = format!("{} {}, `{}`.", cite_311("1.2.3-4"), cite("5.6.7-8"), cite("1.1.1-1"));
        let read = in_line(&line);
        let expected =
            [(Standard::V311, "1.2.3-4"), (Standard::V5, "5.6.7-8"), (Standard::V5, "1.1.1-1")];
        assert_eq!(read, expected.map(|(standard, number)| (standard, number.to_owned())));
    }

    #[test]
    fn placeholders_are_no_citations_and_broken_numbers_are() {
        assert_eq!(in_line(&cite("x.y.z-n")), []);
        assert_eq!(in_line(&cite("1.2.3.4"))[0].1, "1.2.3.4");
        let unfinished = cite("1.2.3-4").replace(']', "");
        assert_eq!(in_line(&unfinished)[0].1, "1.2.3-4");
    }

    #[test]
    fn a_citation_of_a_source_is_no_test_until_the_tests_begin() {
        let number = cite("1.2.3-4");
        let text = format!(
            "// {number}\nfn f() {{}}\n#[cfg(test)]\nmod tests {{\n    // {number}\n    fn g() {{}}\n}}\n"
        );
        let path = "crates/a/src/lamp.rs";
        assert_eq!(tests_of(path, &text), [None, Some(format!("{path}::g"))]);
    }

    #[test]
    fn tests_are_known_by_their_files() {
        let text = format!("# {}\n", cite("1.2.3-4"));
        for (path, is_test) in [
            ("crates/a/tests/lamp.rs", true),
            ("crates/a/tests/lamp/wick.rs", true),
            ("crates/a/src/lamp/tests.rs", true),
            ("crates/a/benches/lamp.rs", false),
            ("tests/e2e/test_lamp.py", true),
            ("tests/e2e/standard/test_lamp.py", true),
            ("tests/e2e/harness/lamp.py", false),
            ("docs/lamp.md", false),
        ] {
            let expected = is_test.then(|| format!("{path}:1"));
            assert_eq!(tests_of(path, &text), [expected], "{path}");
        }
    }

    #[test]
    fn sources_and_documents_cite_and_the_chores_do_not() {
        assert!(may_cite(Path::new("crates/a/src/lamp.rs")));
        assert!(may_cite(Path::new("README.md")));
        assert!(!may_cite(Path::new("crates/xtask/src/spec/mod.rs")));
        assert!(!may_cite(Path::new("fuzz/corpus/topics/bad")));
    }
}
