//! A node to measure.

use std::sync::Arc;

use broker::{Node, NodeSettings, Storage};
use engine::directory::Directory;
use engine::limits::{Bounds, Quotas};
use engine::profile::AWS;
use engine::session::Rules;
use policy::Scope;
use telemetry::{Level, LogSettings, LogTarget, Telemetry};

/// A node without rates, with any number of connections, and with what was kept.
pub fn start(kept: Option<Storage>) -> Arc<Node> {
    let bounds = Bounds::default();
    let quotas = Quotas { connections: usize::MAX, ..Quotas::default().without_rates() };
    let log = LogSettings {
        target: LogTarget::Discard,
        level: Level::Info,
        buffer_bytes: 1 << 20,
        ring: None,
        account: "123456789012".to_owned(),
    };
    Node::start(NodeSettings {
        scope: Scope::new("us-west-2", "123456789012"),
        rules: Rules::new(&AWS, quotas, &bounds),
        bounds,
        directory: Arc::new(arc_swap::ArcSwap::from_pointee(Directory::default())),
        telemetry: Arc::new(Telemetry::start(log).expect("nothing to open")),
        kept,
    })
    .expect("what was kept can be read")
}
