//! A request to the control plane whose sender is known.

use std::borrow::Cow;
use std::sync::Arc;

use engine::question::Question;
use policy::{Action, Resource};
use registry::{Change, Registry};
use serde_json::Value;

use super::ledger::Ledger;
use super::refused::Refused;
use super::registrar::Registrar;
use super::{Done, Outcome};
use crate::explanation::of_denial;
use crate::head::Head;
use crate::percent;
use crate::query::Query;

/// What an operation works with.
pub(super) struct Request<'a> {
    pub(super) head: &'a Head<'a>,
    pub(super) payload: &'a [u8],
    pub(super) registrar: &'a Arc<Registrar>,
    pub(super) ledger: Ledger,
}

impl<'a> Request<'a> {
    /// The query parameters.
    pub(super) fn query(&self) -> Query<'a> {
        Query::split(self.head.query)
    }

    /// A label of the path, percent-decoded.
    pub(super) fn label<'l>(&self, name: &str, label: &'l str) -> Result<Cow<'l, str>, Refused> {
        percent::decode(label)
            .map_err(|what| Refused::Input(format!("The {name} in the path {what}.")))
    }

    /// Asks the caller's policies, and takes down what it is about.
    pub(super) fn authorize(
        &mut self,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), Refused> {
        let node = Arc::clone(self.ledger.node());
        let arn = node.access().scope().arn(resource);
        self.ledger.note(arn.clone());
        let question = Question::control(self.ledger.sender(), action, resource);
        node.access().control(&question, node.now()).map_err(|_| {
            let explanation = of_denial(&node, &question, &question);
            Refused::Unauthorized(format!("{action} on {arn}"), explanation)
        })
    }

    /// Looks at what is registered.
    pub(super) fn look(
        &self,
        look: impl FnOnce(&Registry) -> Result<Value, registry::Refused>,
    ) -> Outcome {
        Ok(Done::Told(self.registrar.look(look)?))
    }

    /// Changes what is registered; see [`Registrar::change`].
    pub(super) fn change(
        &self,
        decide: impl FnOnce(&Registry, i64) -> Result<(Change, Value), registry::Refused>,
    ) -> Outcome {
        Ok(Done::Changed(self.registrar.change(decide)?))
    }
}
