//! Certificates that are registered when a device first shows them.

use std::sync::Arc;

use broker::Node;
use identity::x509;
use registry::{Authority, Certificate, CertificateStatus};
use serde_json::json;

use super::certificates::certificate;
use super::registrar::{Made, Registrar};

/// Registers a certificate in DER that is not registered, if an authority that is registered and in
/// use, and whose certificates are to be registered in this way, signed it. It is not in use before
/// somebody says so. Gives its status's word if that was done; `$aws/events/certificates` hears of it
/// when it is durable.
pub(crate) fn register(
    node: &Arc<Node>,
    registrar: &Registrar,
    der: &[u8],
) -> Option<&'static str> {
    let issuer = x509::issuer(der).ok()?;
    let now = registrar.now();
    let candidates: Vec<Arc<Authority>> = registrar.look(|registry| {
        let named = registry.authorities_named(&issuer);
        let willing = named.filter(|a| a.auto_registration && a.may_vouch(now));
        willing.map(Arc::clone).collect()
    });
    // The signature is looked at with nobody waiting for it.
    let authority = candidates.iter().find(|a| x509::is_signed_by(der, &a.der))?;
    let parsed = x509::parse_der(der).ok().filter(|parsed| parsed.not_after >= now)?;
    let status = CertificateStatus::PendingActivation;
    let made = registrar.change(|registry, at| {
        let certificate = Certificate {
            status,
            mode: authority.mode,
            authority: Some(authority.id.clone()),
            ..certificate(der, &parsed, at)
        };
        Ok((registry.register_certificate(certificate)?, at))
    });
    let Made { told: registered_at, ended: _, ticket } = made.ok()?;
    let told = json!({
        "certificateId": parsed.id.to_string(),
        "caCertificateId": authority.id,
        "timestamp": registered_at,
        "certificateStatus": status.word(),
        "awsAccountId": node.access().scope().account(),
        "certificateRegistrationTimestamp": registered_at.to_string(),
    });
    let (node, authority) = (Arc::clone(node), authority.id.clone());
    registrar.when_kept(ticket, move |kept| {
        if kept.is_ok() {
            node.tell_certificate_registered(&authority, told.to_string().into_bytes());
        }
    });
    Some(status.word())
}
