//! One function a rule. A finding says what is there and what would be right.

use std::path::Path;

use super::Report;
use super::masked::Masked;

/// Lines of a file before its tests.
const MAX_FILE_LINES: usize = 500;
/// Lines of a function: more is refused.
const MAX_FUNCTION_LINES: usize = 100;
/// Lines of a function: more is reported.
const LONG_FUNCTION_LINES: usize = 70;
/// Bytes of a tracked file.
const MAX_FILE_BYTES: usize = 1024 * 1024;
/// Lines of commented-out code in a row.
const MAX_COMMENTED_OUT_LINES: usize = 5;

/// Names that say nothing about what is in the file.
const EMPTY_NAMES: [&str; 5] = ["types", "utils", "common", "helpers", "manager"];

/// Words for unfinished work; written in halves so that this file is tidy.
const MARKERS: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("dbg", "!")];

/// A file is named after the one thing it holds.
pub(super) fn file_name(path: &Path, report: &mut Report) {
    let is_source =
        path.extension().is_some_and(|extension| extension == "rs" || extension == "py");
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if is_source && EMPTY_NAMES.contains(&stem) {
        report.finding(path, 1, format!("`{stem}` names nothing; name the file after its noun"));
    }
}

/// A repository is for text that people read.
pub(super) fn file_size(path: &Path, bytes: usize, report: &mut Report) {
    if bytes > MAX_FILE_BYTES {
        let sentence = format!("{bytes} bytes; keep tracked files below {MAX_FILE_BYTES}");
        report.finding(path, 1, sentence);
    }
}

/// A file that grew too long holds more than one thing.
pub(super) fn file_length(path: &Path, text: &str, report: &mut Report) {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    if lines > MAX_FILE_LINES {
        let sentence = format!("{lines} lines before the tests; split above {MAX_FILE_LINES}");
        report.finding(path, MAX_FILE_LINES + 1, sentence);
    }
}

/// Unfinished work belongs into the issue tracker.
pub(super) fn markers(path: &Path, text: &str, report: &mut Report) {
    for (index, line) in text.lines().enumerate() {
        for marker in MARKERS {
            if contains_word(line, marker) {
                let sentence = format!("`{marker}`; finish it or open an issue");
                report.finding(path, index + 1, sentence);
            }
        }
    }
}

/// Whether the word stands in the line with no letter, digit or underscore next to it.
fn contains_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && (word.ends_with('!') || !after.is_some_and(is_part))
    })
}

/// The history keeps old code; a comment does not have to.
pub(super) fn commented_out_code(path: &Path, text: &str, report: &mut Report) {
    let mut run = 0;
    for (index, line) in text.lines().enumerate() {
        run = if is_commented_code(line) { run + 1 } else { 0 };
        if run == MAX_COMMENTED_OUT_LINES + 1 {
            let first = index + 1 - MAX_COMMENTED_OUT_LINES;
            report.finding(path, first, "commented-out code; delete it, the history keeps it");
        }
    }
}

fn is_commented_code(line: &str) -> bool {
    let Some(comment) = line.trim_start().strip_prefix("//") else { return false };
    if comment.starts_with(['/', '!']) {
        return false;
    }
    let comment = comment.trim_end();
    comment.ends_with([';', '{', '}', ',']) || comment.ends_with(");") || comment.ends_with("=>")
}

/// A function fits on a page or two.
pub(super) fn function_length(path: &Path, masked: &Masked, report: &mut Report) {
    let lines: Vec<&str> = masked.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        if line.trim() == "#[cfg(test)]" {
            return;
        }
        if !starts_function(line) {
            continue;
        }
        let Some(length) = body_length(&lines[start..]) else { continue };
        let sentence = format!("a function of {length} lines; split above {LONG_FUNCTION_LINES}");
        if length > MAX_FUNCTION_LINES {
            report.finding(path, start + 1, sentence);
        } else if length > LONG_FUNCTION_LINES {
            report.warning(path, start + 1, sentence);
        }
    }
}

fn starts_function(line: &str) -> bool {
    let mut words = line.split_whitespace().take_while(|word| *word != "=" && *word != "where");
    words.any(|word| word == "fn")
}

/// Lines from the first one to the brace that closes the body; none for a declaration.
fn body_length(lines: &[&str]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, line) in lines.iter().enumerate() {
        for c in line.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 1 => return Some(index + 1),
                '}' => depth = depth.saturating_sub(1),
                ';' if depth == 0 => return None,
                _ => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rule: impl FnOnce(&Path, &mut Report)) -> Report {
        let mut report = Report::default();
        rule(Path::new("crates/a/src/lamp.rs"), &mut report);
        report
    }

    fn function_of(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    work();\n".repeat(lines - 2))
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        let mut found = Report::default();
        file_name(Path::new("crates/a/src/utils.rs"), &mut found);
        file_name(Path::new("docs/common.md"), &mut found);
        file_name(Path::new("crates/a/src/lamp.rs"), &mut found);
        assert_eq!(found.findings.len(), 1);
    }

    #[test]
    fn long_functions_are_refused_and_middling_ones_listed() {
        for (lines, findings, warnings) in [(70, 0, 0), (71, 0, 1), (100, 0, 1), (101, 1, 0)] {
            let masked = Masked::of(&function_of(lines));
            let found = report(|path, report| function_length(path, &masked, report));
            assert_eq!((found.findings.len(), found.warnings.len()), (findings, warnings));
        }
    }

    #[test]
    fn functions_of_tests_and_declarations_do_not_count() {
        let tests = format!("trait T {{\n    fn f(&self);\n}}\n#[cfg(test)]\n{}", function_of(300));
        let masked = Masked::of(&tests);
        assert!(report(|path, report| function_length(path, &masked, report)).findings.is_empty());
    }

    #[test]
    fn the_length_of_a_file_ends_at_its_tests() {
        let long = "line\n".repeat(500);
        let with_tests = format!("{long}#[cfg(test)]\n{long}");
        assert!(report(|path, report| file_length(path, &with_tests, report)).findings.is_empty());
        let longer = format!("{long}line\n");
        assert_eq!(report(|path, report| file_length(path, &longer, report)).findings.len(), 1);
    }

    #[test]
    fn markers_are_whole_words() {
        let marker = MARKERS[0];
        let text = format!("// {marker}: later\nlet {marker}S = 1;\nmktemp {0}{0}\n", MARKERS[2]);
        let found = report(|path, report| markers(path, &text, report));
        assert_eq!(found.findings.len(), 1);
        assert_eq!(found.findings[0].line, 1);
    }

    #[test]
    fn a_block_of_commented_out_code_is_found_once() {
        let text = format!("fn f() {{}}\n{}", "    // let a = b();\n".repeat(8));
        let found = report(|path, report| commented_out_code(path, &text, report));
        assert_eq!(found.findings.len(), 1);
        assert_eq!(found.findings[0].line, 2);
        let prose = "// A sentence of a comment, which goes on,\n// and ends here.\n".repeat(8);
        assert!(report(|path, r| commented_out_code(path, &prose, r)).findings.is_empty());
    }
}
