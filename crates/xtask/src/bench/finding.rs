//! What a row has found out.

/// A figure beside its goal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    /// The figure, with what it was made from.
    pub(super) figure: String,
    /// Whether the goal is reached.
    pub(super) verdict: Verdict,
}

/// Whether a goal is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is.
    Pass,
    /// It is not.
    Short,
    /// There is no goal.
    Reported,
}

impl Verdict {
    /// `pass` if the condition holds, `short` otherwise.
    pub(super) fn of(reached: bool) -> Self {
        if reached { Self::Pass } else { Self::Short }
    }

    /// The word in the table.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Short => "short",
            Self::Reported => "reported",
        }
    }
}

impl Finding {
    /// One figure.
    pub(super) fn new(figure: impl Into<String>, verdict: Verdict) -> Self {
        Self { figure: figure.into(), verdict }
    }

    /// Several figures of one row, whose verdict is the worst of theirs.
    pub(super) fn all(findings: Vec<Self>) -> Self {
        let has = |verdict| findings.iter().any(|finding| finding.verdict == verdict);
        let verdict = match (has(Verdict::Short), has(Verdict::Pass)) {
            (true, _) => Verdict::Short,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Reported,
        };
        let figures: Vec<String> = findings.into_iter().map(|finding| finding.figure).collect();
        Self { figure: figures.join("; "), verdict }
    }

    /// `what: 1.20 x (24.0 / 20.0 us)`, where at most `goal` is wanted.
    pub(super) fn at_most(what: &str, (value, base): (f64, f64), goal: f64) -> Self {
        Self::new(micros(what, (value, base)), Verdict::of(value / base <= goal))
    }

    /// The same where nothing is wanted.
    pub(super) fn reported(what: &str, (value, base): (f64, f64)) -> Self {
        Self::new(micros(what, (value, base)), Verdict::Reported)
    }
}

fn micros(what: &str, (value, base): (f64, f64)) -> String {
    let ratio = value / base;
    format!("{what}: {ratio:.2} x ({value:.1} / {base:.1} us)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_shows_what_it_was_made_from() {
        let finding = Finding::at_most("16 senders", (24.0, 20.0), 1.25);
        assert_eq!(finding.figure, "16 senders: 1.20 x (24.0 / 20.0 us)");
        assert_eq!(finding.verdict, Verdict::Pass);
        let reported = Finding::reported("16 senders", (24.0, 20.0));
        assert_eq!((reported.figure, reported.verdict), (finding.figure, Verdict::Reported));
        assert_eq!(Finding::at_most("", (26.0, 20.0), 1.25).verdict, Verdict::Short);
        assert_eq!(Finding::at_most("", (f64::NAN, 20.0), 1.25).verdict, Verdict::Short);
    }

    #[test]
    fn the_worst_verdict_is_the_rows() {
        let of = |verdict| Finding::new("f", verdict);
        let all = |verdicts: &[Verdict]| Finding::all(verdicts.iter().map(|v| of(*v)).collect());
        assert_eq!(all(&[Verdict::Pass, Verdict::Short, Verdict::Pass]).verdict, Verdict::Short);
        assert_eq!(all(&[Verdict::Reported, Verdict::Pass]).verdict, Verdict::Pass);
        let reported = all(&[Verdict::Reported, Verdict::Reported]);
        assert_eq!((reported.figure.as_str(), reported.verdict), ("f; f", Verdict::Reported));
    }
}
