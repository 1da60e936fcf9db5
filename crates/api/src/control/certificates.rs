//! Certificates of devices.

use std::sync::Arc;

use identity::x509::{self, CertificateId};
use policy::{Action, Attributes, Resource};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize, SubjectPublicKeyInfo};
use registry::{Certificate, CertificateStatus, Change, Mode, Record, Source, Validity};
use serde_json::{Value, json};

use super::input::{Body, flag, one_of, optional_flag, parameter};
use super::policies::without_answer;
use super::refused::Refused;
use super::registrar::{Made, Registrar};
use super::request::Request;
use super::{Done, Outcome, document, issuing, list};

/// Characters of a signing request at most (spec 11).
const REQUEST_CHARACTERS: usize = 4_096;

/// Characters of a certificate at most (spec 11).
const PEM_CHARACTERS: usize = 65_536;

/// `POST /keys-and-certificate`
pub(super) fn create_keys(request: &mut Request<'_>) -> Outcome {
    let active = flag(&request.query(), "setAsActive")?;
    request.authorize(Action::CreateKeysAndCertificate, Resource::Any)?;
    Ok(Done::Ahead(Box::new(move |registrar| {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
        let key = key.map_err(|_| Refused::Internal)?;
        let private = x509::rsa_private_key_pem(key.serialized_der()).ok_or(Refused::Internal)?;
        let mut made = issue(registrar, &key, active)?;
        made.told["keyPair"] = json!({ "PublicKey": key.public_key_pem(), "PrivateKey": private });
        Ok(made)
    })))
}

/// `POST /certificates`
pub(super) fn create_from_csr(request: &mut Request<'_>) -> Outcome {
    let active = flag(&request.query(), "setAsActive")?;
    let body = Body::parse(request.payload)?;
    let pem = body.require("certificateSigningRequest")?;
    check_length("certificateSigningRequest", pem, REQUEST_CHARACTERS)?;
    let invalid = |what: String| {
        Refused::Input(format!("The certificateSigningRequest cannot be used: {what}."))
    };
    let signing = x509::parse_signing_request(pem.as_bytes());
    let signing = signing.map_err(|error| invalid(error.to_string()))?;
    let key = SubjectPublicKeyInfo::from_der(&signing.public_key_info);
    let key = key.map_err(|error| invalid(error.to_string()))?;
    request.authorize(Action::CreateCertificateFromCsr, Resource::Any)?;
    Ok(Done::Changed(issue(request.registrar, &key, active)?))
}

/// `POST /certificate/register-no-ca`
pub(super) fn register_without_ca(request: &mut Request<'_>) -> Outcome {
    let body = Body::parse(request.payload)?;
    let pem = body.require("certificatePem")?;
    check_length("certificatePem", pem, PEM_CHARACTERS)?;
    let status = registered_status(&body, None)?;
    request.authorize(Action::RegisterCertificateWithoutCA, Resource::Any)?;
    let (der, parsed) = read(pem)?;
    request.change(|registry, at| {
        check_time(&parsed, at)?;
        let certificate = certificate(&der, &parsed, at);
        let certificate = Certificate { status, mode: Mode::SniOnly, ..certificate };
        let told = document::certificate_name(&certificate.id, registry.scope());
        Ok((registry.register_certificate(certificate)?, told))
    })
}

