//! Why an operation is not done.

use std::sync::Arc;

use policy::ParseErrors;

use crate::key::Key;

/// Why an operation is not done: the errors of the service model that depend on what is registered
/// and on what is asked (spec 11). The text is for people.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    /// There is no such record (ResourceNotFoundException).
    #[error("There is no {0}.")]
    NotFound(Key),
    /// There is no such provisioning template: none are offered (ResourceNotFoundException).
    #[error("There is no provisioning template {0}; none are offered here.")]
    NoTemplate(String),
    /// Nothing was ever set of the log (NotConfiguredException).
    #[error("Nothing is set of the log; call SetV2LoggingOptions first.")]
    NotConfigured,
    /// There is such a record (ResourceAlreadyExistsException).
    #[error("The {key} exists already{}.", from(file.as_deref()))]
    Exists {
        /// Which.
        key: Key,
        /// The file it comes from, if it comes from one.
        file: Option<Arc<str>>,
    },
    /// The record comes from a file, which the API does not write (InvalidRequestException).
    #[error("The {key} comes from the file {file}; edit that file instead.")]
    OfFile {
        /// Which.
        key: Key,
        /// The file.
        file: Arc<str>,
    },
    /// What is asked for makes no sense (InvalidRequestException).
    #[error("{0}")]
    Invalid(String),
    /// The policy document cannot be used (MalformedPolicyException).
    #[error("{}", malformed(.0))]
    MalformedPolicy(ParseErrors),
    /// The policy document is too long (MalformedPolicyException).
    #[error("The policy document has {found} characters without white space; it may have {most}.")]
    LongPolicy {
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// The policy has as many versions as it may (VersionsLimitExceededException).
    #[error("The policy has {0} versions, which is as many as it may have; delete one first.")]
    TooManyVersions(usize),
    /// Something depends on it (DeleteConflictException).
    #[error("{0}")]
    DeleteConflict(String),
    /// The certificate's status does not allow it (CertificateStateException).
    #[error("{0}")]
    CertificateState(String),
    /// The certificate does not hold (CertificateValidationException).
    #[error("{0}")]
    CertificateValidation(String),
    /// More than one authority could have signed it (CertificateConflictException).
    #[error("{0}")]
    CertificateConflict(String),
    /// The verification certificate does not name the code (RegistrationCodeValidationException).
    #[error("{0}")]
    RegistrationCode(String),
    /// There is as much as there may be (LimitExceededException).
    #[error("{0}")]
    Limit(String),
    /// Somebody else changed the record meanwhile (VersionConflictException).
    #[error("The {key} has the version {found}, not {expected}; read it again and repeat.")]
    VersionConflict {
        /// Which.
        key: Key,
        /// The version the caller expects.
        expected: u64,
        /// The version it has.
        found: u64,
    },
}

fn from(file: Option<&str>) -> String {
    file.map(|file| format!(" and comes from the file {file}")).unwrap_or_default()
}

/// The mistakes of a document in one line, each with its place.
fn malformed(errors: &ParseErrors) -> String {
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    format!("The policy document is malformed: {}.", all.join("; "))
}
