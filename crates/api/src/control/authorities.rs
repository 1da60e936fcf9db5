//! Certificate authorities.

use identity::x509;
use policy::{Action, Resource};
use registry::{Authority, AuthorityStatus, AuthorityUpdate, Key, Mode, Source};
use serde_json::{Value, json};

use super::certificates::{certificate_id, check_length, check_time, not_valid, read, validity};
use super::input::{Body, flag, one_of, parameter};
use super::policies::without_answer;
use super::refused::Refused;
use super::request::Request;
use super::{Outcome, document, list};

/// Characters of a certificate at most (spec 11).
const PEM_CHARACTERS: usize = 65_536;

const STATES: [(&str, AuthorityStatus); 2] =
    [("ACTIVE", AuthorityStatus::Active), ("INACTIVE", AuthorityStatus::Inactive)];
const MODES: [(&str, Mode); 2] = [("DEFAULT", Mode::Default), ("SNI_ONLY", Mode::SniOnly)];
const SWITCH: [(&str, bool); 2] = [("ENABLE", true), ("DISABLE", false)];

/// `POST /cacertificate`
pub(super) fn register(request: &mut Request<'_>) -> Outcome {
    let query = request.query();
    let active = flag(&query, "setAsActive")?;
    let auto_registration = flag(&query, "allowAutoRegistration")?;
    let body = Body::parse(request.payload)?;
    body.refuse(&["tags"])?;
    let pem = body.require("caCertificate")?;
    check_length("caCertificate", pem, PEM_CHARACTERS)?;
    let proof = body.text("verificationCertificate")?;
    check_length("verificationCertificate", proof.unwrap_or_default(), PEM_CHARACTERS)?;
    let mode = match body.text("certificateMode")? {
        None => Mode::Default,
        Some(word) => one_of("certificateMode", word, &MODES)?,
    };
    if mode == Mode::Default && proof.is_none() {
        return Err(Refused::Input(
            "The body lacks the member verificationCertificate; only an authority of the \
             certificateMode SNI_ONLY is registered without."
                .to_owned(),
        ));
    }
    if mode == Mode::SniOnly && proof.is_some_and(|proof| !proof.is_empty()) {
        return Err(Refused::Input(
            "An authority of the certificateMode SNI_ONLY is registered without \
             verificationCertificate; leave it out, or take DEFAULT."
                .to_owned(),
        ));
    }
    request.authorize(Action::RegisterCACertificate, Resource::Any)?;
    refuse_template(&body)?;
    let (der, parsed) = read(pem)?;
    let proof = proof.filter(|_| mode == Mode::Default).map(read).transpose()?;
    let authority = x509::parse_authority(&der).map_err(|error| not_valid(&error))?;
    if !authority.is_authority {
        return Err(Refused::Registry(registry::Refused::CertificateValidation(
            "The caCertificate is not one of an authority: its basic constraints must have CA:TRUE."
                .to_owned(),
        )));
    }
    request.change(|registry, at| {
        check_time(&parsed, at)?;
        if let Some((proof, proved)) = &proof {
            check_time(proved, at)?;
            check_proof(proof, proved, &der, registry.present_registration_code())?;
        }
        let change = registry.register_authority(Authority {
            id: parsed.id.to_string(),
            source: Source::Api,
            pem: x509::to_pem(&der),
            der,
            subject: authority.subject,
            status: if active { AuthorityStatus::Active } else { AuthorityStatus::Inactive },
            auto_registration,
            mode,
            created_at: at,
            modified_at: at,
            version: 1,
            generation: uuid::Uuid::new_v4().to_string(),
            validity: validity(&parsed),
        })?;
        let id = parsed.id.to_string();
        let arn = Key::Authority(id.clone()).arn(registry.scope());
        Ok((change, json!({ "certificateArn": arn, "certificateId": id })))
    })
}

/// `GET /cacertificate/{caCertificateId}`
pub(super) fn describe(request: &mut Request<'_>, label: &str) -> Outcome {
    let id = certificate_id(request, "caCertificateId", label)?;
    request.authorize(Action::DescribeCACertificate, Resource::CaCertificate(&id))?;
    request.look(|registry| {
        let description = document::authority(registry.authority(&id)?, registry.scope());
        Ok(json!({ "certificateDescription": description, "registrationConfig": {} }))
    })
}

