//! Which operation a request names. Works on the raw path, before percent-decoding (spec 1.1).
//!
//! No path is one of two services, so the path alone says which service it is; but for that of the log,
//! whose operations have the path `/` and are named in a header.

use crate::control;
use crate::service_name::ServiceName;

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
    /// `GET /connections/{clientId}`
    GetConnection {
        /// The client ID, percent-encoded; its slashes may stand as they are, but for the one in
        /// `/subscriptions` and `/messages` at the end (spec 2.2).
        client_id: &'a str,
    },
    /// `DELETE /connections/{clientId}`
    DeleteConnection {
        /// The client ID, as above.
        client_id: &'a str,
    },
    /// `GET /connections/{clientId}/subscriptions`
    ListSubscriptions {
        /// The client ID, as above.
        client_id: &'a str,
    },
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
    /// One of the control plane's.
    Control(control::Operation<'a>),
    /// One that reads the log; the header `X-Amz-Target` says which.
    Logs,
}

impl Operation<'_> {
    /// The service that it belongs to.
    pub(crate) fn service(self) -> ServiceName {
        match self {
            Operation::SendDirectMessage { .. }
            | Operation::SendDirectMessages
            | Operation::Publish { .. }
            | Operation::GetRetainedMessage { .. }
            | Operation::ListRetainedMessages
            | Operation::GetReceipt { .. }
            | Operation::WatchReceipts
            | Operation::GetConnection { .. }
            | Operation::DeleteConnection { .. }
            | Operation::ListSubscriptions { .. }
            | Operation::GetThingShadow { .. }
            | Operation::UpdateThingShadow { .. }
            | Operation::DeleteThingShadow { .. }
            | Operation::ListNamedShadowsForThing { .. } => ServiceName::Data,
            Operation::Control(_) => ServiceName::Control,
            Operation::Logs => ServiceName::Logs,
        }
    }
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misrouted {
    /// No operation has this path.
    UnknownPath,
    /// The path is known; the methods it takes are these.
    WrongMethod {
        /// For the header `Allow`.
        allow: &'static str,
    },
    /// The same of an operation of the control plane.
    Control(control::Misrouted),
}

/// Finds the operation.
///
/// # Errors
/// [`Misrouted`].
pub(crate) fn route<'a>(method: &str, path: &'a str) -> Result<Operation<'a>, Misrouted> {
    let Some(Resource { allow, operations }) = find(path) else {
        return match control::route(method, path) {
            Ok(operation) => Ok(Operation::Control(operation)),
            Err(control::Misrouted::UnknownPath) => Err(Misrouted::UnknownPath),
            Err(misrouted) => Err(Misrouted::Control(misrouted)),
        };
    };
    let asked = operations.into_iter().flatten().find(|(own, _)| *own == method);
    asked.map(|(_, operation)| operation).ok_or(Misrouted::WrongMethod { allow })
}

/// Whether the path is that of a direct message, to one or to many, whatever the method.
pub(crate) fn is_direct_message(path: &str) -> bool {
    path == "/direct-messages"
        || path.strip_prefix("/connections/").is_some_and(|rest| rest.ends_with("/messages"))
}

/// What a path names.
struct Resource<'a> {
    /// Its methods, for the header `Allow`.
    allow: &'static str,
    /// Its operations by method.
    operations: [Option<(&'static str, Operation<'a>)>; 3],
}

impl<'a> Resource<'a> {
    /// One with a single operation.
    fn of(method: &'static str, operation: Operation<'a>) -> Option<Self> {
        Some(Resource { allow: method, operations: [Some((method, operation)), None, None] })
    }
}

/// What the path names, if it names anything.
fn find(path: &str) -> Option<Resource<'_>> {
    if let Some(rest) = path.strip_prefix("/connections/") {
        return find_connection(rest);
    }
    if path == "/direct-messages" {
        return Resource::of("POST", Operation::SendDirectMessages);
    }
    if let Some(topic) = path.strip_prefix("/topics/") {
        return Resource::of("POST", Operation::Publish { topic });
    }
    if let Some(trace_id) = path.strip_prefix("/receipts/") {
        return Resource::of("GET", Operation::GetReceipt { trace_id });
    }
    if path == "/receipts" {
        return Resource::of("GET", Operation::WatchReceipts);
    }
    if let Some(thing) = shadow_of(path) {
        let get = ("GET", Operation::GetThingShadow { thing });
        let update = ("POST", Operation::UpdateThingShadow { thing });
        let delete = ("DELETE", Operation::DeleteThingShadow { thing });
        let operations = [Some(get), Some(update), Some(delete)];
        return Some(Resource { allow: "DELETE, GET, POST", operations });
    }
    if let Some(thing) = path.strip_prefix("/api/things/shadow/ListNamedShadowsForThing/") {
        return Resource::of("GET", Operation::ListNamedShadowsForThing { thing });
    }
    let rest = path.strip_prefix("/retainedMessage")?;
    if rest.is_empty() {
        return Resource::of("GET", Operation::ListRetainedMessages);
    }
    let topic = rest.strip_prefix('/')?;
    Resource::of("GET", Operation::GetRetainedMessage { topic })
}

/// The thing whose shadow has this path.
fn shadow_of(path: &str) -> Option<&str> {
    path.strip_prefix("/things/")?.strip_suffix("/shadow")
}

/// What the rest of a path below `/connections/` names. A client whose ID ends like one of the
/// suffixes is named with that slash encoded (spec 2.2).
fn find_connection(rest: &str) -> Option<Resource<'_>> {
    if let Some(client_id) = rest.strip_suffix("/messages") {
        return Resource::of("POST", Operation::SendDirectMessage { client_id });
    }
    if let Some(client_id) = rest.strip_suffix("/subscriptions") {
        return Resource::of("GET", Operation::ListSubscriptions { client_id });
    }
    let client_id = rest;
    let get = ("GET", Operation::GetConnection { client_id });
    let delete = ("DELETE", Operation::DeleteConnection { client_id });
    Some(Resource { allow: "GET, DELETE", operations: [Some(get), Some(delete), None] })
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
        for path in ["/", "/connections", "/topics", "/topic/a"] {
            assert_eq!(route("POST", path), Err(Misrouted::UnknownPath), "{path}");
        }
    }

    #[test]
    fn a_connection_is_looked_at_and_deleted_under_its_client_id() {
        for client_id in
            ["a", "a%2Fsubscriptions", "a/b", "a/message", "subscriptions", "messages", ""]
        {
            let path = format!("/connections/{client_id}");
            assert_eq!(route("GET", &path), Ok(Operation::GetConnection { client_id }));
            assert_eq!(route("DELETE", &path), Ok(Operation::DeleteConnection { client_id }));
            let wrong = Err(Misrouted::WrongMethod { allow: "GET, DELETE" });
            assert_eq!(route("POST", &path), wrong);
            assert!(!is_direct_message(&path));
        }
    }

    #[test]
    fn subscriptions_are_below_the_client_id() {
        for client_id in ["a", "a/b", "a%2Fb", "a/subscriptions", ""] {
            let path = format!("/connections/{client_id}/subscriptions");
            assert_eq!(route("GET", &path), Ok(Operation::ListSubscriptions { client_id }));
            let wrong = Err(Misrouted::WrongMethod { allow: "GET" });
            assert_eq!(route("DELETE", &path), wrong);
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
        for path in ["/things/a/shadows", "/things/a/b/shadows", "/api/things/shadow/a"] {
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
