//! The context of one decision, with the texts that must be made from it made at most once.

use std::cell::OnceCell;
use std::net::IpAddr;

use crate::context::Context;
use crate::date;
use crate::resource::{Resource, Scope};

/// The context of a request. What the context holds as text is lent out as it is; addresses,
/// times and ARNs are spelt only if a policy asks for their text, so that a plain decision
/// allocates nothing.
pub(crate) struct Facts<'c> {
    context: &'c Context<'c>,
    scope: &'c Scope,
    source_ip: OnceCell<String>,
    current_time: OnceCell<String>,
    epoch_time: OnceCell<String>,
    last_will_topic: OnceCell<String>,
}

impl<'c> Facts<'c> {
    pub(crate) fn new(context: &'c Context<'c>, scope: &'c Scope) -> Facts<'c> {
        Facts {
            context,
            scope,
            source_ip: OnceCell::new(),
            current_time: OnceCell::new(),
            epoch_time: OnceCell::new(),
            last_will_topic: OnceCell::new(),
        }
    }

    pub(crate) fn context(&self) -> &'c Context<'c> {
        self.context
    }

    /// The source address, an IPv4 address in IPv6 clothing given back its own form.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.context.source_ip.map(|address| address.to_canonical())
    }

    pub(crate) fn source_ip(&self) -> Option<&str> {
        let address = self.address()?;
        Some(self.source_ip.get_or_init(|| address.to_string()))
    }

    pub(crate) fn current_time(&self) -> Option<&str> {
        let seconds = self.context.epoch_seconds?;
        Some(self.current_time.get_or_init(|| date::format_seconds(seconds)))
    }

    pub(crate) fn epoch_time(&self) -> Option<&str> {
        let seconds = self.context.epoch_seconds?;
        Some(self.epoch_time.get_or_init(|| seconds.to_string()))
    }

    /// The ARN of the will's topic.
    pub(crate) fn last_will_topic(&self) -> Option<&str> {
        let topic = self.context.last_will_topic?;
        Some(self.last_will_topic.get_or_init(|| self.scope.arn(Resource::Topic(topic))))
    }
}
