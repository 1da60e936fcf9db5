//! The time of signing, as a number and as the sixteen characters SigV4 signs.

use std::fmt;

const SECONDS_PER_DAY: i64 = 86_400;
/// 9999-12-31T23:59:59Z, the last second four digits of year can name.
const LAST_SECOND: i64 = 253_402_300_799;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A second between the years 0000 and 9999, UTC, with its spelling `20150830T123600Z`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    unix: i64,
    text: [u8; 16],
}

impl Timestamp {
    /// The second `unix` seconds after 1970; what lies beyond the four-digit years is moved to
    /// the nearest second inside them, which is far from every other time anyway.
    #[must_use]
    pub fn from_unix(unix: i64) -> Self {
        let unix = unix.clamp(days_from_civil(0, 1, 1) * SECONDS_PER_DAY, LAST_SECOND);
        let (year, month, day) = civil_from_days(unix.div_euclid(SECONDS_PER_DAY));
        let second = unix.rem_euclid(SECONDS_PER_DAY);
        let mut text = *b"00000000T000000Z";
        put_digits(&mut text[0..4], year);
        put_digits(&mut text[4..6], month);
        put_digits(&mut text[6..8], day);
        put_digits(&mut text[9..11], second / 3600);
        put_digits(&mut text[11..13], second / 60 % 60);
        put_digits(&mut text[13..15], second % 60);
        Self { unix, text }
    }

    /// Reads ISO 8601 basic format, `20150830T123600Z`, the form of `x-amz-date`.
    #[must_use]
    pub fn parse_basic(text: &str) -> Option<Self> {
        let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
        if bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let two = |at: usize| two_digits(bytes[at], bytes[at + 1]);
        let date = [two(0)? * 100 + two(2)?, two(4)?, two(6)?];
        let unix = unix_of(date, [two(9)?, two(11)?, two(13)?])?;
        Some(Self { unix, text: *bytes })
    }

    /// Reads what a `Date` header may hold: RFC 2822, `Sun, 30 Aug 2015 12:36:00 GMT`, or the
    /// ISO 8601 basic format.
    #[must_use]
    pub fn parse_date_header(text: &str) -> Option<Self> {
        Self::parse_basic(text).or_else(|| Self::parse_rfc2822(text))
    }

    fn parse_rfc2822(text: &str) -> Option<Self> {
        let date = match text.split_once(',') {
            Some((_weekday, rest)) => rest,
            None => text,
        };
        let mut words = date.split_ascii_whitespace();
        let day = number(words.next()?, 1..=2)?;
        let month_name = words.next()?;
        let month = MONTHS.iter().position(|name| *name == month_name)? + 1;
        let year = number(words.next()?, 4..=4)?;
        let mut clock = words.next()?.split(':').map(|part| number(part, 2..=2));
        let time = [clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?];
        let offset = zone_seconds(words.next()?)?;
        if clock.next().is_some() || words.next().is_some() {
            return None;
        }
        let unix = unix_of([year, i64::try_from(month).ok()?, day], time)? - offset;
        // A zone can push the first or last hours of the range out of it.
        (Self::from_unix(unix).unix == unix).then(|| Self::from_unix(unix))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(&self) -> i64 {
        self.unix
    }

    /// `20150830T123600Z`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("digits, T and Z are ASCII")
    }

    /// The day, `20150830`, as a credential scope names it.
    #[must_use]
    pub fn date(&self) -> &str {
        &self.as_str()[..8]
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The second that `[year, month, day]` and `[hour, minute, second]` name, if they name one. A
/// leap second counts as the second after it.
fn unix_of([year, month, day]: [i64; 3], [hour, minute, second]: [i64; 3]) -> Option<i64> {
    let leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap_year => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second;
    Some(days_from_civil(year, month, day) * SECONDS_PER_DAY + seconds)
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted from
/// March, so that the leap day is the last of its year and months have a regular length.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// Seconds east of Greenwich of an RFC 2822 zone.
fn zone_seconds(zone: &str) -> Option<i64> {
    if matches!(zone, "GMT" | "UTC" | "UT" | "Z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hhmm = number(zone.get(1..)?, 4..=4)?;
    Some(sign * (hhmm / 100 * 3600 + hhmm % 100 * 60))
}

fn number(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    if length.contains(&text.len()) { digits(text.as_bytes()) } else { None }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Writes `value` right-aligned into a field of zeros.
fn put_digits(field: &mut [u8], mut value: i64) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).expect("one decimal digit of a positive number");
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_seconds_have_their_known_spelling() {
        for (unix, text) in [
            (0, "19700101T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (951_782_400, "20000229T000000Z"),
            (-1, "19691231T235959Z"),
            (LAST_SECOND, "99991231T235959Z"),
        ] {
            assert_eq!(Timestamp::from_unix(unix).as_str(), text);
            assert_eq!(Timestamp::parse_basic(text).map(|time| time.unix()), Some(unix));
        }
    }

    #[test]
    fn every_day_of_four_centuries_reads_back() {
        for day in -80_000..80_000 {
            let time = Timestamp::from_unix(day * SECONDS_PER_DAY + 12_345);
            assert_eq!(Timestamp::parse_basic(time.as_str()), Some(time));
        }
    }

    #[test]
    fn times_beyond_the_four_digit_years_are_moved_inside() {
        assert_eq!(Timestamp::from_unix(i64::MAX).as_str(), "99991231T235959Z");
        assert_eq!(Timestamp::from_unix(i64::MIN).as_str(), "00000101T000000Z");
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830 123600Z",
            "20150230T000000Z",
            "20150001T000000Z",
            "20151301T000000Z",
            "20150100T000000Z",
            "20150830T240000Z",
            "20150830T126000Z",
            "2015083éT12360Z",
            "+0150830T123600Z",
        ] {
            assert_eq!(Timestamp::parse_basic(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_header_may_use_any_zone() {
        for text in [
            "Sun, 30 Aug 2015 12:36:00 GMT",
            "30 Aug 2015 12:36:00 UTC",
            "Sun, 30 Aug 2015 14:36:00 +0200",
            "Sun, 30 Aug 2015 09:06 -0330",
            "20150830T123600Z",
        ] {
            let time = Timestamp::parse_date_header(text);
            assert_eq!(time.map(|time| time.unix()), Some(1_440_938_160), "{text}");
        }
    }

    #[test]
    fn a_date_header_that_is_no_date_is_refused() {
        for text in [
            "",
            ",",
            "Sun, 30 Aug 2015",
            "Sun, 30 August 2015 12:36:00 GMT",
            "Sun, 31 Jun 2015 12:36:00 GMT",
            "Sun, 30 Aug 2015 12:36:00 Berlin",
            "Sun, 30 Aug 2015 12:36:00:00 GMT",
            "Sun, 30 Aug 2015 12:36:00 GMT again",
            "Fri, 31 Dec 9999 23:59:59 -0100",
            "Sun, 30 Aug 2015 12:36:00 +é00",
        ] {
            assert_eq!(Timestamp::parse_date_header(text), None, "{text}");
        }
    }
}
