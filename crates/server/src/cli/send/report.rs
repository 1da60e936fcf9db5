//! What `tenfour send` says about an answer.

use std::fmt;
use std::time::Duration;

use client::Answer;
use serde_json::json;

use super::super::paint::{Paint, printable};
use super::SendArgs;

/// The exit status for an HTTP status.
pub(super) fn exit_status(http: u16) -> u8 {
    match http {
        200 => 0,
        400..=499 => 4,
        504 => 6,
        500..=599 => 5,
        _ => 1,
    }
}

/// The answer as one JSON object; what was not in it is null.
pub(super) fn json(answer: &Answer) -> serde_json::Value {
    json!({
        "status": answer.status,
        "message": answer.message,
        "traceId": answer.trace_id,
        "reason": answer.reason,
        "errorType": answer.error_type,
        "retryAfterSeconds": answer.retry_after.map(|after| after.as_secs()),
        "elapsedMs": millis(answer.elapsed),
        "connectMs": answer.connected_in.map(millis),
    })
}

/// Milliseconds, exact to the microsecond.
fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1_000.0
}

/// The answer for people. Its [`Display`](fmt::Display) is the text.
pub(super) struct Report<'a> {
    pub(super) answer: &'a Answer,
    pub(super) args: &'a SendArgs,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (answer, paint) = (self.answer, Paint::for_stdout());
        let message = answer.message.as_deref().map(printable);
        if answer.is_ok() {
            let message = message.as_deref().unwrap_or("OK");
            writeln!(f, "{}  {}", paint.good(format_args!("200 {message}")), self.success())?;
        } else {
            let kind = answer.error_type.as_deref().map(printable).unwrap_or_default();
            let reason = answer.reason.as_deref().map(printable).unwrap_or_default();
            let head = format!("{} {kind}", answer.status);
            writeln!(f, "{}  {}", paint.bad(head.trim_end()), paint.bold(reason))?;
            if let Some(message) = message {
                writeln!(f, "  {message}")?;
            }
            if let Some(hint) = self.hint() {
                writeln!(f, "  {hint}")?;
            }
        }
        if let Some(after) = answer.retry_after {
            writeln!(f, "  {}  {} s", paint.dim("retry after"), after.as_secs())?;
        }
        let trace = answer.trace_id.as_deref().map_or("none".into(), printable);
        writeln!(f, "  {}  {:.1} ms", paint.dim("round trip "), millis(answer.elapsed))?;
        if let Some(time) = answer.connected_in {
            writeln!(f, "  {}  {:.1} ms before it", paint.dim("connecting "), millis(time))?;
        }
        writeln!(f, "  {}  {trace}", paint.dim("trace      "))
    }
}

impl Report<'_> {
    fn success(&self) -> String {
        let SendArgs { client, topic, confirm, .. } = self.args;
        let (client, topic) = (printable(client), printable(topic));
        match confirm {
            true => format!("{client} acknowledged {topic}"),
            false => format!("{topic} sent to {client}; --confirm would wait for its word"),
        }
    }

    /// What to do about an error.
    fn hint(&self) -> Option<String> {
        let SendArgs { client, topic, .. } = self.args;
        let (client, topic) = (printable(client), printable(topic));
        match self.answer.reason.as_deref()? {
            "SENDER_AUTHORIZATION_FAILURE" => Some(format!(
                "ask why: tenfour policy test --principal senders/backend \\\n    \
                 --action iot:SendDirectMessage --resource client/{client} \
                 --context iot:Topic={topic}\n  or send with --as admin"
            )),
            "RECEIVE_AUTHORIZATION_FAILURE" => Some(format!(
                "ask why: tenfour policy test --principal certificates/NAME \\\n    \
                 --action iot:Receive --resource topic/{topic} --client-id {client}"
            )),
            "TARGET_CLIENT_ID_NOT_FOUND" | "TARGET_CLIENT_NOT_CONNECTED" => {
                Some(format!("to be this device in another terminal: tenfour listen {client}"))
            }
            "DELIVERY_CONFIRMATION_TIMEOUT" => Some(
                "nobody knows whether the device got it: a second send may arrive twice".to_owned(),
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        send: SendArgs,
    }

    fn send(arguments: &[&str]) -> Result<SendArgs, clap::Error> {
        let all = ["send"].iter().chain(arguments);
        Program::try_parse_from(all).map(|program| program.send)
    }

    fn answer(status: u16, reason: Option<&str>) -> Answer {
        Answer {
            status,
            message: Some("said".to_owned()),
            trace_id: Some("7b3e".to_owned()),
            reason: reason.map(str::to_owned),
            error_type: None,
            retry_after: None,
            elapsed: Duration::from_micros(1_234),
            connected_in: None,
        }
    }

    #[test]
    fn every_class_of_status_has_its_exit_status() {
        let cases =
            [(200, 0), (204, 1), (302, 1), (400, 4), (429, 4), (500, 5), (503, 5), (504, 6)];
        for (http, exit) in cases {
            assert_eq!(exit_status(http), exit, "{http}");
        }
    }

    #[test]
    fn the_json_object_has_the_answers_members() {
        let object = json(&answer(404, Some("TARGET_CLIENT_ID_NOT_FOUND")));
        assert_eq!(object["status"], 404);
        assert_eq!(object["reason"], "TARGET_CLIENT_ID_NOT_FOUND");
        assert_eq!(object["elapsedMs"], 1.234);
        assert!(object["connectMs"].is_null());
    }

    #[test]
    fn people_read_status_reason_and_what_to_do() {
        let args = send(&["myDevice", "commands/reboot", "x"]).unwrap();
        let answer = answer(404, Some("TARGET_CLIENT_ID_NOT_FOUND"));
        let text = Report { answer: &answer, args: &args }.to_string();
        for expected in ["404", "TARGET_CLIENT_ID_NOT_FOUND", "tenfour listen myDevice", "7b3e"] {
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_payload_comes_from_one_place() {
        assert!(send(&["a", "b"]).is_err());
        assert!(send(&["a", "b", "c", "--file", "d"]).is_err());
        assert_eq!(send(&["a", "b", ""]).unwrap().payload.as_deref(), Some(""));
        assert!(send(&["a", "b", "--file", "-"]).is_ok());
    }

    #[test]
    fn arguments_that_do_not_go_together_are_refused() {
        for arguments in [
            &["--timeout", "3"][..],
            &["--user-property", "novalue"],
            &["--endpoint", "localhost:1"],
            &["--endpoint", "https://a", "--as", "admin"],
            &["--ca", "ca.pem"],
            &["--endpoint", "https://a", "--cert", "c"],
            &["--endpoint", "https://a", "--access-key-id", "c"],
        ] {
            let all: Vec<_> = ["a", "b", "c"].iter().chain(arguments).copied().collect();
            assert!(send(&all).is_err(), "{arguments:?}");
        }
    }
}