/// `POST /certificate/register`
pub(super) fn register(request: &mut Request<'_>) -> Outcome {
    let active = optional_flag(&request.query(), "setAsActive")?;
    let body = Body::parse(request.payload)?;
    let pem = body.require("certificatePem")?;
    check_length("certificatePem", pem, PEM_CHARACTERS)?;
    let authority = body.text("caCertificatePem")?;
    check_length("caCertificatePem", authority.unwrap_or_default(), PEM_CHARACTERS)?;
    let status = registered_status(&body, active)?;
    request.authorize(Action::RegisterCertificate, Resource::Any)?;
    let (der, parsed) = read(pem)?;
    let named = authority.map(read).transpose()?.map(|(_, parsed)| parsed.id.to_string());
    let issuer = x509::issuer(&der).map_err(|error| not_valid(&error))?;
    request.change(|registry, at| {
        check_time(&parsed, at)?;
        let signed = registry
            .authorities_named(&issuer)
            .filter(|authority| named.as_ref().is_none_or(|id| *id == authority.id))
            .filter(|authority| x509::is_signed_by(&der, &authority.der));
        let mut signed = signed.map(Arc::clone);
        let (first, second) = (signed.next(), signed.next());
        let Some(authority) = first else {
            return Err(registry::Refused::CertificateValidation(
                "No registered CA certificate signed this certificate; register that of its \
                 authority first, or call RegisterCertificateWithoutCA."
                    .to_owned(),
            ));
        };
        if second.is_some() {
            return Err(registry::Refused::CertificateConflict(
                "More than one registered CA certificate has the subject and the key that signed \
                 this certificate; give the one that is meant as caCertificatePem."
                    .to_owned(),
            ));
        }
        if !authority.may_vouch(at / 1_000) {
            return Err(registry::Refused::CertificateState(format!(
                "The CA certificate {} is not ACTIVE, or its time is over.",
                authority.id
            )));
        }
        let certificate = Certificate {
            status,
            mode: authority.mode,
            authority: Some(authority.id.clone()),
            ..certificate(&der, &parsed, at)
        };
        let told = document::certificate_name(&certificate.id, registry.scope());
        Ok((registry.register_certificate(certificate)?, told))
    })
}

/// `PUT /certificates/{certificateId}`
pub(super) fn update(request: &mut Request<'_>, label: &str) -> Outcome {
    let id = certificate_id(request, "certificateId", label)?;
    let status = parameter(&request.query(), "newStatus")?;
    let status = status
        .ok_or_else(|| Refused::Input("The query parameter newStatus is missing.".to_owned()))?;
    let words = CertificateStatus::ALL.map(|status| (status.word(), status));
    // The others are states that nobody can choose.
    let status = one_of("newStatus", &status, &words[..3])?;
    request.authorize(Action::UpdateCertificate, Resource::Certificate(&id))?;
    request.change(|registry, at| without_answer(registry.update_certificate(&id, status, at)))
}

/// `GET /certificates/{certificateId}`
pub(super) fn describe(request: &mut Request<'_>, label: &str) -> Outcome {
    let id = certificate_id(request, "certificateId", label)?;
    request.authorize(Action::DescribeCertificate, Resource::Certificate(&id))?;
    request.look(|registry| {
        let certificate = registry.certificate(&id)?;
        let description = document::certificate(certificate, registry.scope());
        Ok(json!({ "certificateDescription": description }))
    })
}

/// `GET /certificates`
pub(super) fn list(request: &mut Request<'_>) -> Outcome {
    let page = list::page(&request.query(), list::MARKER)?;
    request.authorize(Action::ListCertificates, Resource::Any)?;
    request.look(|registry| {
        let (found, next) = registry.certificates().page(&page, |_| true);
        Ok(document::certificates(&found, next.as_ref(), registry.scope()))
    })
}

/// `GET /certificates-by-ca/{caCertificateId}`
pub(super) fn list_by_ca(request: &mut Request<'_>, label: &str) -> Outcome {
    let authority = certificate_id(request, "caCertificateId", label)?;
    let page = list::page(&request.query(), list::MARKER)?;
    request.authorize(Action::ListCertificatesByCA, Resource::Any)?;
    request.look(|registry| {
        let of_it = |certificate: &Certificate| {
            certificate.authority.as_deref() == Some(authority.as_str())
        };
        let (found, next) = registry.certificates().page(&page, of_it);
        Ok(document::certificates(&found, next.as_ref(), registry.scope()))
    })
}

/// `DELETE /certificates/{certificateId}`
pub(super) fn delete(request: &mut Request<'_>, label: &str) -> Outcome {
    let id = certificate_id(request, "certificateId", label)?;
    let force = flag(&request.query(), "forceDelete")?;
    request.authorize(Action::DeleteCertificate, Resource::Certificate(&id))?;
    request.change(|registry, _| without_answer(registry.delete_certificate(&id, force)))
}

