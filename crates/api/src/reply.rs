//! The answer to a request, before it takes the form of a protocol.

use std::borrow::Cow;
use std::sync::Arc;

use engine::message::Message;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use telemetry::TraceId;

use crate::control;
use crate::fault::{Fault, Kind};
use crate::logs::LogsError;
use crate::ops::properties;
use crate::pieces::{AnswerBody, Pieces};
use crate::truth::Truth;

/// An answer in the form of the crate `http`.
pub type Answer = Response<AnswerBody>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const DELIVERY: HeaderName = HeaderName::from_static("x-tenfour-delivery");
const USER_PROPERTIES: HeaderName = HeaderName::from_static(properties::USER_PROPERTIES);
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
const AMZ_JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a request is answered.
#[derive(Debug)]
pub struct Reply {
    trace_id: TraceId,
    content: Content,
}

/// What an answer says.
#[derive(Debug)]
enum Content {
    /// That it went well, and nothing else.
    Done,
    /// That it went well, without a word: some operations have no body.
    Empty,
    /// What was asked for, as JSON.
    Document(String),
    /// What a device published in answer.
    Response(Arc<Message>),
    /// What comes piece by piece, of that media type.
    Pieces(&'static str, Pieces),
    /// What went wrong.
    Fault(Box<Fault>),
    /// The same of the control plane.
    ControlFault(Box<control::Fault>),
    /// What was read of the log, as JSON.
    Log(String),
    /// Why the log was not read.
    LogsError(Box<LogsError>),
}

/// The head and body of a success around the two places of its trace ID and its date, which are all
/// that differ from one to the next.
const SUCCESS: [&[u8]; 4] = [
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-amzn-requestid: ",
    b"\r\ncontent-length: 65\r\ndate: ",
    b"\r\n\r\n{\"message\":\"OK\",\"traceId\":\"",
    b"\"}",
];

impl Reply {
    pub(crate) fn success(trace_id: TraceId) -> Self {
        Reply { trace_id, content: Content::Done }
    }

    /// A success of an operation that has no body.
    pub(crate) fn empty(trace_id: TraceId) -> Self {
        Reply { trace_id, content: Content::Empty }
    }

    /// A success with something to tell.
    pub(crate) fn document(trace_id: TraceId, document: &Value) -> Self {
        Reply::json(trace_id, document.to_string())
    }

    /// A success with something to tell, in JSON.
    pub(crate) fn json(trace_id: TraceId, text: String) -> Self {
        Reply { trace_id, content: Content::Document(text) }
    }

    /// A success whose body comes piece by piece. Only for operations that
    /// [the plain form of HTTP/1.1](Reply::write) does not have.
    pub(crate) fn pieces(trace_id: TraceId, media_type: &'static str, pieces: Pieces) -> Self {
        Reply { trace_id, content: Content::Pieces(media_type, pieces) }
    }

    /// What a device published in answer, as it is.
    pub(crate) fn response(trace_id: TraceId, message: Arc<Message>) -> Self {
        Reply { trace_id, content: Content::Response(message) }
    }

    pub(crate) fn failure(trace_id: TraceId, fault: Fault) -> Self {
        Reply { trace_id, content: Content::Fault(Box::new(fault)) }
    }

    /// A failure of the control plane.
    pub(crate) fn control_failure(trace_id: TraceId, fault: control::Fault) -> Self {
        Reply { trace_id, content: Content::ControlFault(Box::new(fault)) }
    }

    /// What was read of the log, as JSON.
    pub(crate) fn log(trace_id: TraceId, document: String) -> Self {
        Reply { trace_id, content: Content::Log(document) }
    }

    /// Why the log was not read.
    pub(crate) fn logs_error(trace_id: TraceId, error: LogsError) -> Self {
        Reply { trace_id, content: Content::LogsError(Box::new(error)) }
    }

