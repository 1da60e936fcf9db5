//! Medians, of what was measured in turns.

use crate::failure::Outcome;

/// The middle of the values; between the two in the middle, their mean. None for no values.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(sorted[middle - 1], upper))
}

/// Measures all in turns, `rounds` times (at least once): the median of each. What disturbs the
/// machine for a while disturbs all alike.
///
/// # Errors
/// The first one that fails.
pub(super) fn alternate<const N: usize>(
    rounds: u32,
    measure: [&dyn Fn() -> Outcome<f64>; N],
) -> Outcome<[f64; N]> {
    let one = measure.map(|measure| move || Ok([measure()?]));
    let one = one.each_ref().map(|measure| measure as &dyn Fn() -> Outcome<[f64; 1]>);
    Ok(alternate_figures(rounds, one)?.map(|[median]| median))
}

/// The same where one measurement has several figures: the median of each figure of each.
///
/// # Errors
/// The first one that fails.
pub(super) fn alternate_figures<const N: usize, const FIGURES: usize>(
    rounds: u32,
    measure: [&dyn Fn() -> Outcome<[f64; FIGURES]>; N],
) -> Outcome<[[f64; FIGURES]; N]> {
    let mut values: [Vec<[f64; FIGURES]>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..rounds.max(1) {
        for (values, measure) in values.iter_mut().zip(measure) {
            values.push(measure()?);
        }
    }
    Ok(values.map(|values| {
        std::array::from_fn(|figure| {
            let figures: Vec<f64> = values.iter().map(|values| values[figure]).collect();
            median(&figures).expect("there was a round")
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use std::cell::RefCell;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 90.0]), Some(3.0));
    }

    #[test]
    fn measurements_take_turns() {
        let order = RefCell::new(Vec::new());
        let measure = |name: &'static str| {
            let order = &order;
            move || {
                order.borrow_mut().push(name);
                Ok(order.borrow().len() as f64)
            }
        };
        let (floor, server) = (measure("floor"), measure("server"));
        assert_eq!(alternate(3, [&floor, &server]).unwrap(), [3.0, 4.0]);
        assert_eq!(*order.borrow(), ["floor", "server"].repeat(3));
    }

    #[test]
    fn each_figure_has_a_median_of_its_own() {
        let round = RefCell::new(0.0);
        let measure = || {
            *round.borrow_mut() += 1.0;
            Ok([*round.borrow(), -*round.borrow()])
        };
        assert_eq!(alternate_figures(3, [&measure]).unwrap(), [[2.0, -2.0]]);
    }

    #[test]
    fn a_failure_ends_it() {
        let fails = || Err::<f64, _>(Failure::new("no"));
        assert!(alternate(3, [&fails]).is_err());
    }
}
