//! What may be done with things.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::change::{Change, Record};
use crate::key::Key;
use crate::refused::Refused;
use crate::source::Source;
use crate::state::Registry;
use crate::thing::Thing;

/// How many attributes a thing may have.
pub const ATTRIBUTES: usize = 50;

/// How many if it has no type.
pub const ATTRIBUTES_WITHOUT_TYPE: usize = 3;

/// Characters of the name of a thing, of its type and of an attribute.
const NAME_CHARACTERS: usize = 128;

/// Characters of the value of an attribute.
const VALUE_CHARACTERS: usize = 800;

/// A thing that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewThing {
    /// Its name.
    pub name: String,
    /// The name of its type.
    pub type_name: Option<String>,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// The name of its billing group.
    pub billing_group: Option<String>,
}

/// What is to change of a thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThingUpdate {
    /// The new type.
    pub type_name: Option<String>,
    /// It has no type any more.
    pub remove_type: bool,
    /// The new attributes.
    pub attributes: Option<BTreeMap<String, String>>,
    /// They are added to those there are; if false they take their place. One with an empty value is
    /// removed, or is not set.
    pub merge: bool,
    /// The version that the caller has seen.
    pub expected_version: Option<u64>,
}

/// Refuses what can be no name of a thing, of a type or of a billing group: AWS has `[a-zA-Z0-9:_-]{1,128}` (spec 11).
///
/// # Errors
/// [`Refused::Invalid`], which names `member`.
pub fn check_thing_name(member: &str, name: &str) -> Result<(), Refused> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c);
    if (1..=NAME_CHARACTERS).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(Refused::Invalid(format!(
        "A {member} has 1 to {NAME_CHARACTERS} letters, digits and characters of :_-."
    )))
}

/// AWS has `[a-zA-Z0-9_.,@/:#-]+` for names, and `=[]` besides for values (spec 11).
fn check_attributes(thing: &Thing) -> Result<(), Refused> {
    let of_names = |c: char| c.is_ascii_alphanumeric() || "_.,@/:#-".contains(c);
    let of_values = |c: char| of_names(c) || "=[]".contains(c);
    for (name, value) in &thing.attributes {
        let is_name = (1..=NAME_CHARACTERS).contains(&name.len()) && name.chars().all(of_names);
        if !is_name || value.len() > VALUE_CHARACTERS || !value.chars().all(of_values) {
            return Err(Refused::Invalid(format!(
                "The attribute {name:?} is none: a name has 1 to {NAME_CHARACTERS} letters, digits \
                 and characters of _.,@/:#-, a value at most {VALUE_CHARACTERS} of these and =[]."
            )));
        }
    }
    let most = match thing.type_name {
        Some(_) => ATTRIBUTES,
        None => ATTRIBUTES_WITHOUT_TYPE,
    };
    if thing.attributes.len() > most {
        return Err(Refused::Invalid(format!(
            "The thing would have {} attributes; it may have {ATTRIBUTES_WITHOUT_TYPE}, or \
             {ATTRIBUTES} with a type.",
            thing.attributes.len()
        )));
    }
    Ok(())
}

impl Registry {
    /// The thing of that name.
    ///
    /// # Errors
    /// [`Refused::NotFound`].
    pub fn thing(&self, name: &str) -> Result<&Arc<Thing>, Refused> {
        self.things.get(name).ok_or_else(|| Refused::NotFound(Key::Thing(name.to_owned())))
    }

    /// CreateThing; gives the thing's ID as well. `id` is a UUID that no other thing has, `at` the
    /// time in milliseconds since 1970. To make the same thing again changes nothing. A new one has no
    /// certificates: what the API attached to a thing of a file that went away was meant for that one.
    ///
    /// # Errors
    /// [`Refused::Invalid`], [`Refused::Exists`] for a thing that is not the same.
    pub fn create_thing(
        &self,
        new: NewThing,
        at: i64,
        id: String,
    ) -> Result<(Change, String), Refused> {
        check_thing_name("thingName", &new.name)?;
        if let Some(type_name) = &new.type_name {
            check_thing_name("thingTypeName", type_name)?;
        }
        if let Some(billing_group) = &new.billing_group {
            check_thing_name("billingGroupName", billing_group)?;
        }
        if let Some(there) = self.things.get(&new.name)
            && there.source == Source::Api
            && there.attributes == new.attributes
            && there.type_name == new.type_name
            && there.billing_group == new.billing_group
        {
            return Ok((Change::nothing(), there.id.clone()));
        }
        self.check_free(Key::Thing(new.name.clone()))?;
        let NewThing { name, type_name, attributes, billing_group } = new;
        let thing = Thing {
            name,
            source: Source::Api,
            id: id.clone(),
            type_name,
            attributes,
            version: 1,
            billing_group,
            created_at: at,
        };
        check_attributes(&thing)?;
        let change = self.detached(self.members_of(&thing.name), |certificate| {
            certificate.things.remove(&thing.name);
            certificate.modified_at = at;
        });
        Ok((change.and_put(Record::Thing(thing)), id))
    }

    /// UpdateThing.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::OfFile`], [`Refused::VersionConflict`],
    /// [`Refused::Invalid`].
    pub fn update_thing(&self, name: &str, update: ThingUpdate) -> Result<Change, Refused> {
        let mut thing = self.writable_thing(name, update.expected_version)?;
        if let Some(type_name) = update.type_name {
            check_thing_name("thingTypeName", &type_name)?;
            if update.remove_type {
                let both = "Give thingTypeName or removeThingType, not both.";
                return Err(Refused::Invalid(both.to_owned()));
            }
            thing.type_name = Some(type_name);
        }
        if update.remove_type {
            thing.type_name = None;
        }
        if let Some(attributes) = update.attributes {
            if !update.merge {
                thing.attributes.clear();
            }
            for (name, value) in attributes {
                if value.is_empty() {
                    thing.attributes.remove(&name);
                } else {
                    thing.attributes.insert(name, value);
                }
            }
        }
        check_attributes(&thing)?;
        thing.version += 1;
        Ok(Change::put(Record::Thing(thing)))
    }

    /// DeleteThing. One that is not there is deleted already.
    ///
    /// # Errors
    /// [`Refused::OfFile`], [`Refused::VersionConflict`], [`Refused::Invalid`] while certificates
    /// are attached.
    pub fn delete_thing(&self, name: &str, expected: Option<u64>) -> Result<Change, Refused> {
        if self.things.get(name).is_none() {
            return Ok(Change::nothing());
        }
        self.writable_thing(name, expected)?;
        if let Some(member) = self.members_of(name).next() {
            return Err(Refused::Invalid(format!(
                "The thing {name} is attached to the certificate {member}; detach it first."
            )));
        }
        Ok(Change::delete(Key::Thing(name.to_owned())))
    }

    fn writable_thing(&self, name: &str, expected: Option<u64>) -> Result<Thing, Refused> {
        let key = Key::Thing(name.to_owned());
        self.check_writable(key.clone())?;
        let thing = Thing::clone(self.thing(name)?);
        match expected {
            Some(expected) if expected != thing.version => {
                Err(Refused::VersionConflict { key, expected, found: thing.version })
            }
            Some(_) | None => Ok(thing),
        }
    }
}
