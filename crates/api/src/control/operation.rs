//! Which operation of the control plane a request names.

use smallvec::{SmallVec, smallvec};

/// An operation of the service model, with its path labels still percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    /// `POST /keys-and-certificate`
    CreateKeysAndCertificate,
    /// `POST /certificates`
    CreateCertificateFromCsr,
    /// `POST /certificate/register`
    RegisterCertificate,
    /// `POST /certificate/register-no-ca`
    RegisterCertificateWithoutCA,
    /// `PUT /certificates/{certificateId}`
    UpdateCertificate { id: &'a str },
    /// `GET /certificates/{certificateId}`
    DescribeCertificate { id: &'a str },
    /// `GET /certificates`
    ListCertificates,
    /// `GET /certificates-by-ca/{caCertificateId}`
    ListCertificatesByCA { id: &'a str },
    /// `DELETE /certificates/{certificateId}`
    DeleteCertificate { id: &'a str },
    /// `POST /cacertificate`
    RegisterCACertificate,
    /// `GET /cacertificate/{caCertificateId}`
    DescribeCACertificate { id: &'a str },
    /// `GET /cacertificates`
    ListCACertificates,
    /// `PUT /cacertificate/{caCertificateId}`
    UpdateCACertificate { id: &'a str },
    /// `DELETE /cacertificate/{caCertificateId}`
    DeleteCACertificate { id: &'a str },
    /// `GET /registrationcode`
    GetRegistrationCode,
    /// `DELETE /registrationcode`
    DeleteRegistrationCode,
    /// `POST /policies/{policyName}`
    CreatePolicy { name: &'a str },
    /// `POST /policies/{policyName}/version`
    CreatePolicyVersion { name: &'a str },
    /// `GET /policies/{policyName}`
    GetPolicy { name: &'a str },
    /// `GET /policies/{policyName}/version/{policyVersionId}`
    GetPolicyVersion { name: &'a str, version: &'a str },
    /// `PATCH /policies/{policyName}/version/{policyVersionId}`
    SetDefaultPolicyVersion { name: &'a str, version: &'a str },
    /// `GET /policies`
    ListPolicies,
    /// `GET /policies/{policyName}/version`
    ListPolicyVersions { name: &'a str },
    /// `DELETE /policies/{policyName}`
    DeletePolicy { name: &'a str },
    /// `DELETE /policies/{policyName}/version/{policyVersionId}`
    DeletePolicyVersion { name: &'a str, version: &'a str },
    /// `PUT /target-policies/{policyName}`
    AttachPolicy { name: &'a str },
    /// `POST /target-policies/{policyName}`
    DetachPolicy { name: &'a str },
    /// `POST /attached-policies/{target}`
    ListAttachedPolicies { target: &'a str },
    /// `POST /policy-targets/{policyName}`
    ListTargetsForPolicy { name: &'a str },
    /// `POST /things/{thingName}`
    CreateThing { name: &'a str },
    /// `GET /things/{thingName}`
    DescribeThing { name: &'a str },
    /// `PATCH /things/{thingName}`
    UpdateThing { name: &'a str },
    /// `DELETE /things/{thingName}`
    DeleteThing { name: &'a str },
    /// `GET /things`
    ListThings,
    /// `PUT /things/{thingName}/principals`
    AttachThingPrincipal { name: &'a str },
    /// `DELETE /things/{thingName}/principals`
    DetachThingPrincipal { name: &'a str },
    /// `GET /things/{thingName}/principals`
    ListThingPrincipals { name: &'a str },
    /// `GET /things/{thingName}/principals-v2`
    ListThingPrincipalsV2 { name: &'a str },
    /// `GET /principals/things`
    ListPrincipalThings,
    /// `GET /principals/things-v2`
    ListPrincipalThingsV2,
    /// `GET /endpoint`
    DescribeEndpoint,
    /// `POST /test-authorization`
    TestAuthorization,
    /// `POST /v2LoggingOptions`
    SetV2LoggingOptions,
    /// `GET /v2LoggingOptions`
    GetV2LoggingOptions,
    /// `POST /v2LoggingLevel`
    SetV2LoggingLevel,
    /// `GET /v2LoggingLevel`
    ListV2LoggingLevels,
    /// `DELETE /v2LoggingLevel`
    DeleteV2LoggingLevel,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misrouted {
    /// No operation has this path.
    UnknownPath,
    /// The path is known; the methods it takes are these.
    WrongMethod {
        /// For the header `Allow`.
        allow: String,
    },
}

/// The operations of a path, by their methods.
type Methods<'a> = SmallVec<[(&'static str, Operation<'a>); 4]>;

impl Operation<'_> {
    /// Its name in the service model, for the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::CreateKeysAndCertificate => "CreateKeysAndCertificate",
            Operation::CreateCertificateFromCsr => "CreateCertificateFromCsr",
            Operation::RegisterCertificate => "RegisterCertificate",
            Operation::RegisterCertificateWithoutCA => "RegisterCertificateWithoutCA",
            Operation::UpdateCertificate { .. } => "UpdateCertificate",
            Operation::DescribeCertificate { .. } => "DescribeCertificate",
            Operation::ListCertificates => "ListCertificates",
            Operation::ListCertificatesByCA { .. } => "ListCertificatesByCA",
            Operation::DeleteCertificate { .. } => "DeleteCertificate",
            Operation::RegisterCACertificate => "RegisterCACertificate",
            Operation::DescribeCACertificate { .. } => "DescribeCACertificate",
            Operation::ListCACertificates => "ListCACertificates",
            Operation::UpdateCACertificate { .. } => "UpdateCACertificate",
            Operation::DeleteCACertificate { .. } => "DeleteCACertificate",
            Operation::GetRegistrationCode => "GetRegistrationCode",
            Operation::DeleteRegistrationCode => "DeleteRegistrationCode",
            Operation::CreatePolicy { .. } => "CreatePolicy",
            Operation::CreatePolicyVersion { .. } => "CreatePolicyVersion",
            Operation::GetPolicy { .. } => "GetPolicy",
            Operation::GetPolicyVersion { .. } => "GetPolicyVersion",
            Operation::SetDefaultPolicyVersion { .. } => "SetDefaultPolicyVersion",
            Operation::ListPolicies => "ListPolicies",
            Operation::ListPolicyVersions { .. } => "ListPolicyVersions",
            Operation::DeletePolicy { .. } => "DeletePolicy",
            Operation::DeletePolicyVersion { .. } => "DeletePolicyVersion",
            Operation::AttachPolicy { .. } => "AttachPolicy",
            Operation::DetachPolicy { .. } => "DetachPolicy",
            Operation::ListAttachedPolicies { .. } => "ListAttachedPolicies",
            Operation::ListTargetsForPolicy { .. } => "ListTargetsForPolicy",
            Operation::CreateThing { .. } => "CreateThing",
            Operation::DescribeThing { .. } => "DescribeThing",
            Operation::UpdateThing { .. } => "UpdateThing",
            Operation::DeleteThing { .. } => "DeleteThing",
            Operation::ListThings => "ListThings",
            Operation::AttachThingPrincipal { .. } => "AttachThingPrincipal",
            Operation::DetachThingPrincipal { .. } => "DetachThingPrincipal",
            Operation::ListThingPrincipals { .. } => "ListThingPrincipals",
            Operation::ListThingPrincipalsV2 { .. } => "ListThingPrincipalsV2",
            Operation::ListPrincipalThings => "ListPrincipalThings",
            Operation::ListPrincipalThingsV2 => "ListPrincipalThingsV2",
            Operation::DescribeEndpoint => "DescribeEndpoint",
            Operation::TestAuthorization => "TestAuthorization",
            Operation::SetV2LoggingOptions => "SetV2LoggingOptions",
            Operation::GetV2LoggingOptions => "GetV2LoggingOptions",
            Operation::SetV2LoggingLevel => "SetV2LoggingLevel",
            Operation::ListV2LoggingLevels => "ListV2LoggingLevels",
            Operation::DeleteV2LoggingLevel => "DeleteV2LoggingLevel",
        }
    }
}

/// Finds the operation.
///
/// # Errors
/// [`Misrouted`].
pub(crate) fn route<'a>(method: &str, path: &'a str) -> Result<Operation<'a>, Misrouted> {
    let methods = methods(path).ok_or(Misrouted::UnknownPath)?;
    match methods.iter().find(|(known, _)| *known == method) {
        Some((_, operation)) => Ok(*operation),
        None => {
            let known: Vec<_> = methods.iter().map(|(known, _)| *known).collect();
            Err(Misrouted::WrongMethod { allow: known.join(", ") })
        }
    }
}

fn methods(path: &str) -> Option<Methods<'_>> {
    // An ARN, whose slash may stand as it is.
    if let Some(target) = path.strip_prefix("/attached-policies/") {
        return Some(smallvec![("POST", Operation::ListAttachedPolicies { target })]);
    }
    let segments: SmallVec<[&str; 6]> = path.strip_prefix('/')?.split('/').collect();
    certificates(&segments)
        .or_else(|| authorities(&segments))
        .or_else(|| policies(&segments))
        .or_else(|| things(&segments))
}

fn certificates<'a>(segments: &[&'a str]) -> Option<Methods<'a>> {
    Some(match *segments {
        ["keys-and-certificate"] => smallvec![("POST", Operation::CreateKeysAndCertificate)],
        ["certificates"] => smallvec![
            ("GET", Operation::ListCertificates),
            ("POST", Operation::CreateCertificateFromCsr),
        ],
        ["certificates", id] => smallvec![
            ("GET", Operation::DescribeCertificate { id }),
            ("PUT", Operation::UpdateCertificate { id }),
            ("DELETE", Operation::DeleteCertificate { id }),
        ],
        ["certificate", "register"] => smallvec![("POST", Operation::RegisterCertificate)],
        ["certificate", "register-no-ca"] => {
            smallvec![("POST", Operation::RegisterCertificateWithoutCA)]
        }
        ["certificates-by-ca", id] => smallvec![("GET", Operation::ListCertificatesByCA { id })],
        _ => return None,
    })
}

fn authorities<'a>(segments: &[&'a str]) -> Option<Methods<'a>> {
    Some(match *segments {
        ["cacertificate"] => smallvec![("POST", Operation::RegisterCACertificate)],
        ["cacertificate", id] => smallvec![
            ("GET", Operation::DescribeCACertificate { id }),
            ("PUT", Operation::UpdateCACertificate { id }),
            ("DELETE", Operation::DeleteCACertificate { id }),
        ],
        ["cacertificates"] => smallvec![("GET", Operation::ListCACertificates)],
        ["registrationcode"] => smallvec![
            ("GET", Operation::GetRegistrationCode),
            ("DELETE", Operation::DeleteRegistrationCode),
        ],
        _ => return None,
    })
}

fn policies<'a>(segments: &[&'a str]) -> Option<Methods<'a>> {
    Some(match *segments {
        ["policies"] => smallvec![("GET", Operation::ListPolicies)],
        ["policies", name] => smallvec![
            ("GET", Operation::GetPolicy { name }),
            ("POST", Operation::CreatePolicy { name }),
            ("DELETE", Operation::DeletePolicy { name }),
        ],
        ["policies", name, "version"] => smallvec![
            ("GET", Operation::ListPolicyVersions { name }),
            ("POST", Operation::CreatePolicyVersion { name }),
        ],
        ["policies", name, "version", version] => smallvec![
            ("GET", Operation::GetPolicyVersion { name, version }),
            ("PATCH", Operation::SetDefaultPolicyVersion { name, version }),
            ("DELETE", Operation::DeletePolicyVersion { name, version }),
        ],
        ["target-policies", name] => smallvec![
            ("PUT", Operation::AttachPolicy { name }),
            ("POST", Operation::DetachPolicy { name }),
        ],
        ["policy-targets", name] => {
            smallvec![("POST", Operation::ListTargetsForPolicy { name })]
        }
        _ => return None,
    })
}

fn things<'a>(segments: &[&'a str]) -> Option<Methods<'a>> {
    Some(match *segments {
        ["things"] => smallvec![("GET", Operation::ListThings)],
        ["things", name] => smallvec![
            ("GET", Operation::DescribeThing { name }),
            ("POST", Operation::CreateThing { name }),
            ("PATCH", Operation::UpdateThing { name }),
            ("DELETE", Operation::DeleteThing { name }),
        ],
        ["things", name, "principals"] => smallvec![
            ("GET", Operation::ListThingPrincipals { name }),
            ("PUT", Operation::AttachThingPrincipal { name }),
            ("DELETE", Operation::DetachThingPrincipal { name }),
        ],
        ["things", name, "principals-v2"] => {
            smallvec![("GET", Operation::ListThingPrincipalsV2 { name })]
        }
        ["principals", "things"] => smallvec![("GET", Operation::ListPrincipalThings)],
        ["principals", "things-v2"] => smallvec![("GET", Operation::ListPrincipalThingsV2)],
        ["endpoint"] => smallvec![("GET", Operation::DescribeEndpoint)],
        ["test-authorization"] => smallvec![("POST", Operation::TestAuthorization)],
        ["v2LoggingOptions"] => smallvec![
            ("GET", Operation::GetV2LoggingOptions),
            ("POST", Operation::SetV2LoggingOptions),
        ],
        ["v2LoggingLevel"] => smallvec![
            ("DELETE", Operation::DeleteV2LoggingLevel),
            ("GET", Operation::ListV2LoggingLevels),
            ("POST", Operation::SetV2LoggingLevel),
        ],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_a_method_make_an_operation() {
        assert_eq!(route("GET", "/policies"), Ok(Operation::ListPolicies));
        assert_eq!(route("POST", "/policies/a%2C"), Ok(Operation::CreatePolicy { name: "a%2C" }));
        let version = Operation::SetDefaultPolicyVersion { name: "a", version: "2" };
        assert_eq!(route("PATCH", "/policies/a/version/2"), Ok(version));
        for target in ["arn%3Aaws%2Fx", "arn:aws:iot:r:1:cert/0a"] {
            let path = format!("/attached-policies/{target}");
            assert_eq!(route("POST", &path), Ok(Operation::ListAttachedPolicies { target }));
        }
    }

    #[test]
    fn what_is_none_says_so_or_names_the_methods() {
        for path in ["", "/", "/policy", "/policies/a/versions", "/policies/a/version/1/x"] {
            assert_eq!(route("GET", path), Err(Misrouted::UnknownPath), "{path}");
        }
        let allow = "GET, POST, DELETE".to_owned();
        assert_eq!(route("PUT", "/policies/a"), Err(Misrouted::WrongMethod { allow }));
    }
}
