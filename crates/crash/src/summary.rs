//! What a run showed, for people.

use std::fmt;
use std::time::Duration;

use crate::run::Finding;

/// So many broken promises are told; there are rarely a few.
const TOLD: usize = 20;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = &self.verdict;
        writeln!(f, "kills                    {} ({} during a start)", self.kills, self.cut_off)?;
        writeln!(f, "restarts                 {}", times(&self.starts))?;
        writeln!(f, "messages published       {}", verdict.published)?;
        writeln!(f, "messages acknowledged    {}", verdict.acknowledged)?;
        writeln!(f, "deliveries owed          {}", verdict.owed)?;
        writeln!(f, "messages delivered       {}", verdict.delivered)?;
        writeln!(f, "lost                     {}", verdict.lost)?;
        writeln!(f, "repeated at QoS 1        {}", verdict.repeated_at_least_once)?;
        writeln!(f, "repeated at QoS 2        {}", verdict.repeated_exactly_once)?;
        writeln!(f, "subscriptions checked    {}", verdict.subscriptions)?;
        writeln!(f, "retained topics checked  {}", verdict.retained)?;
        write!(f, "broken promises          {}", verdict.wrong.len())?;
        for what in verdict.wrong.iter().take(TOLD) {
            write!(f, "\n  {what}")?;
        }
        if let Some(more) = verdict.wrong.len().checked_sub(TOLD).filter(|more| *more > 0) {
            write!(f, "\n  and {more} more")?;
        }
        Ok(())
    }
}

fn times(starts: &[Duration]) -> String {
    let mut sorted = starts.to_vec();
    sorted.sort();
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(least), Some(median), Some(most)) => format!(
            "{} ms at least, {} ms in the middle, {} ms at most",
            least.as_millis(),
            median.as_millis(),
            most.as_millis()
        ),
        (None, _, _) | (_, None, _) | (_, _, None) => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn broken_promises_are_told_and_many_are_counted() {
        let wrong = (0..TOLD + 2).map(|number| format!("promise {number}")).collect();
        let verdict = Verdict { wrong, ..Verdict::default() };
        let finding = Finding { kills: 3, cut_off: 1, starts: Vec::new(), verdict };
        let told = finding.to_string();
        assert!(told.contains("promise 0\n") && told.ends_with("and 2 more"), "{told}");
    }
}
