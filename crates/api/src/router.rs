//! Which operation a request names. Works on the raw path, before percent-decoding (spec 1.1).

/// An operation of the service model, with its path label still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    /// `POST /connections/{clientId}/messages`
    SendDirectMessage {
        /// The client ID, percent-encoded.
        client_id: &'a str,
    },
    /// `POST /direct-messages`, which is ours
    SendDirectMessages,
    /// `POST /topics/{topic}`
    Publish {
        /// The topic, percent-encoded; its slashes may stand as they are (spec 2.4).
        topic: &'a str,
    },
    /// `GET /retainedMessage/{topic}`
    GetRetainedMessage {
        /// The topic, as above.
        topic: &'a str,
    },
    /// `GET /retainedMessage`
    ListRetainedMessages,
    /// `GET /receipts/{traceId}`
    GetReceipt {
        /// The trace ID.
        trace_id: &'a str,
    },
    /// `GET /receipts`
    WatchReceipts,
    /// `GET /things/{thingName}/shadow`
    GetThingShadow {
        /// The name of the thing, percent-encoded.
        thing: &'a str,
    },
    /// `POST /things/{thingName}/shadow`
    UpdateThingShadow {
        /// As above.
        thing: &'a str,
    },
    /// `DELETE /things/{thingName}/shadow`
    DeleteThingShadow {
        /// As above.
        thing: &'a str,
    },
    /// `GET /api/things/shadow/ListNamedShadowsForThing/{thingName}`
    ListNamedShadowsForThing {
        /// As above.
        thing: &'a str,
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
    if let Some(thing) = shadow_of(path) {
        return match method {
            "GET" => Ok(Operation::GetThingShadow { thing }),
            "POST" => Ok(Operation::UpdateThingShadow { thing }),
            "DELETE" => Ok(Operation::DeleteThingShadow { thing }),
            _ => Err(Misrouted::WrongMethod { allow: "DELETE, GET, POST" }),
        };
    }
    let (operation, allow) = find(path).ok_or(Misrouted::UnknownPath)?;
    if method != allow {
        return Err(Misrouted::WrongMethod { allow });
    }
    Ok(operation)
}

/// Whether the path is that of a direct message, to one or to many, whatever the method.
pub(crate) fn is_direct_message(path: &str) -> bool {
    find(path).is_some_and(|(operation, _)| {
        matches!(operation, Operation::SendDirectMessage { .. } | Operation::SendDirectMessages)
    })
}

/// The thing whose shadow has this path.
fn shadow_of(path: &str) -> Option<&str> {
    path.strip_prefix("/things/")?.strip_suffix("/shadow")
}

/// The operation of a path that takes one method, and its method.
fn find(path: &str) -> Option<(Operation<'_>, &'static str)> {
    if let Some(rest) = path.strip_prefix("/connections/") {
        let client_id = rest.strip_suffix("/messages")?;
        return Some((Operation::SendDirectMessage { client_id }, "POST"));
    }
    if path == "/direct-messages" {
        return Some((Operation::SendDirectMessages, "POST"));
    }
    if let Some(topic) = path.strip_prefix("/topics/") {
        return Some((Operation::Publish { topic }, "POST"));
    }
    if let Some(trace_id) = path.strip_prefix("/receipts/") {
        return Some((Operation::GetReceipt { trace_id }, "GET"));
    }
    if path == "/receipts" {
        return Some((Operation::WatchReceipts, "GET"));
    }
    if let Some(thing) = path.strip_prefix("/api/things/shadow/ListNamedShadowsForThing/") {
        return Some((Operation::ListNamedShadowsForThing { thing }, "GET"));
    }
    let rest = path.strip_prefix("/retainedMessage")?;
    if rest.is_empty() {
        return Some((Operation::ListRetainedMessages, "GET"));
    }
    let topic = rest.strip_prefix('/')?;
    Some((Operation::GetRetainedMessage { topic }, "GET"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_id_is_what_stands_between_and_stays_encoded() {
        for client_id in ["a%2Fb", "a/b", ""] {
            let path = format!("/connections/{client_id}/messages");
            assert_eq!(route("POST", &path), Ok(Operation::SendDirectMessage { client_id }));
        }
        for path in ["/connections/messages", "/connections/a/message", "/", "/topics", "/topic/a"]
        {
            assert_eq!(route("POST", path), Err(Misrouted::UnknownPath), "{path}");
        }
    }

    #[test]
    fn the_topic_is_the_rest_of_the_path_and_stays_encoded() {
        for topic in ["a%2Fb", "a/b", "/a//b/", ""] {
            let path = format!("/topics/{topic}");
            assert_eq!(route("POST", &path), Ok(Operation::Publish { topic }));
            let path = format!("/retainedMessage/{topic}");
            assert_eq!(route("GET", &path), Ok(Operation::GetRetainedMessage { topic }));
        }
        assert_eq!(route("GET", "/retainedMessage"), Ok(Operation::ListRetainedMessages));
        assert_eq!(route("GET", "/retainedMessages"), Err(Misrouted::UnknownPath));
    }

    #[test]
    fn a_message_to_many_has_a_path_of_its_own() {
        assert_eq!(route("POST", "/direct-messages"), Ok(Operation::SendDirectMessages));
        assert!(is_direct_message("/direct-messages"));
        assert_eq!(route("POST", "/direct-messages/"), Err(Misrouted::UnknownPath));
    }

    #[test]
    fn a_receipt_has_a_path_and_all_of_them_have_another() {
        assert_eq!(route("GET", "/receipts/a"), Ok(Operation::GetReceipt { trace_id: "a" }));
        assert_eq!(route("GET", "/receipts"), Ok(Operation::WatchReceipts));
        assert_eq!(route("POST", "/receipts"), Err(Misrouted::WrongMethod { allow: "GET" }));
    }

    #[test]
    fn a_shadow_has_a_path_that_takes_three_methods() {
        let thing = "a%2Fb";
        let path = "/things/a%2Fb/shadow";
        assert_eq!(route("GET", path), Ok(Operation::GetThingShadow { thing }));
        assert_eq!(route("POST", path), Ok(Operation::UpdateThingShadow { thing }));
        assert_eq!(route("DELETE", path), Ok(Operation::DeleteThingShadow { thing }));
        let wrong = Misrouted::WrongMethod { allow: "DELETE, GET, POST" };
        assert_eq!(route("PUT", path), Err(wrong));
        let path = "/api/things/shadow/ListNamedShadowsForThing/a%2Fb";
        assert_eq!(route("GET", path), Ok(Operation::ListNamedShadowsForThing { thing }));
        for path in ["/things/a", "/things/a/shadows", "/things", "/things/shadow"] {
            assert_eq!(route("GET", path), Err(Misrouted::UnknownPath), "{path}");
        }
    }

    #[test]
    fn another_method_is_told_what_is_allowed() {
        let wrong = Err(Misrouted::WrongMethod { allow: "POST" });
        assert_eq!(route("GET", "/connections/a/messages"), wrong);
        assert_eq!(route("PUT", "/topics/a"), wrong);
        let wrong = Err(Misrouted::WrongMethod { allow: "GET" });
        assert_eq!(route("POST", "/retainedMessage/a"), wrong);
        assert_eq!(route("POST", "/retainedMessage"), wrong);
    }
}
