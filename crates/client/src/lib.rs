//! A device and a sender: the only crate that knows how to be either.
//!
//! [`Device`] is an MQTT client (3.1.1 and 5.0, plain TCP or TLS) whose acknowledgements are given
//! by hand, because whether and when a device acknowledges is what this product is about.
//! [`Sender`] calls `SendDirectMessage` over HTTP, signed with SigV4 or with a client certificate; the
//! webhook posts with it.
//! Both say which step failed, in words fit for a terminal: the command line prints them as they
//! are. The load generator and the tests use the same two.
//!
//! [`Tls`] is built once and shared: it holds the parsed certificates, and two thousand devices
//! need no more than one.
#![forbid(unsafe_code)]

mod device;
mod dial;
mod endpoint;
mod percent;
mod sender;
mod tls;

pub use device::{ConnectError, Connected, Device, DeviceError, DeviceOptions, Ending, Event};
pub use device::{Message, Outgoing};
pub use dial::{DialError, Step};
pub use endpoint::{Endpoint, EndpointError, Scheme, Url};
pub use sender::{AccessKey, Answer, DirectMessage, PayloadFormat, SendError, Sender};
pub use sender::{SenderIdentity, SenderOptions};
pub use tls::{ClientCertificate, Tls, TlsError, TlsParts};
