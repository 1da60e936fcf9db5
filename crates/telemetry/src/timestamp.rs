//! The time of an entry, as AWS writes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 86_400;

/// Bytes of a date and time.
const DATE_BYTES: usize = 23;

const DAYS_FROM_0000_03_01_TO_1970: u64 = 719_468;

/// Where it stands in [`Text`].
const DATE_AT: usize = 14;

/// Bytes of the day in a date and time.
pub(crate) const DAY_BYTES: usize = 10;

/// The time now, as text, which is put together anew only when it is another one.
pub(crate) struct Clock {
    text: Text,
    /// The millisecond that the text tells.
    from: SystemTime,
    until: SystemTime,
}

/// The beginning of an entry with its time as `YYYY-MM-DD HH:MM:SS.mmm` in UTC (spec 8.2). A clock
/// before 1970 counts as 1970, one after the year 9999 is not told correctly.
pub(crate) type Text = [u8; 38];

/// The beginning of 1970.
pub(crate) const EPOCH: Text = *br#"{"timestamp":"1970-01-01 00:00:00.000""#;

impl Clock {
    pub(crate) const fn new() -> Self {
        Clock { text: EPOCH, from: UNIX_EPOCH, until: UNIX_EPOCH }
    }

    /// The time on the wall.
    #[inline]
    pub(crate) fn now(&mut self) -> &Text {
        self.at(SystemTime::now())
    }

    #[inline]
    fn at(&mut self, time: SystemTime) -> &Text {
        if time < self.from || time >= self.until {
            self.set(time);
        }
        &self.text
    }

    #[cold]
    fn set(&mut self, time: SystemTime) {
        const MILLISECOND: Duration = Duration::from_millis(1);
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.text = encode(since);
        let into_millisecond = Duration::from_nanos(u64::from(since.subsec_nanos() % 1_000_000));
        self.from = UNIX_EPOCH + (since - into_millisecond);
        // At the end of all time each is told anew.
        self.until = self.from.checked_add(MILLISECOND).unwrap_or(self.from);
    }
}

/// The date and time of an entry's member, in the form of [`Text`].
pub(crate) fn date(since_epoch: Duration) -> [u8; DATE_BYTES] {
    let text = encode(since_epoch);
    *text[DATE_AT..].first_chunk().expect("a date and its quotation mark follow the key")
}

/// The day of an entry, as text, and its time in milliseconds since 1970; none if the line does not
/// begin as an entry does.
pub(crate) fn read(line: &[u8]) -> Option<(&[u8; DAY_BYTES], u64)> {
    let date = line.strip_prefix(&EPOCH[..DATE_AT])?.first_chunk::<DATE_BYTES>()?;
    let (mut digits, fixed) = ([0; DATE_BYTES], &EPOCH[DATE_AT..]);
    for (at, (byte, like)) in date.iter().zip(fixed).enumerate() {
        match (byte, like.is_ascii_digit()) {
            (b'0'..=b'9', true) => digits[at] = u64::from(byte - b'0'),
            (byte, false) if byte == like => {}
            (_, _) => return None,
        }
    }
    let number = |range: std::ops::Range<usize>| digits[range].iter().fold(0, |n, d| n * 10 + d);
    let (month, day) = (number(5..7), number(8..10));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_since_1970(number(0..4), month, day)?;
    let of_day = (number(11..13) * 60 + number(14..16)) * 60 + number(17..19);
    let millis = (days * SECONDS_PER_DAY + of_day) * 1_000 + number(20..23);
    Some((date.first_chunk()?, millis))
}

/// The inverse of [`civil`]; none before 1970.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (cycle, year_of_cycle) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    (cycle * 146_097 + day_of_cycle).checked_sub(DAYS_FROM_0000_03_01_TO_1970)
}

fn encode(since_epoch: Duration) -> Text {
    let second = since_epoch.as_secs();
    let (year, month, day) = civil(second / SECONDS_PER_DAY);
    let of_day = second % SECONDS_PER_DAY;
    let mut text = EPOCH;
    put(&mut text[14..18], year);
    put(&mut text[19..21], month);
    put(&mut text[22..24], day);
    put(&mut text[25..27], of_day / 3_600);
    put(&mut text[28..30], of_day / 60 % 60);
    put(&mut text[31..33], of_day % 60);
    put(&mut text[34..37], u64::from(since_epoch.subsec_millis()));
    text
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
    use super::*;

    fn time(millis: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(millis)
    }

    fn text(millis: u64) -> String {
        String::from_utf8(Clock::new().at(time(millis))[14..37].to_vec()).unwrap()
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
            assert_eq!(days_since_1970(year, month, day), Some(days));
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
    fn the_time_of_an_entry_is_read_back() {
        for millis in [0, 951_782_399_999, 1_709_251_199_007, 4_107_542_400_000] {
            let mut line = encode(Duration::from_millis(millis)).to_vec();
            line.extend_from_slice(b",\"logLevel\":\"INFO\"}");
            let (day, read) = super::read(&line).unwrap();
            assert_eq!((day.as_slice(), read), (&text(millis).as_bytes()[..10], millis));
        }
        let is_read = |date: &str| {
            let line = format!("{{\"timestamp\":\"{date}\"");
            super::read(line.as_bytes()).is_some()
        };
        let broken = ["1970-01-01 00:00:00", "1970-13-01 00:00:00.000", "1970-01-00 00:00:00.000"];
        for broken in
            broken.into_iter().chain(["1969-12-31 23:59:59.999", "1970-01-01T00:00:00.000"])
        {
            assert!(!is_read(broken), "{broken}");
        }
        assert_eq!(super::read(b""), None);
        assert_eq!(super::read(b"{\"logLevel\":\"INFO\"}"), None);
    }

    #[test]
    fn a_clock_before_1970_counts_as_1970() {
        let mut clock = Clock::new();
        assert_eq!(clock.at(UNIX_EPOCH - Duration::from_millis(1_500)), &EPOCH);
        clock.at(time(1_000));
        assert_eq!(clock.at(UNIX_EPOCH - Duration::from_secs(1)), &EPOCH);
    }

    #[test]
    fn a_clock_that_goes_on_or_back_tells_what_a_new_one_tells() {
        let mut clock = Clock::new();
        let mut millis = 1_709_251_199_007_u64;
        for step in [0, 1, 92, 900, 1_000, 59_999, 3_600_000, 86_400_000, 40_000_000_000] {
            for next in [millis + step, millis, millis + step] {
                for nanos in [0, 1, 999_999] {
                    let within = time(next) + Duration::from_nanos(nanos);
                    assert_eq!(clock.at(within), Clock::new().at(time(next)));
                }
            }
            millis += step;
        }
    }
}
