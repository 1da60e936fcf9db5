//! Lists of properties: borrowed from a packet, or built to be sent.

use std::fmt;

use crate::error::{DecodeError, EncodeError};
use crate::property::{Place, Property, SUBSCRIPTION_IDENTIFIER, USER_PROPERTY};
use crate::reader::Reader;
use crate::writer::Sink;

/// Set in `seen` when there are several subscription identifiers. No property has this number.
const REPEATED_SUBSCRIPTION_IDENTIFIER: u64 = 1 << 63;

const AUTHENTICATION_METHOD: u64 = 1 << 0x15;
const AUTHENTICATION_DATA: u64 = 1 << 0x16;

/// The properties of one packet, as the bytes they are on the wire.
///
/// Values are always valid: they come from a decoded packet or from a [`PropertiesBuf`]. Whether
/// all of them belong in a packet is checked when it is decoded or encoded. Each getter walks the
/// list only if the property is there.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Properties<'a> {
    bytes: &'a [u8],
    /// One bit for each property that is present, by its identifier.
    seen: u64,
}

impl<'a> Properties<'a> {
    /// No properties.
    pub const EMPTY: Properties<'static> = Properties { bytes: &[], seen: 0 };

    /// The properties in the order they stand in.
    #[must_use]
    pub fn iter(&self) -> PropertyIter<'a> {
        PropertyIter { reader: Reader::new(self.bytes) }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The wire form without the property length in front.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Names and values of the user properties, in order.
    pub fn user_properties(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let list = if self.has(USER_PROPERTY) { *self } else { Self::EMPTY };
        list.iter().filter_map(|property| {
            let Property::UserProperty(name, value) = property else { return None };
            Some((name, value))
        })
    }

    /// Whether the property with this identifier is present.
    #[inline]
    pub(crate) fn has(&self, id: u8) -> bool {
        self.seen & (1 << id) != 0
    }

    /// Reads property length and properties.
    #[inline]
    pub(crate) fn read(reader: &mut Reader<'a>, place: Place) -> Result<Self, DecodeError> {
        let len = reader.variable("property length")?;
        if len == 0 {
            return Ok(Self::EMPTY);
        }
        let bytes = reader.take(len as usize, "properties")?;
        let seen = Self::walk(bytes, place)?;
        Ok(Self { bytes, seen })
    }

    /// Checks every property and returns the set of those present.
    fn walk(bytes: &[u8], place: Place) -> Result<u64, DecodeError> {
        let mut reader = Reader::new(bytes);
        let mut seen = 0;
        while !reader.is_empty() {
            let id = Property::read(&mut reader)?.id();
            seen = with(seen, id)
                .ok_or(DecodeError::protocol("properties", "hold the same property twice"))?;
        }
        let excess = seen & !allowed(place);
        if excess == REPEATED_SUBSCRIPTION_IDENTIFIER {
            return Err(DecodeError::protocol("properties", REPEATED_RULE));
        }
        if excess != 0 {
            return Err(DecodeError::malformed("properties", PLACE_RULE));
        }
        if lacks_method(seen) {
            return Err(DecodeError::protocol("properties", METHOD_RULE));
        }
        Ok(seen)
    }

    /// Whether these may be written in this place of this packet.
    #[inline]
    pub(crate) fn check(&self, place: Place, packet: &'static str) -> Result<(), EncodeError> {
        let excess = self.seen & !allowed(place);
        let rule = if excess == REPEATED_SUBSCRIPTION_IDENTIFIER {
            REPEATED_RULE
        } else if excess != 0 {
            PLACE_RULE
        } else if lacks_method(self.seen) {
            METHOD_RULE
        } else {
            return Ok(());
        };
        Err(EncodeError::Properties { packet, rule })
    }

