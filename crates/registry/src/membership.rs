//! Certificates of things.

use crate::certificate::{Attachment, Certificate};
use crate::change::{Change, Record};
use crate::refused::Refused;
use crate::state::Registry;

impl Registry {
    /// AttachThingPrincipal to the certificate of that ID; `at` is in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Refused::NotFound`] of either, [`Refused::OfFile`] of the certificate, [`Refused::Invalid`]
    /// if one of them belongs to another exclusively, or would.
    pub fn attach_thing(
        &self,
        thing: &str,
        id: &str,
        attachment: Attachment,
        at: i64,
    ) -> Result<Change, Refused> {
        self.thing(thing)?;
        let mut certificate = self.writable_certificate(id)?;
        match certificate.things.get(thing) {
            Some(there) if *there == attachment => return Ok(Change::nothing()),
            Some(there) => {
                return Err(Refused::Invalid(format!(
                    "The certificate {id} is attached to the thing {thing} as {}; detach it first.",
                    there.word()
                )));
            }
            None => {}
        }
        self.check_exclusive(thing, &certificate, attachment)?;
        certificate.things.insert(thing.to_owned(), attachment);
        certificate.modified_at = at;
        Ok(Change::put(Record::Certificate(certificate)))
    }

    /// An exclusive attachment is the only one of its thing and of its certificate.
    fn check_exclusive(
        &self,
        thing: &str,
        certificate: &Certificate,
        attachment: Attachment,
    ) -> Result<(), Refused> {
        let exclusive = attachment == Attachment::Exclusive;
        let other_thing = match exclusive {
            true => certificate.things.keys().next().map(String::as_str),
            false => certificate.exclusive_thing(),
        };
        if let Some(other) = other_thing {
            return Err(Refused::Invalid(format!(
                "The certificate {} is attached to the thing {other}, and an exclusive attachment \
                 is the only one of its certificate; detach it first.",
                certificate.id
            )));
        }
        let mut others = self.members_of(thing);
        let other = others
            .find(|id| exclusive || self.attachment(thing, id) == Some(Attachment::Exclusive));
        match other {
            None => Ok(()),
            Some(other) => Err(Refused::Invalid(format!(
                "The thing {thing} is attached to the certificate {other}, and an exclusive \
                 attachment is the only one of its thing; detach it first."
            ))),
        }
    }

    /// How the certificate of that ID belongs to that thing, if it does.
    pub fn attachment(&self, thing: &str, id: &str) -> Option<Attachment> {
        self.certificates.get(id)?.things.get(thing).copied()
    }

    /// DetachThingPrincipal from the certificate of that ID. One that is not attached is detached
    /// already; a thing whose file went away is detached as well as any other.
    ///
    /// # Errors
    /// [`Refused::NotFound`] of either, [`Refused::OfFile`] of the certificate.
    pub fn detach_thing(&self, thing: &str, id: &str, at: i64) -> Result<Change, Refused> {
        if self.attachment(thing, id).is_none() {
            self.thing(thing)?;
        }
        let mut certificate = self.writable_certificate(id)?;
        if certificate.things.remove(thing).is_none() {
            return Ok(Change::nothing());
        }
        certificate.modified_at = at;
        Ok(Change::put(Record::Certificate(certificate)))
    }
}
