//! TLS: which configuration a handshake gets, and who the client's certificate makes it.

mod hello;
mod stream;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use api::Credentials;
use engine::directory::Principal;
use identity::x509::{CertificateId, PossessionVerifier};
use reactor::{Next, Ready, Stream, Task, Turn};
use rustls::crypto::aws_lc_rs;
use rustls::server::ServerConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use telemetry::{TraceId, event};

pub(super) use self::stream::TlsStream;
use super::http1::Http1;
use super::listen::{Doors, Visit};
use super::mqtt;
use super::wire::Wire;
use crate::config::{Mistakes, Tls};

/// MQTT with a client certificate on AWS's port 443 (spec 3).
const ALPN_MQTT: &[u8] = b"x-amzn-mqtt-ca";
/// HTTP with a client certificate on AWS's port 443 (spec 3).
const ALPN_HTTP: &[u8] = b"x-amzn-http-ca";

/// What a TLS listener offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// MQTT with a client certificate (AWS's port 8883).
    Mqtt,
    /// HTTP with a client certificate (AWS's port 8443).
    HttpX509,
    /// What the client's ALPN asks for (AWS's port 443).
    ByProtocol,
}

/// What a handshake is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    MqttX509,
    HttpX509,
    HttpSigned,
}

/// The TLS configurations of the server.
#[derive(Clone)]
pub struct TlsPlans {
    mqtt: Arc<ServerConfig>,
    mqtt_by_alpn: Arc<ServerConfig>,
    http_x509: Arc<ServerConfig>,
    http_by_alpn: Arc<ServerConfig>,
    http_signed: Arc<ServerConfig>,
}

/// Why there are none.
#[derive(Debug)]
pub enum TlsError {
    /// Certificate or key cannot be used.
    Mistakes(Mistakes),
    /// The TLS library refuses the configuration.
    Library(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Mistakes(mistakes) => write!(f, "{mistakes}"),
            TlsError::Library(error) => write!(f, "TLS cannot be set up: {error}"),
        }
    }
}

impl TlsPlans {
    /// Reads the server's certificate and makes the configurations.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(tls: &Tls) -> Result<Self, TlsError> {
        let key = Arc::new(tls.certified_key().map_err(TlsError::Mistakes)?);
        let plan = |client: bool, alpn: &[&[u8]]| {
            server_config(Arc::clone(&key), client, alpn).map(Arc::new).map_err(TlsError::Library)
        };
        Ok(TlsPlans {
            mqtt: plan(true, &[])?,
            mqtt_by_alpn: plan(true, &[ALPN_MQTT])?,
            http_x509: plan(true, &[b"h2", b"http/1.1"])?,
            http_by_alpn: plan(true, &[ALPN_HTTP])?,
            http_signed: plan(false, &[b"h2", b"http/1.1"])?,
        })
    }

    /// What the handshake is for, and its configuration. A client on AWS's port 443 that offers
    /// nothing we know is refused by the handshake itself (no application protocol).
    fn choose(
        &self,
        plan: Plan,
        hello: &rustls::server::ClientHello<'_>,
    ) -> (Purpose, Arc<ServerConfig>) {
        let offers = |wanted: &[u8]| {
            hello.alpn().is_some_and(|mut offered| offered.any(|name| name == wanted))
        };
        let (purpose, config) = match plan {
            Plan::Mqtt => (Purpose::MqttX509, &self.mqtt),
            Plan::HttpX509 if offers(ALPN_HTTP) => (Purpose::HttpX509, &self.http_by_alpn),
            Plan::HttpX509 => (Purpose::HttpX509, &self.http_x509),
            Plan::ByProtocol if offers(ALPN_MQTT) => (Purpose::MqttX509, &self.mqtt_by_alpn),
            Plan::ByProtocol if offers(ALPN_HTTP) => (Purpose::HttpX509, &self.http_by_alpn),
            Plan::ByProtocol => (Purpose::HttpSigned, &self.http_signed),
        };
        (purpose, Arc::clone(config))
    }
}

