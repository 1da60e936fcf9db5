//! The `[traces]` table.

use std::ops::RangeInclusive;
use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use telemetry::trace::Sampler;

use super::document::{Table, Value};
use super::mistake::Mistakes;
use super::remote::Remote;

const EXAMPLE: &str = "http://127.0.0.1:4318";
/// Where OTLP over HTTP takes traces, below the endpoint.
const PATH: &str = "/v1/traces";
const SERVICE_NAME: &str = "tenfour";
const SERVICE_NAME_BYTES: usize = 255;
const RATIOS: RangeInclusive<f64> = 0.0..=1.0;
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(300);
const TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS: RangeInclusive<u64> = 1..=100;
const DEFAULT_ATTEMPTS: u32 = 6;
/// Headers that are not for the operator to set.
const OURS: [HeaderName; 6] =
    [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING];

/// Which traces are told to whom.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The collector, with the path of traces.
    pub collector: Remote,
    /// What goes with every request to it; not shown.
    pub headers: HeaderMap,
    /// The name under which the collector knows this server.
    pub service_name: String,
    /// Which calls are traced that are part of no other trace.
    pub sampler: Sampler,
    /// Whether devices that speak MQTT 5 learn which trace a message belongs to.
    pub to_devices: bool,
    /// Time for one attempt.
    pub timeout: Duration,
    /// How often spans are tried.
    pub attempts: u32,
}

impl Traces {
    /// A warning when whoever is on the way can read the spans.
    pub(super) fn warnings(&self) -> Mistakes {
        self.collector.warnings("spans")
    }
}

/// Reads the table, if there is one.
pub(super) fn read(mut table: Table<'_>) -> Option<Traces> {
    if !table.exists() {
        return None;
    }
    let endpoint = table.require("endpoint", &format!("endpoint = \"{EXAMPLE}\""));
    let headers = table.table("headers");
    let headers = if headers.exists() { read_headers(headers) } else { HeaderMap::new() };
    let service_name = table.get("service_name").and_then(|value| value.parse(parse_service_name));
    let ratio = table.get("sample_ratio").and_then(|value| value.fraction(RATIOS));
    let to_devices = table.get("to_devices").and_then(|value| value.boolean());
    let timeout = table.get("timeout_seconds").and_then(|value| value.seconds(TIMEOUTS));
    let attempts = table.get("attempts").and_then(|value| value.integer(ATTEMPTS));
    let ca = table.get("ca");
    let collector = read_collector(&endpoint?, ca)?;
    Some(Traces {
        collector,
        headers,
        service_name: service_name.unwrap_or_else(|| SERVICE_NAME.to_owned()),
        sampler: Sampler::of_ratio(ratio.unwrap_or(1.0)),
        to_devices: to_devices.unwrap_or(false),
        timeout: timeout.unwrap_or(TIMEOUT),
        attempts: attempts.and_then(|number| number.try_into().ok()).unwrap_or(DEFAULT_ATTEMPTS),
    })
}

/// The endpoint may have a path, below which that of traces lies, or name that path itself.
fn read_collector(endpoint: &Value<'_>, ca: Option<Value<'_>>) -> Option<Remote> {
    let mut collector = Remote::read(endpoint, ca, EXAMPLE)?;
    if collector.path_and_query.contains('?') {
        endpoint.mistake("must have no query; write what the collector wants to know in `headers`");
        return None;
    }
    let path = collector.path_and_query.trim_end_matches('/');
    let path = path.strip_suffix(PATH).unwrap_or(path);
    collector.path_and_query = format!("{path}{PATH}");
    Some(collector)
}

fn read_headers(table: Table<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in table.pairs() {
        let Ok(name) = HeaderName::try_from(name) else {
            value.mistake("is no name of a header, such as \"x-api-key\"");
            continue;
        };
        if OURS.contains(&name) {
            value.mistake("is set by Tenfour itself; leave it out");
            continue;
        }
        let parse = |text: &str| HeaderValue::try_from(text).map_err(|_| "expected printable text");
        let Some(mut parsed) = value.parse(parse) else { continue };
        parsed.set_sensitive(true);
        if headers.insert(name, parsed).is_some() {
            value.mistake("stands there twice, in another case");
        }
    }
    headers
}

