//! What was metered, read from the page of the metrics.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use telemetry::Metered;

/// What was metered since the server started.
#[derive(Debug, PartialEq)]
pub(super) struct Usage {
    since: SystemTime,
    units: [u64; Metered::ALL.len()],
}

impl Usage {
    /// Reads the page; none if it does not have all of it.
    pub(super) fn parse(page: &str) -> Option<Self> {
        let sample =
            |name: &str| page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let since: f64 = sample("tenfour_start_time_seconds")?.parse().ok()?;
        let since = UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(since).ok()?)?;
        let mut units = [0; Metered::ALL.len()];
        for (units, what) in units.iter_mut().zip(Metered::ALL) {
            let name = format!("tenfour_metered_units_total{{kind=\"{}\"}}", what.word());
            *units = sample(&name)?.parse().ok()?;
        }
        Some(Usage { since, units })
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let since = self.since.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut object = json!({
            "sinceMillis": u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            "unitBytes": engine::metering::UNIT_BYTES,
        });
        for (what, units) in Metered::ALL.into_iter().zip(self.units) {
            object[member(what)] = units.into();
        }
        object
    }

    /// For people.
    pub(super) fn table(&self, now: SystemTime) -> String {
        let age = now.duration_since(self.since).unwrap_or_default();
        let mut table = format!(
            "Since the server started, {}, {}.\nIn units of 5 KB, begun ones as whole:\n\n",
            httpdate::fmt_http_date(self.since),
            ago(age),
        );
        for (what, units) in Metered::ALL.into_iter().zip(self.units) {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "  {:<36}{units:>12}", caption(what));
        }
        table
    }
}

fn member(what: Metered) -> &'static str {
    match what {
        Metered::DirectMessage => "directMessages",
        Metered::ConfirmedDirectMessage => "confirmedDirectMessages",
        Metered::PublishIn => "publishesIn",
        Metered::PublishOut => "publishesOut",
        Metered::PubAck => "pubacks",
    }
}

fn caption(what: Metered) -> &'static str {
    match what {
        Metered::DirectMessage => "direct messages",
        Metered::ConfirmedDirectMessage => "direct messages with confirmation",
        Metered::PublishIn => "publishes in (MQTT and HTTP)",
        Metered::PublishOut => "publishes out",
        Metered::PubAck => "PUBACKs of devices for publishes",
    }
}

/// How long ago, in the two largest units.
fn ago(age: Duration) -> String {
    let seconds = age.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s ago"),
        (0, 0, _) => format!("{minutes} min {seconds} s ago"),
        (0, _, _) => format!("{hours} h {minutes} min ago"),
        (_, _, _) => format!("{days} d {hours} h ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# TYPE tenfour_metered_units_total counter
tenfour_metered_units_total{kind=\"direct_message\"} 12
tenfour_metered_units_total{kind=\"confirmed_direct_message\"} 3
tenfour_metered_units_total{kind=\"publish_in\"} 1024
tenfour_metered_units_total{kind=\"publish_out\"} 0
tenfour_metered_units_total{kind=\"puback\"} 7
tenfour_start_time_seconds 784111777.5
";

    #[test]
    fn the_page_is_told_to_people_and_programs() {
        let usage = Usage::parse(PAGE).unwrap();
        let expected = json!({
            "sinceMillis": 784_111_777_500_u64, "unitBytes": 5_120,
            "directMessages": 12, "confirmedDirectMessages": 3,
            "publishesIn": 1_024, "publishesOut": 0, "pubacks": 7,
        });
        assert_eq!(usage.json(), expected);
        let table = usage.table(usage.since + Duration::from_secs(7_384));
        assert!(table.starts_with(
            "Since the server started, Sun, 06 Nov 1994 08:49:37 GMT, 2 h 3 min ago.\n"
        ));
        assert!(
            table.contains("\n  direct messages with confirmation              3\n"),
            "{table}"
        );
    }

    #[test]
    fn a_page_that_is_not_whole_is_none() {
        for (at, _) in PAGE.match_indices('\n') {
            let cut = &PAGE[..at];
            assert_eq!(Usage::parse(cut).is_some(), at + 1 == PAGE.len(), "{at} bytes");
        }
        assert_eq!(Usage::parse(&PAGE.replace("1024", "many")), None);
        assert_eq!(Usage::parse("<html>"), None);
    }

    #[test]
    fn an_age_is_told_in_two_units() {
        let told = [(59, "59 s"), (61, "1 min 1 s"), (3_600, "1 h 0 min"), (90_000, "1 d 1 h")];
        for (seconds, expected) in told {
            assert_eq!(ago(Duration::from_secs(seconds)), format!("{expected} ago"));
        }
    }
}
