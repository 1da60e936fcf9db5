//! Which statement decided, in JSON, for who may know it.

use broker::Node;
use engine::directory::Status;
use engine::question::{Explained, Question};
use policy::{Decision, StatementRef};
use serde_json::{Map, Value, json};

/// Why the answer to `question` is what it is, if whoever puts `asked` may be told.
pub(crate) fn of(node: &Node, asked: &Question<'_>, question: &Question<'_>) -> Option<Value> {
    let (access, now) = (node.access(), node.now());
    access.may_explain(asked, now).then(|| access.explain(question, now, document))
}

/// The same of a question that was answered with no; none if the answer has become yes meanwhile.
pub(crate) fn of_denial(
    node: &Node,
    asked: &Question<'_>,
    question: &Question<'_>,
) -> Option<Value> {
    let (access, now) = (node.access(), node.now());
    if !access.may_explain(asked, now) {
        return None;
    }
    access
        .explain(question, now, |explained| (!explained.is_allowed()).then(|| document(explained)))
}

fn document(explained: &Explained<'_>) -> Value {
    let Explained { principal, status, explanation } = explained;
    let decision = match status {
        Status::Active => explanation.decision.word(),
        Status::Inactive | Status::Revoked | Status::Expired => "principalNotActive",
    };
    let deciding = match &explanation.decision {
        Decision::Allowed(statement) | Decision::ExplicitDeny(statement) => Some(statement),
        Decision::ImplicitDeny => None,
    };
    let mut document = json!({
        "decision": decision,
        "principalId": &*principal.id,
        "action": explanation.action.name(),
        "resource": explanation.resource,
        "context": context(&explanation.context),
        "statement": deciding.map(place),
        "details": explanation.to_string(),
    });
    if let Some(nearest) = &explanation.nearest {
        let failures: Vec<_> = nearest.failures.iter().map(ToString::to_string).collect();
        document["nearest"] = place(&nearest.statement);
        document["nearest"]["failures"] = failures.into();
    }
    document
}

fn place(statement: &StatementRef<'_>) -> Value {
    let StatementRef { policy, index, sid, line } = statement;
    json!({ "policy": policy, "index": index, "sid": sid, "line": line })
}

/// Each key with its value, or with an array of its values.
fn context(told: &[(String, Vec<String>)]) -> Map<String, Value> {
    let value = |values: &[String]| match values {
        [only] => only.as_str().into(),
        several => several.into(),
    };
    told.iter().map(|(key, values)| (key.clone(), value(values))).collect()
}
