//! Which operation a request names. Works on the raw path, before percent-decoding (spec 1.1).

/// An operation of the service model, with its path label still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    /// `POST /connections/{clientId}/messages`
    SendDirectMessage {
        /// The client ID, percent-encoded.
        client_id: &'a str,
    },
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misrouted {
    /// No operation has this path.
    UnknownPath,
    /// The path is known; the methods it takes are these.
    WrongMethod {
        /// For the header `Allow`.
        allow: &'static str,
    },
}

/// Finds the operation.
///
/// # Errors
/// [`Misrouted`].
pub(crate) fn route<'a>(method: &str, path: &'a str) -> Result<Operation<'a>, Misrouted> {
    let client_id = path
        .strip_prefix("/connections/")
        .and_then(|rest| rest.strip_suffix("/messages"))
        .ok_or(Misrouted::UnknownPath)?;
    if method != "POST" {
        return Err(Misrouted::WrongMethod { allow: "POST" });
    }
    Ok(Operation::SendDirectMessage { client_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_id_is_what_stands_between_and_stays_encoded() {
        let client_id =
            |path| route("POST", path).map(|Operation::SendDirectMessage { client_id }| client_id);
        assert_eq!(client_id("/connections/a%2Fb/messages"), Ok("a%2Fb"));
        assert_eq!(client_id("/connections/a/b/messages"), Ok("a/b"));
        assert_eq!(client_id("/connections//messages"), Ok(""));
        assert_eq!(client_id("/connections/messages"), Err(Misrouted::UnknownPath));
        assert_eq!(client_id("/connections/a/message"), Err(Misrouted::UnknownPath));
        assert_eq!(client_id("/"), Err(Misrouted::UnknownPath));
    }

    #[test]
    fn another_method_is_told_what_is_allowed() {
        let wrong = Err(Misrouted::WrongMethod { allow: "POST" });
        assert_eq!(route("GET", "/connections/a/messages"), wrong);
    }
}
