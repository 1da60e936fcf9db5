//! The services that a listener for signed requests answers for.

use identity::sigv4::{Headers, RequestParts, claim};

/// A service with its operations, its signing names and the shape of its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceName {
    /// The data plane (spec 3.1).
    Data,
    /// The control plane (spec 11).
    Control,
    /// CloudWatch Logs, for the log of this server.
    Logs,
}

impl ServiceName {
    const ALL: [ServiceName; 3] = [ServiceName::Data, ServiceName::Control, ServiceName::Logs];

    /// The names that a signature may have for it.
    pub const fn signing_names(self) -> &'static [&'static str] {
        match self {
            ServiceName::Data => &["iotdata", "iotdevicegateway"],
            ServiceName::Control => &["iot"],
            ServiceName::Logs => &["logs"],
        }
    }

    /// The one that a request is signed for, whether the signature holds or not; none if it names
    /// none of these.
    pub(crate) fn signed_for<H: Headers>(parts: &RequestParts<'_, H>) -> Option<ServiceName> {
        let claim = claim(parts).ok()??;
        let name = claim.scope().service;
        ServiceName::ALL.into_iter().find(|service| service.signing_names().contains(&name))
    }
}