    /// The failure of an operation of the data plane.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        match &self.content {
            Content::Fault(fault) => Some(fault),
            Content::Done
            | Content::Empty
            | Content::Document(_)
            | Content::Response(_)
            | Content::Pieces(..)
            | Content::ControlFault(_)
            | Content::Log(_)
            | Content::LogsError(_) => None,
        }
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        match &self.content {
            Content::Done
            | Content::Empty
            | Content::Document(_)
            | Content::Response(_)
            | Content::Pieces(..)
            | Content::Log(_) => StatusCode::OK,
            Content::Fault(fault) => fault.kind.status(),
            Content::ControlFault(fault) => fault.status(),
            Content::LogsError(error) => error.status(),
        }
    }

    /// The answer in the form of the crate `http`.
    pub fn into_answer(self) -> Answer {
        let mut head = Response::new(());
        *head.status_mut() = self.status();
        *head.headers_mut() = self.headers();
        let text = self.body().into_owned();
        let body = match self.content {
            Content::Pieces(_, pieces) => AnswerBody::Pieces(pieces),
            Content::Done
            | Content::Empty
            | Content::Document(_)
            | Content::Response(_)
            | Content::Fault(_)
            | Content::ControlFault(_)
            | Content::Log(_)
            | Content::LogsError(_) => text.into(),
        };
        head.map(|()| body)
    }

    /// Appends the answer as HTTP/1.1 on a connection that stays open. `date` is the present one in
    /// the form of RFC 9110, section 5.6.7.
    pub fn write(&self, date: &str, out: &mut Vec<u8>) {
        let trace_id = &mut [0; TraceId::TEXT_BYTES];
        if let Content::Done = self.content {
            let trace_id = self.trace_id.encode(trace_id).as_bytes();
            let between = [trace_id, date.as_bytes(), trace_id];
            for (fixed, own) in SUCCESS.iter().zip(between.into_iter().chain([&b""[..]])) {
                out.extend_from_slice(fixed);
                out.extend_from_slice(own);
            }
            return;
        }
        let (status, body) = (self.status(), self.body());
        let reason = status.canonical_reason().unwrap_or("");
        out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).as_bytes());
        for (name, value) in &self.headers() {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        let length = body.len();
        let rest = format!("content-length: {length}\r\ndate: {date}\r\n\r\n");
        out.extend_from_slice(rest.as_bytes());
        out.extend_from_slice(&body);
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(6);
        let media_type = match &self.content {
            Content::Pieces(media_type, _) => HeaderValue::from_static(media_type),
            Content::Response(message) => {
                if let Some(pairs) = properties::encode_user_properties(message) {
                    headers.extend(HeaderValue::try_from(pairs).ok().map(|v| (USER_PROPERTIES, v)));
                }
                let own = message.properties.as_properties().content_type();
                own.and_then(|own| HeaderValue::from_str(own).ok()).unwrap_or(BYTES)
            }
            Content::Done
            | Content::Empty
            | Content::Document(_)
            | Content::Fault(_)
            | Content::ControlFault(_) => JSON,
            Content::Log(_) | Content::LogsError(_) => AMZ_JSON,
        };
        headers.insert(CONTENT_TYPE, media_type);
        if let Content::Pieces(..) = self.content {
            // What is made at this moment is of no use at another.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if let Ok(id) = HeaderValue::from_str(self.trace_id.encode(&mut [0; TraceId::TEXT_BYTES])) {
            headers.insert(REQUEST_ID, id);
        }
        match &self.content {
            Content::Done
            | Content::Empty
            | Content::Document(_)
            | Content::Response(_)
            | Content::Pieces(..)
            | Content::Log(_) => {}
            Content::Fault(fault) => tell_fault(&mut headers, fault),
            Content::ControlFault(fault) => tell_control_fault(&mut headers, fault),
            Content::LogsError(error) => {
                headers.insert(ERROR_TYPE, HeaderValue::from_static(error.name()));
            }
        }
        headers
    }

    fn body(&self) -> Cow<'_, [u8]> {
        let trace_id = self.trace_id;
        match &self.content {
            Content::Done => {
                format!(r#"{{"message":"OK","traceId":"{trace_id}"}}"#).into_bytes().into()
            }
            Content::Document(document) => document.as_bytes().into(),
            Content::Response(message) => (&*message.payload).into(),
            // Nothing is, or is there yet.
            Content::Empty | Content::Pieces(..) => [].as_slice().into(),
            Content::Fault(fault) => fault_body(fault, trace_id).to_string().into_bytes().into(),
            Content::Log(document) => document.as_bytes().into(),
            Content::LogsError(error) => {
                let body = json!({ "__type": error.name(), "message": error.sentence() });
                body.to_string().into_bytes().into()
            }
            Content::ControlFault(fault) => {
                control_fault_body(fault, trace_id).to_string().into_bytes().into()
            }
        }
    }
}

