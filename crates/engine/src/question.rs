//! What may be asked of a principal's policies, and why the answer is what it is.

use mqtt::{ClientId, TopicName};
use policy::{Action, Explanation, Resource};

use crate::access::Peer;
use crate::directory::{Principal, Status};

/// May this peer do that?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub(crate) peer: &'a Peer,
    pub(crate) action: Action,
    pub(crate) resource: Resource<'a>,
    /// `iot:Topic`, which only a direct message has.
    pub(crate) topic: Option<&'a str>,
    /// `iot:IncludeSocketInformation`, which only GetConnection has.
    pub(crate) socket_information: Option<bool>,
}

/// What may be done with shadows over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShadowAction {
    /// `iot:GetThingShadow`
    Get,
    /// `iot:UpdateThingShadow`
    Update,
    /// `iot:DeleteThingShadow`
    Delete,
    /// `iot:ListNamedShadowsForThing`
    List,
}

/// The answer to a question, and what led to it.
#[derive(Debug)]
pub struct Explained<'a> {
    /// Whose policies were asked.
    pub principal: &'a Principal,
    /// Whether it may be used at all; if not, its policies do not count.
    pub status: Status,
    /// What its policies say.
    pub explanation: Explanation<'a>,
}

impl Explained<'_> {
    /// Whether it may.
    pub fn is_allowed(&self) -> bool {
        self.status == Status::Active && self.explanation.decision.is_allowed()
    }
}

impl<'a> Question<'a> {
    /// May the sender send to that client on that topic?
    pub fn send_direct(sender: &'a Peer, client_id: &'a ClientId, topic: TopicName<'a>) -> Self {
        let resource = Resource::Client(client_id.as_str());
        let topic = Some(topic.as_str());
        Question { topic, ..Question::new(sender, Action::SendDirectMessage, resource) }
    }

    /// May the device receive that topic?
    pub fn receive(device: &'a Peer, topic: TopicName<'a>) -> Self {
        Question::new(device, Action::Receive, Resource::Topic(topic.as_str()))
    }

    /// May the peer publish on that topic?
    pub fn publish(peer: &'a Peer, topic: TopicName<'a>) -> Self {
        Question::new(peer, Action::Publish, Resource::Topic(topic.as_str()))
    }

    /// May the peer publish with RETAIN on that topic, if it may publish there?
    pub fn retain_publish(peer: &'a Peer, topic: TopicName<'a>) -> Self {
        Question::new(peer, Action::RetainPublish, Resource::Topic(topic.as_str()))
    }

    /// May the peer read the retained message of that topic?
    pub fn get_retained(peer: &'a Peer, topic: TopicName<'a>) -> Self {
        Question::new(peer, Action::GetRetainedMessage, Resource::Topic(topic.as_str()))
    }

    /// May the peer list the topics that have retained messages?
    pub fn list_retained(peer: &'a Peer) -> Self {
        Question::new(peer, Action::ListRetainedMessages, Resource::Any)
    }

    /// May the peer read the state of that client's connection, the addresses of its socket
    /// included or not?
    pub fn get_connection(
        peer: &'a Peer,
        client_id: &'a ClientId,
        socket_information: bool,
    ) -> Self {
        let resource = Resource::Client(client_id.as_str());
        let socket_information = Some(socket_information);
        Question { socket_information, ..Question::new(peer, Action::GetConnection, resource) }
    }

    /// May the peer disconnect that client?
    pub fn delete_connection(peer: &'a Peer, client_id: &'a ClientId) -> Self {
        Question::new(peer, Action::DeleteConnection, Resource::Client(client_id.as_str()))
    }

    /// May the peer list that client's subscriptions?
    pub fn list_subscriptions(peer: &'a Peer, client_id: &'a ClientId) -> Self {
        Question::new(peer, Action::ListSubscriptions, Resource::Client(client_id.as_str()))
    }

    /// May the peer read that of the log? The resource is a log group or a log stream.
    pub fn read_log(peer: &'a Peer, action: Action, resource: Resource<'a>) -> Self {
        Question::new(peer, action, resource)
    }

    /// May the peer do that of the control plane (spec 11) to that resource?
    pub fn control(peer: &'a Peer, action: Action, resource: Resource<'a>) -> Self {
        Question::new(peer, action, resource)
    }

    /// May the peer do that with the shadow, or the shadows of a thing, over HTTP? `resource` is what
    /// follows `thing/`: the name of the thing and, for a named shadow, a slash and its name.
    pub fn shadow(peer: &'a Peer, action: ShadowAction, resource: &'a str) -> Self {
        let action = match action {
            ShadowAction::Get => Action::GetThingShadow,
            ShadowAction::Update => Action::UpdateThingShadow,
            ShadowAction::Delete => Action::DeleteThingShadow,
            ShadowAction::List => Action::ListNamedShadowsForThing,
        };
        Question::new(peer, action, Resource::Thing(resource))
    }

    fn new(peer: &'a Peer, action: Action, resource: Resource<'a>) -> Self {
        Question { peer, action, resource, topic: None, socket_information: None }
    }

    /// May the peer be told why?
    pub(crate) fn of_explaining(&self) -> Self {
        Question { action: Action::Explain, ..*self }
    }
}
