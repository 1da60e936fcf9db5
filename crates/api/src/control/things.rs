//! Things.

use std::sync::Arc;

use policy::{Action, Resource, Scope};
use registry::{Key, NewThing, Thing, ThingUpdate, check_thing_name};
use serde_json::{Value, json};

use super::input::{Body, flag, parameter};
use super::policies::without_answer;
use super::refused::Refused;
use super::request::Request;
use super::{Outcome, list};

/// `POST /things/{thingName}`
pub(super) fn create(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("thingName", label)?.into_owned();
    check_thing_name("thingName", &name)?;
    let body = Body::parse(request.payload)?;
    let payload = body.object("attributePayload")?;
    let new = NewThing {
        name: name.clone(),
        type_name: body.text("thingTypeName")?.map(str::to_owned),
        attributes: match payload {
            Some(payload) => payload.texts("attributes")?.unwrap_or_default(),
            None => Default::default(),
        },
        billing_group: body.text("billingGroupName")?.map(str::to_owned),
    };
    request.authorize(Action::CreateThing, Resource::Thing(&name))?;
    let id = uuid::Uuid::new_v4().to_string();
    request.change(|registry, at| {
        let (change, id) = registry.create_thing(new, at, id)?;
        let arn = Key::Thing(name.clone()).arn(registry.scope());
        Ok((change, json!({ "thingName": name, "thingArn": arn, "thingId": id })))
    })
}

/// `GET /things/{thingName}`
pub(super) fn describe(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("thingName", label)?;
    request.authorize(Action::DescribeThing, Resource::Thing(&name))?;
    request.look(|registry| {
        let thing = registry.thing(&name)?;
        let mut told = entry(thing, registry.scope());
        told["defaultClientId"] = thing.name.as_str().into();
        told["thingId"] = thing.id.as_str().into();
        told["source"] = thing.source.to_string().into();
        if let Some(group) = &thing.billing_group {
            told["billingGroupName"] = group.as_str().into();
        }
        Ok(told)
    })
}

/// `PATCH /things/{thingName}`
pub(super) fn update(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("thingName", label)?;
    let body = Body::parse(request.payload)?;
    let payload = body.object("attributePayload")?;
    let update = ThingUpdate {
        type_name: body.text("thingTypeName")?.map(str::to_owned),
        remove_type: body.boolean("removeThingType")?,
        attributes: match &payload {
            Some(payload) => payload.texts("attributes")?,
            None => None,
        },
        merge: match &payload {
            Some(payload) => payload.boolean("merge")?,
            None => false,
        },
        expected_version: body.integer("expectedVersion")?,
    };
    request.authorize(Action::UpdateThing, Resource::Thing(&name))?;
    request.change(|registry, _| without_answer(registry.update_thing(&name, update)))
}

/// `DELETE /things/{thingName}`
pub(super) fn delete(request: &mut Request<'_>, label: &str) -> Outcome {
    let name = request.label("thingName", label)?;
    let expected = match parameter(&request.query(), "expectedVersion")? {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            Refused::Input(format!(
                "The query parameter expectedVersion must be a whole number, not \"{text}\"."
            ))
        })?),
    };
    request.authorize(Action::DeleteThing, Resource::Thing(&name))?;
    request.change(|registry, _| without_answer(registry.delete_thing(&name, expected)))
}

/// `GET /things`
pub(super) fn list(request: &mut Request<'_>) -> Outcome {
    let query = request.query();
    let page = list::page(&query, list::NEXT_TOKEN)?;
    let wanted = Wanted {
        attribute: parameter(&query, "attributeName")?,
        value: parameter(&query, "attributeValue")?,
        prefix: flag(&query, "usePrefixAttributeValue")?,
        type_name: parameter(&query, "thingTypeName")?,
    };
    request.authorize(Action::ListThings, Resource::Any)?;
    request.look(|registry| {
        let after = page.after.as_ref().map(|place| place.name.as_str());
        let things = registry.things().after(after).filter(|thing| wanted.fits(thing));
        let (found, next) = list::by_name(things.map(|thing| thing.name.as_str()), &page);
        let found = found.iter().filter_map(|name| registry.things().get(name));
        let entries = found.map(|thing| entry(thing, registry.scope()));
        let mut told = json!({ "things": entries.collect::<Vec<_>>() });
        list::put_next(&mut told, list::NEXT_TOKEN, next.as_ref());
        Ok(told)
    })
}

/// Which things a caller wants to see.
struct Wanted {
    attribute: Option<String>,
    value: Option<String>,
    /// The value is the beginning of one.
    prefix: bool,
    type_name: Option<String>,
}

impl Wanted {
    fn fits(&self, thing: &Arc<Thing>) -> bool {
        let right_type = self.type_name.is_none() || thing.type_name == self.type_name;
        let right_value = |value: &String| match &self.value {
            None => true,
            Some(wanted) if self.prefix => value.starts_with(wanted.as_str()),
            Some(wanted) => value == wanted,
        };
        let right_attribute = match &self.attribute {
            Some(name) => thing.attributes.get(name).is_some_and(right_value),
            None => self.value.is_none() || thing.attributes.values().any(right_value),
        };
        right_type && right_attribute
    }
}

/// What a list tells of a thing, and more than a list.
fn entry(thing: &Thing, scope: &Scope) -> Value {
    let mut told = json!({
        "thingName": thing.name,
        "thingArn": Key::Thing(thing.name.clone()).arn(scope),
        "attributes": thing.attributes,
        "version": thing.version,
    });
    if let Some(type_name) = &thing.type_name {
        told["thingTypeName"] = type_name.as_str().into();
    }
    told
}