    /// Writes property length and properties.
    #[inline]
    pub(crate) fn write(&self, out: &mut impl Sink) {
        // A list longer than the integer can say makes the packet too large, which is found by
        // counting before anything is written.
        out.variable(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        out.bytes(self.bytes);
    }
}

const PLACE_RULE: &str = "one of them does not belong in this packet";
const REPEATED_RULE: &str = "hold several subscription identifiers, which only PUBLISH may";
const METHOD_RULE: &str = "hold authentication data without an authentication method";

/// The set of what may be `seen` in this place.
const fn allowed(place: Place) -> u64 {
    match place {
        Place::Publish => Place::Publish.allowed() | REPEATED_SUBSCRIPTION_IDENTIFIER,
        Place::Connect
        | Place::Will
        | Place::ConnAck
        | Place::Ack
        | Place::Subscribe
        | Place::SubAck
        | Place::Unsubscribe
        | Place::UnsubAck
        | Place::Disconnect
        | Place::Auth => place.allowed(),
    }
}

/// Authentication data is meaningless without its method (standard section 3.1.2.11.10).
fn lacks_method(seen: u64) -> bool {
    seen & (AUTHENTICATION_METHOD | AUTHENTICATION_DATA) == AUTHENTICATION_DATA
}

/// `seen` and one more property, or `None` if it is there already and may not repeat.
#[inline]
fn with(seen: u64, id: u8) -> Option<u64> {
    let bit = 1 << id;
    if seen & bit == 0 || id == USER_PROPERTY {
        Some(seen | bit)
    } else if id == SUBSCRIPTION_IDENTIFIER {
        Some(seen | REPEATED_SUBSCRIPTION_IDENTIFIER)
    } else {
        None
    }
}

/// Shows authentication data only by its length: it may be a secret.
impl fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for property in self {
            if let Property::AuthenticationData(data) = property {
                list.entry(&format_args!("AuthenticationData({} bytes)", data.len()));
            } else {
                list.entry(&property);
            }
        }
        list.finish()
    }
}

impl<'a> IntoIterator for &Properties<'a> {
    type Item = Property<'a>;
    type IntoIter = PropertyIter<'a>;

    fn into_iter(self) -> PropertyIter<'a> {
        self.iter()
    }
}

/// Iterates over [`Properties`].
#[derive(Debug, Clone)]
pub struct PropertyIter<'a> {
    reader: Reader<'a>,
}

impl<'a> Iterator for PropertyIter<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        if self.reader.is_empty() {
            return None;
        }
        // The bytes were checked when the list was made, so reading them again does not fail.
        Property::read(&mut self.reader).ok()
    }
}

/// Properties to be sent, in wire form.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PropertiesBuf {
    bytes: Vec<u8>,
    seen: u64,
}

impl PropertiesBuf {
    /// An empty list; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), seen: 0 }
    }

    /// An empty list with room for `bytes` bytes of properties.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), seen: 0 }
    }

    /// The properties of a PUBLISH from their wire form without the length in front, as
    /// [`Properties::as_bytes`] gives it.
    ///
    /// # Errors
    /// When the bytes are not the properties of a PUBLISH.
    pub fn from_publish_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let seen = Properties::walk(bytes, Place::Publish)?;
        Ok(Self { bytes: bytes.to_vec(), seen })
    }

    /// Appends one property.
    ///
    /// # Errors
    /// When a string or binary value is longer than 65535 bytes, a string contains U+0000, the
    /// value is one that the standard forbids (a response topic with a wildcard, an alias of 0
    /// ...), or the property is there already and may not repeat. The list stays as it was.
    pub fn push(&mut self, property: Property<'_>) -> Result<(), EncodeError> {
        property.check()?;
        self.seen = with(self.seen, property.id())
            .ok_or(EncodeError::invalid("properties", "hold the same property twice"))?;
        property.write(&mut self.bytes);
        Ok(())
    }

    /// The list, to be put into a packet.
    #[must_use]
    pub fn as_properties(&self) -> Properties<'_> {
        Properties { bytes: &self.bytes, seen: self.seen }
    }

    /// Whether nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl From<Properties<'_>> for PropertiesBuf {
    fn from(properties: Properties<'_>) -> Self {
        Self { bytes: properties.bytes.to_vec(), seen: properties.seen }
    }
}

impl fmt::Debug for PropertiesBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_properties().fmt(f)
    }
}
