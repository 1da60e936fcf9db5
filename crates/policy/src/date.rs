//! Points in time as conditions write them: ISO 8601 in its W3C profile, or epoch seconds.

const MILLIS_PER_SECOND: i64 = 1_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Milliseconds since 1970-01-01T00:00:00Z of `2026`, `2026-05`, `2026-05-01`,
/// `2026-05-01T12:30Z`, `2026-05-01T12:30:15.250+02:00` or `1777593600`.
///
/// A bare number of four digits is a year, as the W3C profile has it.
pub(crate) fn parse_millis(text: &str) -> Option<i64> {
    if text.len() != 4
        && let Ok(seconds) = text.parse::<i64>()
    {
        return seconds.checked_mul(MILLIS_PER_SECOND);
    }
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut fields = date.split('-');
    let year = digits(fields.next()?, 4)?;
    let month = fields.next().map_or(Some(1), |field| digits(field, 2))?;
    let day = fields.next().map_or(Some(1), |field| digits(field, 2))?;
    let complete = date.len() == "2026-05-01".len();
    if fields.next().is_some() || (time.is_some() && !complete) {
        return None;
    }
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_since_epoch(year, month, day) * SECONDS_PER_DAY * MILLIS_PER_SECOND;
    Some(midnight + time.map_or(Some(0), time_of_day_millis)?)
}

/// `1970-01-01T00:00:00Z` for 0.
pub(crate) fn format_seconds(epoch_seconds: i64) -> String {
    let (year, month, day) = civil_date(epoch_seconds.div_euclid(SECONDS_PER_DAY));
    let second = epoch_seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `hh:mm[:ss[.f]]` and a zone, as milliseconds since midnight UTC.
fn time_of_day_millis(text: &str) -> Option<i64> {
    let (clock, offset_minutes) = match text.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, 0),
        None => {
            let sign = text.rfind(['+', '-'])?;
            let (hours, minutes) = text[sign + 1..].split_once(':')?;
            let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
            (&text[..sign], if text[sign..].starts_with('-') { -minutes } else { minutes })
        }
    };
    let mut fields = clock.split(':');
    let hour = digits(fields.next()?, 2)?;
    let minute = digits(fields.next()?, 2)?;
    let (second, millis) = match fields.next() {
        None => (0, 0),
        Some(field) => match field.split_once('.') {
            None => (digits(field, 2)?, 0),
            Some((second, fraction)) => (digits(second, 2)?, fraction_millis(fraction)?),
        },
    };
    // Second 60 is a leap second, which counts as the first second of the next minute.
    if fields.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
    Some(seconds * MILLIS_PER_SECOND + millis)
}

/// The first three digits after the decimal point; finer parts are cut off.
fn fraction_millis(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<3}")[..3].parse().ok()
}

/// A number of exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let well_formed = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if well_formed { text.parse().ok() } else { None }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted from
/// March, so that the leap day is the last of its year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_since_epoch`].
fn civil_date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_precision_of_the_w3c_profile_is_read() {
        let cases = [
            ("1970", 0),
            ("1970-01", 0),
            ("1970-01-02", 86_400_000),
            ("1970-01-01T00:01Z", 60_000),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:00:00-01:00", 0),
            ("1970-01-01T00:00:00.2509Z", 250),
            ("2024-02-29T12:00:00Z", 1_709_208_000_000),
            ("1709208000", 1_709_208_000_000),
            ("-1", -1_000),
        ];
        for (text, millis) in cases {
            assert_eq!(parse_millis(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let cases = [
            "",
            "soon",
            "2023-02-29",
            "2024-13",
            "2024-1-1",
            "2024-01-01T00:00",
            "2024-01T00:00Z",
            "2024-01-01T25:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00é",
            "9223372036854775807",
        ];
        for text in cases {
            assert_eq!(parse_millis(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_time_reads_back(seconds in -60_000_000_000_i64..250_000_000_000) {
            prop_assert_eq!(parse_millis(&format_seconds(seconds)), Some(seconds * 1_000));
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = parse_millis(&text);
        }
    }
}
