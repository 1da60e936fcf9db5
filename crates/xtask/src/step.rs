//! A heading for each step of a long chore, and its name in the failure.

use std::time::Instant;

use crate::failure::{Failure, Outcome};

/// Runs one named step: prints a heading, then how long it took; a failure carries the name.
pub(crate) fn step(name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    println!("\n=== {name}");
    let start = Instant::now();
    let outcome = work();
    let seconds = start.elapsed().as_secs_f64();
    match outcome {
        Ok(()) => {
            println!("--- {name}: ok ({seconds:.1} s)");
            Ok(())
        }
        Err(failure) => {
            Err(Failure::new(format!("step `{name}` failed after {seconds:.1} s: {failure}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_step() {
        let failure = step("paint", || Err(Failure::new("no brush"))).unwrap_err();
        assert!(failure.to_string().starts_with("step `paint` failed"));
        assert!(failure.to_string().ends_with("no brush"));
    }
}
