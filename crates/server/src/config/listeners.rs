//! Where the server listens, and who may come in without proving who he is.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::document::{Table, Value, closest, list};
use super::mistake::{Mistakes, Place};
use super::principal::PrincipalName;

/// One of the listeners a configuration can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListenerName {
    /// MQTT over plain TCP.
    Mqtt,
    /// MQTT over TLS with a client certificate (AWS's port 8883).
    Mqtts,
    /// HTTPS with SigV4, WebSocket, and both X.509 protocols by ALPN (AWS's port 443).
    Https,
    /// HTTPS with a client certificate (AWS's port 8443).
    HttpsX509,
    /// The same as [`ListenerName::Https`] on an address of its own.
    Wss,
    /// Plain HTTP.
    Http,
    /// Metrics and health.
    Admin,
}

impl ListenerName {
    /// Every listener, in the order in which they are shown.
    pub const ALL: [ListenerName; 7] = [
        ListenerName::Mqtt,
        ListenerName::Mqtts,
        ListenerName::Https,
        ListenerName::HttpsX509,
        ListenerName::Wss,
        ListenerName::Http,
        ListenerName::Admin,
    ];

    /// Its name in the configuration, on the command line and in the ready file.
    pub const fn as_str(self) -> &'static str {
        match self {
            ListenerName::Mqtt => "mqtt",
            ListenerName::Mqtts => "mqtts",
            ListenerName::Https => "https",
            ListenerName::HttpsX509 => "https_x509",
            ListenerName::Wss => "wss",
            ListenerName::Http => "http",
            ListenerName::Admin => "admin",
        }
    }

    /// Whether it needs the `[tls]` table.
    pub const fn is_tls(self) -> bool {
        match self {
            ListenerName::Mqtts
            | ListenerName::Https
            | ListenerName::HttpsX509
            | ListenerName::Wss => true,
            ListenerName::Mqtt | ListenerName::Http | ListenerName::Admin => false,
        }
    }
}

impl fmt::Display for ListenerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ListenerName {
    type Err = String;

    /// # Errors
    /// Says which names there are.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = ListenerName::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| {
            let names = ListenerName::ALL.map(ListenerName::as_str);
            match closest(text, &names) {
                Some(name) => format!("there is no listener `{text}`; did you mean `{name}`?"),
                None => format!("there is no listener `{text}`; expected {}", list(&names)),
            }
        })
    }
}

/// Who a client on the plain MQTT listener is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MqttAccess {
    /// Nobody in particular, who may do everything.
    Open,
    /// This principal of the registry.
    Principal {
        /// Which one.
        name: PrincipalName,
        /// Where the configuration names it.
        place: Place,
    },
}

/// The plain MQTT listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainMqtt {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// Who its clients are. `None` until the configuration is verified: a verified one has it.
    pub access: Option<MqttAccess>,
}

/// The plain HTTP listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainHttp {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// Whether requests need no signature and may do everything.
    pub open: bool,
}

/// Where the server listens. What is absent is not served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listeners {
    /// MQTT over plain TCP.
    pub mqtt: Option<PlainMqtt>,
    /// MQTT over TLS with a client certificate.
    pub mqtts: Option<SocketAddr>,
    /// HTTPS with SigV4, WebSocket, and both X.509 protocols by ALPN.
    pub https: Option<SocketAddr>,
    /// HTTPS with a client certificate.
    pub https_x509: Option<SocketAddr>,
    /// The same as `https` on an address of its own; `None` when that address serves it.
    pub wss: Option<SocketAddr>,
    /// Plain HTTP.
    pub http: Option<PlainHttp>,
    /// Metrics and health.
    pub admin: Option<SocketAddr>,
}

impl Listeners {
    /// The address of one listener.
    pub fn address(&self, name: ListenerName) -> Option<SocketAddr> {
        match name {
            ListenerName::Mqtt => self.mqtt.as_ref().map(|mqtt| mqtt.address),
            ListenerName::Mqtts => self.mqtts,
            ListenerName::Https => self.https,
            ListenerName::HttpsX509 => self.https_x509,
            ListenerName::Wss => self.wss,
            ListenerName::Http => self.http.map(|http| http.address),
            ListenerName::Admin => self.admin,
        }
    }

    /// Gives a listener another address, or adds it.
    pub fn set_address(&mut self, name: ListenerName, address: SocketAddr) {
        match name {
            ListenerName::Mqtt => {
                let access = self.mqtt.take().and_then(|mqtt| mqtt.access);
                self.mqtt = Some(PlainMqtt { address, access });
            }
            ListenerName::Mqtts => self.mqtts = Some(address),
            ListenerName::Https => self.https = Some(address),
            ListenerName::HttpsX509 => self.https_x509 = Some(address),
            ListenerName::Wss => self.wss = Some(address),
            ListenerName::Http => {
                let open = self.http.is_some_and(|http| http.open);
                self.http = Some(PlainHttp { address, open });
            }
            ListenerName::Admin => self.admin = Some(address),
        }
    }

