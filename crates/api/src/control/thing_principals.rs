//! Certificates of things.

use identity::sigv4::Headers;
use policy::{Action, Resource};
use registry::{Attachment, Key, certificate_id};
use serde_json::{Value, json};

use super::input::{one_of, parameter};
use super::policies::without_answer;
use super::refused::Refused;
use super::request::Request;
use super::{Outcome, list};

/// The header that names a principal.
const PRINCIPAL: &str = "x-amzn-principal";

/// How a certificate can belong to a thing.
const TYPES: [(&str, Attachment); 2] = [
    (Attachment::Exclusive.word(), Attachment::Exclusive),
    (Attachment::NonExclusive.word(), Attachment::NonExclusive),
];

/// Whether an answer tells how the certificates belong to the thing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// It tells names.
    Names,
    /// It tells names and types.
    WithTypes,
}

/// `PUT /things/{thingName}/principals`
pub(super) fn attach(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("thingName", label)?;
    let attachment = wanted_type(request)?.unwrap_or(Attachment::NonExclusive);
    let id = principal(request)?;
    request.authorize(Action::AttachThingPrincipal, Resource::Any)?;
    request.change(|registry, at| without_answer(registry.attach_thing(&name, &id, attachment, at)))
}

/// `DELETE /things/{thingName}/principals`
pub(super) fn detach(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("thingName", label)?;
    let id = principal(request)?;
    request.authorize(Action::DetachThingPrincipal, Resource::Any)?;
    request.change(|registry, at| without_answer(registry.detach_thing(&name, &id, at)))
}

/// `GET /things/{thingName}/principals` and `GET /things/{thingName}/principals-v2`
pub(super) fn list_principals(request: &mut Request<'_>, label: &str, form: Form) -> Outcome {
    let name = request.label("thingName", label)?;
    let page = list::page(&request.query(), list::NEXT_TOKEN)?;
    let wanted = wanted_type(request)?;
    request.authorize(Action::ListThingPrincipals, Resource::Thing(&name))?;
    request.look(|registry| {
        registry.thing(&name)?;
        let fits = |id: &&str| {
            let attachment = registry.attachment(&name, id);
            wanted.is_none() || attachment == wanted
        };
        let (found, next) = list::by_name(registry.members_of(&name).filter(fits), &page);
        let entry = |id: &String| {
            let arn = Key::Certificate(id.clone()).arn(registry.scope());
            match form {
                Form::Names => arn.into(),
                Form::WithTypes => typed("principal", &arn, registry.attachment(&name, id)),
            }
        };
        let member = match form {
            Form::Names => "principals",
            Form::WithTypes => "thingPrincipalObjects",
        };
        let mut told = json!({ member: found.iter().map(entry).collect::<Vec<Value>>() });
        list::put_next(&mut told, list::NEXT_TOKEN, next.as_ref());
        Ok(told)
    })
}

/// `GET /principals/things` and `GET /principals/things-v2`
pub(super) fn list_things(request: &mut Request<'_>, form: Form) -> Outcome {
    let page = list::page(&request.query(), list::NEXT_TOKEN)?;
    let wanted = wanted_type(request)?;
    let id = principal(request)?;
    request.authorize(Action::ListPrincipalThings, Resource::Any)?;
    request.look(|registry| {
        let things = &registry.certificate(&id)?.things;
        let fitting = things
            .iter()
            .filter(|(_, attachment)| wanted.is_none_or(|wanted| wanted == **attachment));
        let (found, next) = list::by_name(fitting.map(|(name, _)| name.as_str()), &page);
        let entry = |name: &String| match form {
            Form::Names => name.as_str().into(),
            Form::WithTypes => typed("thingName", name, things.get(name).copied()),
        };
        let member = match form {
            Form::Names => "things",
            Form::WithTypes => "principalThingObjects",
        };
        let mut told = json!({ member: found.iter().map(entry).collect::<Vec<Value>>() });
        list::put_next(&mut told, list::NEXT_TOKEN, next.as_ref());
        Ok(told)
    })
}

fn typed(member: &str, name: &str, attachment: Option<Attachment>) -> Value {
    json!({ member: name, "thingPrincipalType": attachment.map(Attachment::word) })
}

/// The ID of the certificate that the header names.
fn principal(request: &Request<'_>) -> Result<String, Refused> {
    let mut values = request.head.headers.all(PRINCIPAL);
    let arn = values.next().and_then(|value| std::str::from_utf8(value).ok());
    let arn = arn.filter(|_| values.next().is_none()).ok_or_else(|| {
        Refused::Input(format!("The header {PRINCIPAL} must be there once, with an ARN."))
    })?;
    let scope = request.registrar.look(|registry| registry.scope().clone());
    Ok(certificate_id("principal", arn, &scope)?.to_owned())
}

fn wanted_type(request: &Request<'_>) -> Result<Option<Attachment>, Refused> {
    const NAME: &str = "thingPrincipalType";
    let Some(text) = parameter(&request.query(), NAME)? else { return Ok(None) };
    one_of(NAME, &text, &TYPES).map(Some)
}
