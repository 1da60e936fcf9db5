//! A node with records in memory, a sender, and a log to read.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{Api, Caller, Credentials, Registrar};
use broker::{Entrance, Node, NodeSettings, Serving, Storage};
use bytes::Bytes;
use engine::directory::{Grants, Principal, PrincipalKind, Status};
use engine::limits::{Bounds, Quotas};
use engine::profile::AWS;
use engine::session::Rules;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Collected, Full};
use policy::{Document, PolicySet, Scope};
use serde_json::Value;
use store::{Durability, Journal, Memory};
use telemetry::{Level, LogSettings, LogTarget, Telemetry};
use tokio::io::DuplexStream;

/// Patience with what has to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A policy that allows everything.
pub const EVERYTHING: &str = r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#;

/// A node and who talks to it.
#[derive(Clone)]
pub struct Fixture {
    api: Arc<Api>,
    log: Log,
    /// What the node keeps; commits can be held and made to fail.
    pub records: Arc<Memory>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// The error's name, without what follows it in the header.
    pub error: Option<String>,
    pub body: Value,
}

impl Answer {
    pub fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or("")
    }
}

impl Fixture {
    /// Without rates.
    pub fn new() -> Self {
        Fixture::with(Quotas::default().without_rates())
    }

    pub fn with(quotas: Quotas) -> Self {
        Fixture::bounded(quotas, Bounds::default())
    }

    pub fn bounded(quotas: Quotas, bounds: Bounds) -> Self {
        let log = Log::default();
        let telemetry = Telemetry::start(LogSettings {
            target: LogTarget::Writer(Box::new(log.clone())),
            level: Level::Info,
            buffer_bytes: 1 << 20,
            ring: None,
            account: "123456789012".to_owned(),
        });
        let records = Arc::new(Memory::new());
        let journal =
            Journal::start(Arc::clone(&records) as _, Durability::Always, Box::new(|_| {}));
        let journal = journal.expect("a thread");
        let scope = Scope::new("us-west-2", "123456789012");
        let registrar = Registrar::open(scope, records.as_ref(), Arc::clone(&journal));
        let registrar = registrar.expect("nothing to read");
        let node = Node::start(NodeSettings {
            scope: Scope::new("us-west-2", "123456789012"),
            rules: Rules::new(&AWS, quotas, &bounds),
            bounds,
            directory: registrar.directory(),
            telemetry: Arc::new(telemetry.expect("nothing to open")),
            kept: Some(Storage { records: Arc::clone(&records) as _, journal }),
        });
        let api =
            Arc::new(Api::new(node.expect("nothing to read"), registrar, "us-west-2".to_owned()));
        Fixture { api, log, records }
    }

    /// A request of a sender with these statements.
    pub async fn ask_as(&self, statements: &str, method: &str, uri: &str, body: &[u8]) -> Answer {
        let (head, body) = self.exchange(statements, method, uri, body).await.into_parts();
        let Ok(body) = body.collect().await.map(Collected::to_bytes);
        let error = head.headers.get("x-amzn-errortype");
        let error = error.map(|name| name.to_str().expect("ASCII").trim_end_matches(':').into());
        let body = serde_json::from_slice(&body).expect("JSON");
        Answer { status: head.status, error, body }
    }

    /// The same, with nothing of the answer read.
    pub async fn exchange(
        &self,
        statements: &str,
        method: &str,
        uri: &str,
        body: &[u8],
    ) -> api::Answer {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Full::new(Bytes::copy_from_slice(body)))
            .expect("a request");
        self.ask(statements, request).await
    }

    /// A request as it is.
    pub async fn ask(&self, statements: &str, request: Request<Full<Bytes>>) -> api::Answer {
        self.api.handle(request, &caller(statements)).await.into_answer()
    }

    /// The other end of a device's connection, over which nothing was said yet.
    pub fn accept(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let entrance = Entrance {
            principal: Principal::anonymous(),
            source: ([127, 0, 0, 1], 1).into(),
            secure: true,
            life: None,
        };
        tokio::spawn(Serving::new(Arc::clone(self.node()), Box::new(theirs), entrance));
        ours
    }

    /// The node behind it.
    pub fn node(&self) -> &Arc<Node> {
        self.api.node()
    }

    /// A publish of a sender who may do everything.
    pub async fn publish(&self, target: &str, payload: &[u8]) -> Answer {
        self.ask_as(EVERYTHING, "POST", &format!("/topics/{target}"), payload).await
    }

    /// A read of a sender who may do everything.
    pub async fn get(&self, uri: &str) -> Answer {
        self.ask_as(EVERYTHING, "GET", uri, b"").await
    }

    /// The log's entries of that type so far.
    pub fn entries(&self, event_type: &str) -> Vec<Value> {
        assert!(self.api.node().telemetry().flush(PATIENCE), "the log is written in time");
        let written = self.log.0.lock().expect("no panic").clone();
        let lines = written.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice::<Value>(line).expect("JSON"))
            .filter(|entry| entry["eventType"] == event_type)
            .collect()
    }

    /// The one entry of that type.
    pub fn entry(&self, event_type: &str) -> Value {
        let mut entries = self.entries(event_type);
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.remove(0)
    }
}

fn caller(statements: &str) -> Caller {
    let json = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let document = Document::parse(&json).expect("a policy");
    let grants = Grants {
        status: Status::Active,
        policies: PolicySet::new(vec![("p".to_owned(), Arc::new(document))]),
        things: Vec::new(),
        exclusive_thing: None,
    };
    let none = std::iter::empty::<(String, Vec<String>)>().collect();
    Caller {
        source: ([192, 0, 2, 7], 40_123).into(),
        target: ([192, 0, 2, 1], 443).into(),
        secure: true,
        credentials: Credentials::Open(Principal::new(
            "AIDAEXAMPLE",
            PrincipalKind::AccessKey,
            none,
            grants,
        )),
    }
}

/// What the log wrote.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until `reached` says so.
pub async fn eventually(mut reached: impl FnMut() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("reached in time");
}