fn tell_fault(headers: &mut HeaderMap, fault: &Fault) {
    headers.insert(ERROR_TYPE, HeaderValue::from_static(fault.kind.error_type()));
    if let Some(allow) = fault.allow {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(truth) = fault.truth {
        headers.insert(DELIVERY, HeaderValue::from_static(truth.word()));
    }
    if matches!(fault.kind, Kind::Throttling | Kind::ServiceUnavailable) {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
}

fn tell_control_fault(headers: &mut HeaderMap, fault: &control::Fault) {
    headers.insert(ERROR_TYPE, HeaderValue::from_static(fault.error_type()));
    let allow = fault.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok());
    headers.extend(allow.map(|allow| (ALLOW, allow)));
    if fault.is_passing() {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
}

/// What one of many is told: the body that an answer to it alone would have had, its status, and who
/// it is.
pub(crate) fn line(client_id: &str, trace_id: TraceId, fault: Option<&Fault>) -> Value {
    let (status, mut line) = match fault {
        None => (StatusCode::OK, json!({"message": "OK", "traceId": trace_id.to_string()})),
        Some(fault) => (fault.kind.status(), fault_body(fault, trace_id)),
    };
    line["clientId"] = client_id.into();
    line["status"] = status.as_u16().into();
    line
}

fn fault_body(fault: &Fault, trace_id: TraceId) -> Value {
    let mut body = json!({
        "message": fault.message,
        "traceId": trace_id.to_string(),
        "reason": fault.reason,
    });
    if let Some(truth) = fault.truth {
        body["delivery"] = truth.word().into();
        if truth == Truth::Acknowledged {
            body["acknowledged"] = true.into();
        }
        if let Some(tcp_acknowledged) = truth.tcp_acknowledged() {
            body["tcpAcknowledged"] = tcp_acknowledged;
        }
    }
    if let Some(explanation) = &fault.explanation {
        body["explanation"] = explanation.clone();
    }
    body
}

fn control_fault_body(fault: &control::Fault, trace_id: TraceId) -> Value {
    let mut body = json!({
        "message": fault.message,
        "traceId": trace_id.to_string(),
        "reason": fault.reason,
    });
    if let Some((id, arn)) = &fault.resource {
        body["resourceId"] = id.as_str().into();
        body["resourceArn"] = arn.as_str().into();
    }
    if let Some(explanation) = &fault.explanation {
        body["explanation"] = explanation.clone();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn written(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.write(DATE, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    /// The template of a success says what the general form would say.
    #[test]
    fn both_forms_of_an_answer_agree() {
        let trace_id = TraceId::from_bytes([7; 16]);
        let replies = [
            Reply::success(trace_id),
            Reply::empty(trace_id),
            Reply::document(trace_id, &json!({"topic": "a"})),
            Reply::failure(trace_id, Fault::draining()),
            Reply::log(trace_id, "{\"events\":[]}".into()),
            Reply::logs_error(trace_id, LogsError::Throttled),
            Reply::failure(trace_id, Fault::of_unknown_path("/")),
            Reply::control_failure(
                trace_id,
                control::Fault::of_route(
                    &control::Misrouted::WrongMethod { allow: "GET, PUT".to_owned() },
                    "POST",
                    "/",
                ),
            ),
        ];
        for reply in replies {
            let text = written(&reply);
            let (head, body) = text.split_once("\r\n\r\n").expect("a head");
            assert_eq!(body.as_bytes(), &*reply.body());
            let mut lines = head.split("\r\n");
            let status = format!("HTTP/1.1 {} ", reply.status().as_u16());
            assert!(lines.next().is_some_and(|line| line.starts_with(&status)), "{text}");
            let mut told: Vec<_> = lines.map(str::to_owned).collect();
            let mut expected: Vec<_> = reply
                .headers()
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ASCII")))
                .chain([format!("content-length: {}", body.len()), format!("date: {DATE}")])
                .collect();
            told.sort_unstable();
            expected.sort_unstable();
            assert_eq!(told, expected);
        }
    }
}
