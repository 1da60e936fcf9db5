//! The time of an entry, as AWS writes it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

const SECONDS_PER_DAY: u64 = 86_400;

/// A time on the wall clock; serialised as `YYYY-MM-DD HH:MM:SS.mmm` in UTC (spec 8.2), without an
/// allocation. A clock before 1970 counts as 1970, one after the year 9999 is not told correctly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp {
    millis: u64,
}

impl Timestamp {
    const TEMPLATE: [u8; 23] = *b"0000-00-00 00:00:00.000";

    pub(crate) fn now() -> Self {
        Self::from(SystemTime::now())
    }

    fn encode(self) -> [u8; 23] {
        let seconds = self.millis / 1_000;
        let (year, month, day) = civil(seconds / SECONDS_PER_DAY);
        let of_day = seconds % SECONDS_PER_DAY;
        let mut text = Self::TEMPLATE;
        put(&mut text[0..4], year);
        put(&mut text[5..7], month);
        put(&mut text[8..10], day);
        put(&mut text[11..13], of_day / 3_600);
        put(&mut text[14..16], of_day / 60 % 60);
        put(&mut text[17..19], of_day % 60);
        put(&mut text[20..23], self.millis % 1_000);
        text
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp { millis: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.encode();
        serializer.serialize_str(std::str::from_utf8(&text).expect("digits and punctuation"))
    }
}

/// Writes `value` in decimal over all of `digits`; what does not fit is cut off at the left.
fn put(digits: &mut [u8], mut value: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year, and in cycles of 400
/// years (146,097 days), which all have the same days.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_FROM_0000_03_01_TO_1970: u64 = 719_468;
    let shifted = days + DAYS_FROM_0000_03_01_TO_1970;
    let (cycle, day_of_cycle) = (shifted / 146_097, shifted % 146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn text(millis: u64) -> String {
        let time = Timestamp::from(UNIX_EPOCH + Duration::from_millis(millis));
        String::from_utf8(time.encode().to_vec()).unwrap()
    }

    #[test]
    fn known_times_are_told_correctly() {
        // `date -u -d @N '+%F %T'` of each.
        assert_eq!(text(0), "1970-01-01 00:00:00.000");
        assert_eq!(text(951_782_399_999), "2000-02-28 23:59:59.999");
        assert_eq!(text(951_782_400_000), "2000-02-29 00:00:00.000");
        assert_eq!(text(951_868_800_000), "2000-03-01 00:00:00.000");
        assert_eq!(text(1_502_379_443_476), "2017-08-10 15:37:23.476");
        assert_eq!(text(1_709_251_199_007), "2024-02-29 23:59:59.007");
        assert_eq!(text(4_107_542_400_000), "2100-03-01 00:00:00.000");
    }

    #[test]
    fn days_follow_each_other_without_gap_over_400_years() {
        let leap =
            |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..146_097 {
            assert_eq!(civil(days), (year, month, day));
            let length = match month {
                2 => 28 + u64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn a_clock_before_1970_does_not_panic() {
        let time = Timestamp::from(UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(time, Timestamp { millis: 0 });
    }
}
