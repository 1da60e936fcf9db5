//! AWS policy documents: parse, compile, evaluate and explain.
//!
//! The only crate that knows the policy language, IoT Core policies (for certificates) and IAM
//! policies (for access keys) alike. It decides without I/O and without a clock:
//!
//! 1. [`Document::parse`] compiles a document, or lists everything that is wrong with it.
//! 2. A [`PolicySet`] holds the documents attached to one principal.
//! 3. [`PolicySet::evaluate`] decides a [`Request`]; nothing is allocated, and each wildcard
//!    match is done in one pass.
//! 4. [`PolicySet::explain`] says why, and what came nearest to allowing.
//!
//! ```
//! use std::sync::Arc;
//! use policy::{Action, Context, Document, PolicySet, Request, Resource, Scope};
//!
//! let document = Document::parse(r#"{
//!     "Version": "2012-10-17",
//!     "Statement": {
//!         "Effect": "Allow",
//!         "Action": "iot:Publish",
//!         "Resource": "arn:aws:iot:us-west-2:123456789012:topic/devices/${iot:ClientId}/*"
//!     }
//! }"#)?;
//! let policies = PolicySet::new(vec![("devices".to_owned(), Arc::new(document))]);
//! let scope = Scope::new("us-west-2", "123456789012");
//! let context = Context { client_id: Some("lamp-1"), ..Context::default() };
//! let publish = |topic| Request {
//!     action: Action::Publish,
//!     resource: Resource::Topic(topic),
//!     scope: &scope,
//!     context: &context,
//! };
//! assert!(policies.evaluate(&publish("devices/lamp-1/state")).is_allowed());
//! assert!(!policies.evaluate(&publish("devices/lamp-2/state")).is_allowed());
//! # Ok::<(), policy::ParseErrors>(())
//! ```

mod action;
mod arn;
mod condition;
mod context;
mod date;
mod document;
mod element;
mod error;
mod explanation;
mod facts;
mod grammar;
mod json;
mod key;
mod missing;
mod pattern;
mod policy_set;
mod resource;
mod screen;
mod statement;

pub use action::{Action, UnknownAction};
pub use context::{Attributes, Context, Thing};
pub use document::Document;
pub use error::{ParseError, ParseErrors};
pub use explanation::{Explanation, Failure, NearMiss};
pub use policy_set::{Decision, PolicySet, Request, StatementRef};
pub use resource::{Resource, Scope, Target};
pub use statement::{Effect, Statement};
