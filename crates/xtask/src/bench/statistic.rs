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
    let mut values: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..rounds.max(1) {
        for (values, measure) in values.iter_mut().zip(measure) {
            values.push(measure()?);
        }
    }
    Ok(values.map(|values| median(&values).expect("there was a round")))
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
    fn a_failure_ends_it() {
        let fails = || Err(Failure::new("no"));
        assert!(alternate(3, [&fails]).is_err());
    }
}