    /// Those that are served, each with its address.
    pub fn served(&self) -> impl Iterator<Item = (ListenerName, SocketAddr)> + '_ {
        ListenerName::ALL.into_iter().filter_map(|name| Some((name, self.address(name)?)))
    }

    /// Finds what the listeners must not be, each mistake at the place `place_of` gives.
    pub(super) fn verify(&self, place_of: impl Fn(ListenerName) -> Place) -> Mistakes {
        let mut mistakes = Mistakes::default();
        let served: Vec<_> = self.served().collect();
        for (position, (name, address)) in served.iter().enumerate() {
            let earlier = served[..position].iter().find(|(_, other)| clash(*other, *address));
            if let Some((other, at)) = earlier {
                let message = format!(
                    "listeners `{other}` and `{name}` cannot share {address} (`{other}` is on \
                     {at}); give `{name}` another port"
                );
                mistakes.add(place_of(*name), message);
            }
        }
        let open = [
            (ListenerName::Mqtt, self.is_mqtt_open()),
            (ListenerName::Http, self.http.is_some_and(|http| http.open)),
        ];
        for (name, open) in open {
            let address = self.address(name).filter(|address| !address.ip().is_loopback());
            if let (true, Some(address)) = (open, address) {
                let message = format!(
                    "listener `{name}` would be open to everybody on {address}; an open listener \
                     must be on a loopback address, such as 127.0.0.1:{}",
                    address.port()
                );
                mistakes.add(place_of(name), message);
            }
        }
        if self.mqtt.as_ref().is_some_and(|mqtt| mqtt.access.is_none()) {
            let message = "listener `mqtt` does not say who its clients are; write principal = \
                           \"certificates/NAME\", or open = true on a loopback address";
            mistakes.add(place_of(ListenerName::Mqtt), message);
        }
        mistakes
    }

    /// What is allowed and yet worth a look.
    pub(super) fn warnings(&self) -> Mistakes {
        let mut warnings = Mistakes::default();
        let Some(mqtt) = &self.mqtt else { return warnings };
        if let (Some(MqttAccess::Principal { name, place }), false) =
            (&mqtt.access, mqtt.address.ip().is_loopback())
        {
            let message = format!(
                "everybody who reaches {} is `{name}`, and nothing is encrypted; use `mqtts`, or \
                 a trusted network",
                mqtt.address
            );
            warnings.add(place.clone(), message);
        }
        warnings
    }

    fn is_mqtt_open(&self) -> bool {
        self.mqtt.as_ref().is_some_and(|mqtt| mqtt.access == Some(MqttAccess::Open))
    }
}

/// Whether both cannot be bound at once.
fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (any || one.ip() == other.ip())
}

/// Reads an address from the command line or a file.
///
/// # Errors
/// Says how an address is written.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("expected an IP address and a port, such as \"127.0.0.1:8883\", not \"{text}\"")
    })
}

/// Reads the `[listeners]` table. Also returns where each listener stands.
pub(super) fn read(mut table: Table<'_>) -> (Listeners, Vec<(ListenerName, Place)>) {
    let mut listeners = Listeners::default();
    let mut places = Vec::new();
    for name in ListenerName::ALL {
        let Some(value) = table.get(name.as_str()) else { continue };
        places.push((name, value.place()));
        match name {
            ListenerName::Mqtt => listeners.mqtt = read_mqtt(&value),
            ListenerName::Http => listeners.http = read_http(&value),
            ListenerName::Mqtts
            | ListenerName::Https
            | ListenerName::HttpsX509
            | ListenerName::Wss
            | ListenerName::Admin => {
                if let Some(address) = read_listener(&value, |_| ()) {
                    listeners.set_address(name, address);
                }
            }
        }
    }
    if listeners.wss == listeners.https {
        listeners.wss = None;
    }
    (listeners, places)
}

fn read_mqtt(value: &Value<'_>) -> Option<PlainMqtt> {
    let mut access = None;
    let address = read_listener(value, |table| {
        let principal = table.get("principal").and_then(|value| {
            let name = value.parse(str::parse::<PrincipalName>)?;
            Some(MqttAccess::Principal { name, place: value.place() })
        });
        let open = table.get("open");
        let is_open = open.as_ref().and_then(Value::boolean) == Some(true);
        if let (Some(open), true, true) = (&open, is_open, principal.is_some()) {
            open.mistake("either the clients are the `principal` or they are anybody; drop one");
        }
        access = if is_open { Some(MqttAccess::Open) } else { principal };
    })?;
    Some(PlainMqtt { address, access })
}

fn read_http(value: &Value<'_>) -> Option<PlainHttp> {
    let mut open = false;
    let address = read_listener(value, |table| {
        open = table.get("open").and_then(|value| value.boolean()).unwrap_or(false);
    })?;
    Some(PlainHttp { address, open })
}

/// Reads a listener in its short form (the address) or as a table with `address` and whatever
/// `more` asks for.
fn read_listener(value: &Value<'_>, more: impl FnOnce(&mut Table<'_>)) -> Option<SocketAddr> {
    if value.is_text() {
        return value.parse(parse_address);
    }
    if !value.is_table() {
        value.expected("an address such as \"127.0.0.1:8883\", or a table with `address`");
        return None;
    }
    let mut table = value.table();
    more(&mut table);
    table.require("address", "address = \"127.0.0.1:PORT\"")?.parse(parse_address)
}