/// Makes a certificate for a key.
fn issue(
    registrar: &Registrar,
    key: &impl PublicKeyData,
    active: bool,
) -> Result<Made<Value>, Refused> {
    let issuer = registrar.issuer(issuing::new_issuer).map_err(|_| Refused::Internal)?;
    let der = issuing::issue(&issuer, key, registrar.now());
    let der = der.map_err(|_| Refused::Internal)?;
    let parsed = x509::parse_der(&der).map_err(|_| Refused::Internal)?;
    let made = registrar.change(|registry, at| {
        let status = match active {
            true => CertificateStatus::Active,
            false => CertificateStatus::Inactive,
        };
        let certificate = Certificate { status, ..certificate(&der, &parsed, at) };
        let mut told = document::certificate_name(&certificate.id, registry.scope());
        told["certificatePem"] = certificate.pem.clone().into();
        let change = Change::put(Record::Certificate(certificate));
        Ok((change, told))
    });
    Ok(made?)
}

/// A certificate that is registered now, at that time in milliseconds since 1970.
pub(super) fn certificate(der: &[u8], parsed: &x509::Certificate, at: i64) -> Certificate {
    Certificate {
        id: parsed.id.to_string(),
        source: Source::Api,
        pem: Some(x509::to_pem(der)),
        status: CertificateStatus::Inactive,
        mode: Mode::Default,
        authority: None,
        created_at: at,
        modified_at: at,
        version: 1,
        generation: uuid::Uuid::new_v4().to_string(),
        validity: Some(validity(parsed)),
        attributes: Attributes::from_iter(parsed.policy_attributes()),
        policies: Default::default(),
        things: Default::default(),
    }
}

/// When a certificate may be used.
pub(super) fn validity(parsed: &x509::Certificate) -> Validity {
    Validity { not_before: parsed.not_before, not_after: parsed.not_after }
}

/// Reads a certificate that somebody wants to have registered.
pub(super) fn read(pem: &str) -> Result<(Vec<u8>, x509::Certificate), registry::Refused> {
    x509::parse_pem(pem.as_bytes()).map_err(|error| not_valid(&error))
}

pub(super) fn not_valid(error: &x509::CertificateError) -> registry::Refused {
    registry::Refused::CertificateValidation(format!("The certificate cannot be used: {error}."))
}

/// Refuses a certificate whose time is over at that time in milliseconds since 1970.
pub(super) fn check_time(parsed: &x509::Certificate, at: i64) -> Result<(), registry::Refused> {
    if parsed.not_after >= at / 1_000 {
        return Ok(());
    }
    Err(registry::Refused::CertificateValidation(format!(
        "The certificate {} has expired.",
        parsed.id
    )))
}

/// The ID in a label of the path; AWS takes it in any letter case.
pub(super) fn certificate_id(
    request: &Request<'_>,
    name: &str,
    label: &str,
) -> Result<String, Refused> {
    let id = request.label(name, label)?.to_ascii_lowercase();
    match CertificateId::parse(&id) {
        Ok(_) => Ok(id),
        Err(_) => Err(Refused::Input(format!("A {name} has 64 hexadecimal digits."))),
    }
}

pub(super) fn check_length(name: &str, text: &str, most: usize) -> Result<(), Refused> {
    if text.len() <= most {
        return Ok(());
    }
    Err(Refused::Input(format!("The member {name} has more than {most} characters.")))
}

/// The status of a certificate that is registered: that of the body, or that of the older
/// `setAsActive`.
fn registered_status(body: &Body, active: Option<bool>) -> Result<CertificateStatus, Refused> {
    match body.text("status")? {
        None if active == Some(true) => Ok(CertificateStatus::Active),
        None => Ok(CertificateStatus::Inactive),
        Some("ACTIVE") => Ok(CertificateStatus::Active),
        Some("INACTIVE") => Ok(CertificateStatus::Inactive),
        Some(
            word @ ("REVOKED" | "PENDING_TRANSFER" | "REGISTER_INACTIVE" | "PENDING_ACTIVATION"),
        ) => Err(Refused::Registry(registry::Refused::CertificateState(format!(
            "A certificate is registered as ACTIVE or INACTIVE, not as {word}."
        )))),
        Some(word) => {
            Err(Refused::Input(format!("status must be ACTIVE or INACTIVE, not \"{word}\".")))
        }
    }
}