/// `GET /cacertificates`
pub(super) fn list(request: &mut Request<'_>) -> Outcome {
    let query = request.query();
    let page = list::page(&query, list::MARKER)?;
    // No authority has a template here.
    let any = parameter(&query, "templateName")?.is_none();
    request.authorize(Action::ListCACertificates, Resource::Any)?;
    request.look(|registry| {
        let (found, next) = registry.authorities().page(&page, |_| any);
        let entries = found.iter().map(|a| document::authority_entry(a, registry.scope()));
        let mut told = json!({ "certificates": entries.collect::<Vec<Value>>() });
        list::put_next(&mut told, list::MARKER, next.as_ref());
        Ok(told)
    })
}

/// `PUT /cacertificate/{caCertificateId}`
pub(super) fn update(request: &mut Request<'_>, label: &str) -> Outcome {
    let id = certificate_id(request, "caCertificateId", label)?;
    let query = request.query();
    let body = Body::parse(request.payload)?;
    body.refuse(&["registrationConfig"])?;
    let status = parameter(&query, "newStatus")?;
    let status = status.map(|word| one_of("newStatus", &word, &STATES)).transpose()?;
    let switch = parameter(&query, "newAutoRegistrationStatus")?;
    let switch = switch.map(|word| one_of("newAutoRegistrationStatus", &word, &SWITCH));
    let mut auto_registration = switch.transpose()?;
    if body.boolean("removeAutoRegistration")? {
        auto_registration = Some(false);
    }
    request.authorize(Action::UpdateCACertificate, Resource::CaCertificate(&id))?;
    let update = AuthorityUpdate { status, auto_registration };
    request.change(|registry, at| without_answer(registry.update_authority(&id, update, at)))
}

/// `DELETE /cacertificate/{caCertificateId}`
pub(super) fn delete(request: &mut Request<'_>, label: &str) -> Outcome {
    let id = certificate_id(request, "caCertificateId", label)?;
    request.authorize(Action::DeleteCACertificate, Resource::CaCertificate(&id))?;
    request.change(|registry, _| without_answer(registry.delete_authority(&id)))
}

/// `GET /registrationcode`
pub(super) fn registration_code(request: &mut Request<'_>) -> Outcome {
    request.authorize(Action::GetRegistrationCode, Resource::Any)?;
    // 64 hexadecimal digits, as AWS has it.
    let [first, second] = [(); 2].map(|()| uuid::Uuid::new_v4().simple().to_string());
    request.change(|registry, _| {
        let (change, code) = registry.registration_code(first + &second);
        Ok((change, json!({ "registrationCode": code })))
    })
}

/// `DELETE /registrationcode`
pub(super) fn delete_registration_code(request: &mut Request<'_>) -> Outcome {
    request.authorize(Action::DeleteRegistrationCode, Resource::Any)?;
    request.change(|registry, _| without_answer(registry.delete_registration_code()))
}

/// Proves that whoever registers an authority has its key: the key signed a certificate whose common
/// name is the registration code.
fn check_proof(
    proof: &[u8],
    proved: &x509::Certificate,
    authority: &[u8],
    code: Option<&str>,
) -> Result<(), registry::Refused> {
    if !x509::is_signed_by(proof, authority) {
        return Err(registry::Refused::CertificateValidation(
            "The verificationCertificate is not signed with the key of the caCertificate."
                .to_owned(),
        ));
    }
    if code.is_none() || proved.subject_common_name.as_deref() != code {
        return Err(registry::Refused::RegistrationCode(
            "The common name of the verificationCertificate is not the registration code, which \
             GetRegistrationCode tells."
                .to_owned(),
        ));
    }
    Ok(())
}

/// Provisioning templates are not offered, so one that is named is not there.
fn refuse_template(body: &Body) -> Result<(), Refused> {
    let Some(config) = body.object("registrationConfig")? else { return Ok(()) };
    match config.text("templateName")? {
        Some(name) => Err(Refused::Registry(registry::Refused::NoTemplate(name.to_owned()))),
        None => body.refuse(&["registrationConfig"]),
    }
}