fn parse_service_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.len() > SERVICE_NAME_BYTES {
        return Err(format!("expected a name of 1 to {SERVICE_NAME_BYTES} bytes"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::document;
    use super::*;

    const ENDPOINT: &str = "endpoint = \"http://127.0.0.1:4318\"\n";

    fn load(text: &str) -> (Option<Traces>, Mistakes) {
        let text = format!("[traces]\n{text}");
        document::read(Path::new("tenfour.toml"), &text, |table| read(table.table("traces")))
    }

    fn good(text: &str) -> Traces {
        let (traces, mistakes) = load(text);
        assert!(mistakes.is_empty(), "{mistakes}");
        traces.unwrap()
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let traces = good(ENDPOINT);
        assert_eq!(traces.collector.url.to_string(), "http://127.0.0.1:4318");
        assert_eq!(traces.collector.path_and_query, "/v1/traces");
        assert_eq!((traces.service_name.as_str(), traces.to_devices), (SERVICE_NAME, false));
        assert_eq!(traces.sampler, Sampler::of_ratio(1.0));
        assert_eq!((traces.timeout, traces.attempts), (TIMEOUT, DEFAULT_ATTEMPTS));
        assert!(traces.headers.is_empty() && traces.warnings().is_empty());
    }

    #[test]
    fn everything_can_be_set_and_headers_are_not_shown() {
        let traces = good(
            "endpoint = \"http://collector.example/otlp/\"\nservice_name = \"lamps\"\n\
             sample_ratio = 0.25\nto_devices = true\ntimeout_seconds = 2\nattempts = 1\n\
             [traces.headers]\nX-Api-Key = \"hidden\"\n",
        );
        assert_eq!(traces.collector.path_and_query, "/otlp/v1/traces");
        assert_eq!(traces.headers["x-api-key"], "hidden");
        assert_eq!((traces.service_name.as_str(), traces.to_devices), ("lamps", true));
        assert_eq!(traces.sampler, Sampler::of_ratio(0.25));
        assert_eq!((traces.timeout, traces.attempts), (Duration::from_secs(2), 1));
        assert!(!format!("{traces:?}").contains("hidden"));
        assert!(
            traces.warnings().to_string().contains("spans go to collector.example in the clear")
        );
    }

    #[test]
    fn the_path_of_traces_is_not_written_twice() {
        for (endpoint, path) in [
            ("http://a", "/v1/traces"),
            ("http://a/", "/v1/traces"),
            ("http://a/v1/traces", "/v1/traces"),
            ("http://a/v1/traces/", "/v1/traces"),
            ("http://a/x/v1/traces", "/x/v1/traces"),
            ("http://a/x", "/x/v1/traces"),
        ] {
            let traces = good(&format!("endpoint = \"{endpoint}\"\n"));
            assert_eq!(traces.collector.path_and_query, path, "{endpoint}");
        }
    }

    #[test]
    fn without_the_table_there_is_none() {
        let file = Path::new("tenfour.toml");
        let (traces, mistakes) = document::read(file, "", |table| read(table.table("traces")));
        assert!(traces.is_none() && mistakes.is_empty());
    }

    #[test]
    fn every_mistake_is_told_with_what_would_be_right() {
        let more = |more: &str| format!("{ENDPOINT}{more}\n");
        for (text, fragment) in [
            ("to_devices = true\n".to_owned(), "`traces.endpoint` is missing; write endpoint"),
            ("endpoint = \"127.0.0.1:4318\"".to_owned(), "such as \"http://127.0.0.1:4318\""),
            ("endpoint = \"http://a/?key=b\"".to_owned(), "must have no query"),
            ("endpoint = \"grpc://a\"".to_owned(), "does not begin with https://"),
            (more("sample_ratio = 1.5"), "expected a number, 0 to 1, not 1.5"),
            (more("sample_ratio = nan"), "expected a number, 0 to 1, not nan"),
            (more("sample_ratio = \"all\""), "expected a number, 0 to 1"),
            (more("to_devices = 1"), "true or false"),
            (more("service_name = \" \""), "1 to 255 bytes"),
            (more("service-name = \"x\""), "did you mean `service_name`?"),
            (more("timeout_seconds = 0"), "seconds, 0.1 to 300"),
            (more("attempts = 0"), "1 to 100"),
            (more("ca = \"x.pem\""), "of use with https only"),
            (more("headers = \"a\""), "expected a table"),
            (more("headers = { \"a b\" = \"c\" }"), "is no name of a header"),
            (more("headers = { Host = \"c\" }"), "is set by Tenfour itself"),
            (more("headers = { a = 1 }"), "a string in quotes"),
            (more("headers = { a = \"\\u0000\" }"), "expected printable text"),
            (more("headers = { a = \"1\", A = \"2\" }"), "twice"),
        ] {
            let (_, mistakes) = load(&text);
            assert!(mistakes.to_string().contains(fragment), "{text}\n{mistakes}");
        }
    }
}
