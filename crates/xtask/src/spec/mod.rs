//! `cargo xtask spec`: every numbered statement of the two MQTT standards and the tests that cite
//! it.

mod citation;
mod enclosing;
mod ledger;
mod statement;

use crate::failure::{Failure, Outcome};
use crate::repository::Repository;

use self::citation::Citation;
use self::ledger::Ledger;
use self::statement::Standard;

/// Whether `cargo xtask test` refuses statements without a test. What is wrong with a citation is
/// refused either way.
const STRICT: bool = true;

/// What to print, and what to refuse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// A statement for the server without a test is a failure.
    strict: bool,
    /// Only the statements without a test are printed.
    missing: bool,
}

impl Request {
    /// Reads `--strict` and `--missing`.
    pub(crate) fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut request = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--strict" => request.strict = true,
                "--missing" => request.missing = true,
                other => {
                    return Err(Failure::new(format!(
                        "`spec` takes --strict and --missing, found `{other}`"
                    )));
                }
            }
        }
        Ok(request)
    }
}

/// The chore.
pub(crate) fn run(repository: &Repository, request: Request) -> Outcome {
    let ledger = Ledger::new(Standard::read_all()?, citations(repository)?);
    print!("{}", if request.missing { ledger.missing() } else { ledger.table() });
    print!("{}", ledger.summary());
    ledger.judge(request.strict)
}

/// The part of `cargo xtask test`.
pub(crate) fn check(repository: &Repository) -> Outcome {
    run(repository, Request { strict: STRICT, missing: true })
}

/// The citations of all files that may cite.
fn citations(repository: &Repository) -> Outcome<Vec<Citation>> {
    let mut citations = Vec::new();
    for path in repository.files()? {
        if !citation::may_cite(&path) {
            continue;
        }
        let file = repository.root().join(&path);
        let text = std::fs::read_to_string(&file)
            .map_err(|error| Failure::io(format!("reading {}", path.display()), &error))?;
        citations.extend(citation::all_in(&path, &text));
    }
    Ok(citations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_strict_and_missing() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(Request::parse(&[]).unwrap(), Request::default());
        let both = Request { strict: true, missing: true };
        assert_eq!(Request::parse(&words("--missing --strict")).unwrap(), both);
        let failure = Request::parse(&words("--stirct")).unwrap_err().to_string();
        assert!(failure.contains("`--stirct`"), "{failure}");
    }
}