fn server_config(
    key: Arc<CertifiedKey>,
    client: bool,
    alpn: &[&[u8]],
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match client {
        true => builder.with_client_cert_verifier(Arc::new(PossessionVerifier { required: true })),
        false => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

/// Why a handshake came to nothing.
enum Failed {
    /// The peer went away, or spoke something other than TLS.
    Silent,
    /// The peer's credentials do not hold.
    Rejected { reason: &'static str, details: String, certificate: Option<String> },
}

/// A connection whose handshake is under way.
struct Handshake {
    /// Gives the end of it; none if there is nothing to serve.
    shaking: Pin<Box<dyn Future<Output = Option<Shaken>> + Send>>,
    /// Taken when it is over.
    visit: Option<Visit>,
    /// The socket's end is in sight, which is told only once.
    closed: bool,
}

/// The task of a connection: shakes hands, then serves what was asked for.
pub(super) fn task(stream: Stream, plan: Plan, visit: Visit) -> Box<dyn Task> {
    let guest =
        Guest { doors: visit.doors.clone(), plan, source: visit.source, target: visit.target };
    Box::new(Handshake {
        shaking: Box::pin(guest.welcome(stream)),
        visit: Some(visit),
        closed: false,
    })
}

impl Task for Handshake {
    fn run(&mut self, turn: &mut Turn<'_, '_>) -> Next {
        self.closed |= turn.ready.closed;
        let Poll::Ready(shaken) = self.shaking.as_mut().poll(turn.context) else {
            return Next::Wait;
        };
        let (Some(shaken), Some(visit)) = (shaken, self.visit.take()) else { return Next::End };
        let Shaken { purpose, principal, mut stream } = shaken;
        stream.socket().note_ready(Ready { readable: true, closed: self.closed });
        let wire = Wire::Tls(Box::new(stream));
        Next::Become(match (purpose, principal) {
            (Purpose::MqttX509, Some(principal)) => mqtt::task(wire, principal, true, visit),
            (Purpose::HttpX509, Some(principal)) => {
                Box::new(Http1::new(wire, Credentials::Certificate(principal), true, visit))
            }
            (Purpose::HttpSigned, _) => {
                Box::new(Http1::new(wire, Credentials::Signature, true, visit))
            }
            (Purpose::MqttX509 | Purpose::HttpX509, None) => return Next::End,
        })
    }
}

/// Somebody at a TLS listener.
struct Guest {
    doors: Doors,
    plan: Plan,
    source: SocketAddr,
    target: SocketAddr,
}

/// A handshake that went well.
struct Shaken {
    purpose: Purpose,
    principal: Option<Arc<Principal>>,
    stream: TlsStream,
}

impl Guest {
    /// Shakes hands within the time there is; a rejection is logged.
    async fn welcome(self, stream: Stream) -> Option<Shaken> {
        let patience = self.doors.api.node().bounds().tls_handshake;
        let mut server_name = None;
        let mut draining = self.doors.draining.clone();
        let shaken = tokio::select! {
            shaken = self.shake(stream, &mut server_name) => shaken,
            () = tokio::time::sleep(patience) => Err(Failed::Silent),
            _ = draining.wait_for(|draining| *draining) => Err(Failed::Silent),
        };
        match shaken {
            Ok(shaken) => Some(shaken),
            Err(Failed::Silent) => None,
            Err(Failed::Rejected { reason, details, certificate }) => {
                self.doors.api.node().telemetry().record(&event::AuthnError {
                    trace_id: TraceId::random(),
                    authentication_type: event::AuthenticationType::X509,
                    reason,
                    details: &details,
                    protocol: protocol(self.plan),
                    source: self.source,
                    target: self.target,
                    server_name: server_name.as_deref(),
                    client_id: None,
                    principal_id: certificate.as_deref(),
                });
                None
            }
        }
    }

    async fn shake(
        &self,
        stream: Stream,
        server_name: &mut Option<String>,
    ) -> Result<Shaken, Failed> {
        let Some(plans) = &self.doors.plans else { return Err(Failed::Silent) };
        let mut purpose = Purpose::HttpSigned;
        let begun = hello::begin(stream, |hello| {
            *server_name = hello.server_name().map(str::to_owned);
            let (chosen, config) = plans.choose(self.plan, hello);
            purpose = chosen;
            config
        });
        let mut stream = begun.await.map_err(|_| Failed::Silent)?;
        std::future::poll_fn(|cx| stream.poll_handshake(cx))
            .await
            .map_err(|error| failed(&error))?;
        let principal = match purpose {
            Purpose::HttpSigned => None,
            Purpose::MqttX509 | Purpose::HttpX509 => Some(principal(&stream, &self.doors)?),
        };
        Ok(Shaken { purpose, principal, stream })
    }
}

fn protocol(plan: Plan) -> event::Protocol {
    match plan {
        Plan::Mqtt => event::Protocol::Mqtt,
        Plan::HttpX509 | Plan::ByProtocol => event::Protocol::Http,
    }
}

/// Asked after every handshake, also a resumed one: the registry decides, not the ticket.
fn principal(stream: &TlsStream, doors: &Doors) -> Result<Arc<Principal>, Failed> {
    let Some(certificate) = stream.peer_certificate() else {
        return Err(rejected("NOT_AUTHENTICATED", "The client showed no certificate.", None));
    };
    let id = CertificateId::of_der(certificate).to_string();
    let directory = doors.api.node().directory();
    let Some(principal) = directory.certificates.get(&id) else {
        return Err(match doors.api.register_shown(certificate) {
            Some(status) => {
                let details =
                    format!("The client's certificate was registered now; it is {status}.");
                rejected("DEVICE_CERTIFICATE_INACTIVE", &details, Some(id))
            }
            None => {
                let details = "The client's certificate is not registered.";
                rejected("DEVICE_CERTIFICATE_NOT_REGISTERED", details, Some(id))
            }
        });
    };
    match principal.grants.load().status.refuses_certificate() {
        None => Ok(Arc::clone(principal)),
        Some((reason, details)) => Err(rejected(reason, details, Some(id))),
    }
}

fn rejected(reason: &'static str, details: &str, certificate: Option<String>) -> Failed {
    Failed::Rejected { reason, details: details.to_owned(), certificate }
}

/// A handshake that failed on the client's credentials is worth an entry; one that was cut off, or
/// was no TLS at all, is not.
fn failed(error: &io::Error) -> Failed {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let Some(cause) = cause else { return Failed::Silent };
    let credentials = matches!(
        cause,
        rustls::Error::NoCertificatesPresented | rustls::Error::InvalidCertificate(_)
    );
    if credentials {
        rejected("NOT_AUTHENTICATED", &format!("The TLS handshake failed: {cause}."), None)
    } else {
        Failed::Silent
    }
}
