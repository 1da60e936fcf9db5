//! The parameters of SendDirectMessage and Publish: path label, query string and headers.

#![no_main]

use http::header::{HeaderName, HeaderValue};
use http::{Request, Uri};
use libfuzzer_sys::fuzz_target;

const HEADERS: [&str; 3] = [
    "x-amz-mqtt5-user-properties",
    "x-amz-mqtt5-payload-format-indicator",
    "x-amz-mqtt5-correlation-data",
];

// Lines: the path label, the query, then one of the three headers a line; a line may be empty.
fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let label = lines.next().unwrap_or_default();
    let query = lines.next().unwrap_or_default();
    let target = [b"/connections/", label, b"/messages?", query].concat();
    let Ok(uri) = Uri::try_from(target.as_slice()) else { return };
    let mut request = Request::post(uri);
    for (name, value) in HEADERS.into_iter().cycle().zip(lines) {
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        if !value.is_empty() {
            request = request.header(HeaderName::from_static(name), value);
        }
    }
    let Ok(request) = request.body(()) else { return };
    let (parts, ()) = request.into_parts();
    let path = parts.uri.path();
    let label = path.strip_prefix("/connections/").and_then(|rest| rest.strip_suffix("/messages"));
    if let Some(label) = label {
        let listed = api::Listed::of(&parts.headers);
        api::parse_send_direct_message(label, &listed.head(&parts));
        api::parse_publish(label, &listed.head(&parts));
    }
});
