//! The headers of a request, in whichever form the server has them.

use http::HeaderMap;

/// The headers of a request.
pub trait Headers {
    /// The values of the headers of that name, which is in lower case, in the order in which they
    /// came. None of them holds a control character other than the tab.
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;

    /// The names of all headers, in any case; one may be named several times.
    fn names(&self) -> impl Iterator<Item = &str>;
}

impl Headers for HeaderMap {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).iter().map(http::HeaderValue::as_bytes)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.keys().map(http::HeaderName::as_str)
    }
}

/// One header as it came, its value without the white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name, in any case.
    pub name: &'a str,
    /// Its value.
    pub value: &'a [u8],
}

/// Headers that nobody has sorted: there are few, so looking at each is quicker than a table.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a [Field<'a>]);

impl<'a> Fields<'a> {
    /// The headers in the order in which they came, from a parser that lets no control character
    /// but the tab into a value (RFC 9110, section 5.5).
    pub fn new(fields: &'a [Field<'a>]) -> Self {
        let allowed = |byte: &u8| *byte >= b' ' && *byte != 0x7F || *byte == b'\t';
        debug_assert!(fields.iter().all(|field| field.value.iter().all(allowed)));
        Fields(fields)
    }
}

impl Headers for Fields<'_> {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = |field: &&Field<'_>| field.name.eq_ignore_ascii_case(name);
        self.0.iter().filter(named).map(|field| field.value)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|field| field.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_case_and_with_all_its_values() {
        let fields = [
            Field { name: "X-Amz-Date", value: b"1" },
            Field { name: "other", value: b"2" },
            Field { name: "x-amz-DATE", value: b"3" },
        ];
        let fields = Fields::new(&fields);
        let values: Vec<_> = fields.all("x-amz-date").collect();
        assert_eq!(values, [b"1", b"3"]);
        assert_eq!(fields.names().count(), 3);
    }
}
