//! Requests that their operations do not get to see.

use identity::sigv4::RequestParts;

use crate::authenticate::Rejected;
use crate::control;
use crate::fault::Fault;
use crate::head::Head;
use crate::logs::LogsError;
use crate::router::Misrouted;
use crate::service_name::ServiceName;

/// What a request failed with before its operation saw it, in the shape of its service.
pub(crate) enum Unadmitted {
    Data(Box<Fault>),
    Control(Box<control::Fault>),
    Logs(Box<LogsError>),
}

impl From<Fault> for Unadmitted {
    fn from(fault: Fault) -> Self {
        Unadmitted::Data(Box::new(fault))
    }
}

impl From<control::Fault> for Unadmitted {
    fn from(fault: control::Fault) -> Self {
        Unadmitted::Control(Box::new(fault))
    }
}

impl From<LogsError> for Unadmitted {
    fn from(error: LogsError) -> Self {
        Unadmitted::Logs(Box::new(error))
    }
}

impl Unadmitted {
    /// What no operation takes is answered in the shape of the service that it is signed for.
    pub(crate) fn of_route(misrouted: Misrouted, head: &Head<'_>) -> Self {
        let Head { method, path, query, ref headers } = *head;
        match misrouted {
            Misrouted::WrongMethod { allow } => Fault::of_method(allow, method).into(),
            Misrouted::Control(misrouted) => {
                control::Fault::of_route(&misrouted, method, path).into()
            }
            Misrouted::UnknownPath => {
                match ServiceName::signed_for(&RequestParts { method, path, query, headers }) {
                    Some(ServiceName::Control) => {
                        control::Fault::of_route(&control::Misrouted::UnknownPath, method, path)
                            .into()
                    }
                    Some(ServiceName::Data | ServiceName::Logs) | None => {
                        Fault::of_unknown_path(path).into()
                    }
                }
            }
        }
    }

    /// Credentials that do not hold.
    pub(crate) fn of_credentials(service: ServiceName, rejected: &Rejected) -> Self {
        match service {
            ServiceName::Data => {
                Fault::of_credentials(rejected.reason(), rejected.sentence()).into()
            }
            ServiceName::Control => control::Fault::of_credentials(rejected).into(),
            ServiceName::Logs => LogsError::of_credentials(rejected).into(),
        }
    }
}
