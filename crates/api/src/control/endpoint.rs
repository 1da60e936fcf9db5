//! Where devices and senders reach this server.

use identity::sigv4::Headers;
use policy::{Action, Resource};
use serde_json::json;

use super::input::parameter;
use super::refused::Refused;
use super::request::Request;
use super::{Done, Outcome};

/// The types that are the data plane, which is here.
const DATA: [&str; 3] = ["iot:Data", "iot:Data-ATS", "iot:Data-Beta"];

/// `GET /endpoint`: the name under which the caller reached the control plane, which is beside the
/// data plane. As with AWS there is no port in it.
pub(super) fn describe(request: &mut Request<'_>) -> Outcome {
    let wanted = parameter(&request.query(), "endpointType")?;
    if let Some(wanted) = wanted
        && !DATA.contains(&wanted.as_str())
    {
        return Err(Refused::Input(format!(
            "The endpointType {wanted} is not offered; there are iot:Data-ATS and iot:Data."
        )));
    }
    request.authorize(Action::DescribeEndpoint, Resource::Any)?;
    let mut hosts = request.head.headers.all("host");
    let host = hosts.next().and_then(|host| std::str::from_utf8(host).ok()).map(without_port);
    match host.filter(|host| !host.is_empty()) {
        Some(host) => Ok(Done::Told(json!({ "endpointAddress": host }))),
        None => Err(Refused::Input("The request has no header Host.".to_owned())),
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_not_told() {
        for (host, told) in
            [("a.b:8443", "a.b"), ("a.b", "a.b"), ("[::1]:443", "[::1]"), ("[::1]", "[::1]")]
        {
            assert_eq!(without_port(host), told);
        }
    }
}
