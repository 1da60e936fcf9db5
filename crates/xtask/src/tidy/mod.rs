//! `cargo xtask tidy`: the style rules that no compiler checks.

mod masked;
mod rules;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::repository::Repository;

use self::masked::Masked;

/// A place that breaks a rule, and what would be right.
#[derive(Debug)]
struct Finding {
    path: PathBuf,
    line: usize,
    sentence: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.sentence)
    }
}

/// What one run found: what fails, and what is only worth a look.
#[derive(Debug, Default)]
struct Report {
    findings: Vec<Finding>,
    warnings: Vec<Finding>,
}

impl Report {
    fn finding(&mut self, path: &Path, line: usize, sentence: impl Into<String>) {
        self.findings.push(Finding { path: path.to_owned(), line, sentence: sentence.into() });
    }

    fn warning(&mut self, path: &Path, line: usize, sentence: impl Into<String>) {
        self.warnings.push(Finding { path: path.to_owned(), line, sentence: sentence.into() });
    }
}

/// The chore.
pub(crate) fn run(repository: &Repository) -> Outcome {
    let mut report = Report::default();
    let files = repository.files()?;
    for path in &files {
        check_file(repository.root(), path, &mut report)?;
    }
    if !report.warnings.is_empty() {
        println!("worth a look ({}):", report.warnings.len());
        for warning in &report.warnings {
            println!("  {warning}");
        }
    }
    if report.findings.is_empty() {
        println!("{} files are tidy", files.len());
        return Ok(());
    }
    for finding in &report.findings {
        println!("{finding}");
    }
    Err(Failure::new(format!("{} places are not tidy", report.findings.len())))
}

fn check_file(root: &Path, path: &Path, report: &mut Report) -> Outcome {
    rules::file_name(path, report);
    let bytes = std::fs::read(root.join(path))
        .map_err(|error| Failure::io(format!("reading {}", path.display()), &error))?;
    rules::file_size(path, bytes.len(), report);
    // Certificates, corpora and pictures have no lines to check.
    let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => {
            let masked = Masked::of(&text);
            rules::markers(path, &text, report);
            rules::commented_out_code(path, &text, report);
            if !is_test_file(path) {
                rules::file_length(path, &text, report);
                rules::function_length(path, &masked, report);
            }
        }
        Some("py") => {
            rules::markers(path, &text, report);
            rules::file_length(path, &text, report);
        }
        Some("toml" | "sh" | "md" | "yml" | "yaml") => rules::markers(path, &text, report),
        Some(_) | None => {}
    }
    Ok(())
}

/// A file that is compiled for tests only: its length says nothing about the product.
fn is_test_file(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "benches")
        || path.file_name().is_some_and(|name| name == "tests.rs")
}
