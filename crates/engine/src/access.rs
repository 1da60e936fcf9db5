//! Who may do what. A passed check is a value that the next step demands.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use mqtt::{ClientId, TopicFilter, TopicName, Will};
use policy::{Action, Context, Decision, Request, Resource, Scope, Thing};

use crate::Moment;
use crate::directory::{Directory, Grants, Principal, Status};
use crate::question::{Explained, Question, ShadowAction};

/// The other end of a connection: a device or a sender, authenticated.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Who it proved to be.
    pub principal: Arc<Principal>,
    /// Where it calls from.
    pub source: SocketAddr,
    /// Whether the transport is encrypted.
    pub secure: bool,
    /// Its MQTT client ID; none for an HTTP sender.
    pub client_id: Option<ClientId>,
    /// The thing it spoke for when it connected, for the log; none for an HTTP sender. Policies are
    /// told of the one that it speaks for now.
    pub thing: Option<Arc<Thing>>,
}

/// The check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied;

/// Proof that a peer may connect under its client ID.
#[derive(Debug)]
pub struct ConnectPermit(());

/// Proof that a sender may send to a client on a topic.
#[derive(Debug)]
pub struct SendPermit(());

/// Proof that a device or a sender may publish on a topic.
#[derive(Debug)]
pub struct PublishPermit(());

/// Proof that a device may subscribe to a filter.
#[derive(Debug)]
pub struct SubscribePermit(());

/// Proof that a device may receive a topic.
#[derive(Debug)]
pub struct ReceivePermit(());

/// Proof that a sender may read the state of a client's connection.
#[derive(Debug)]
pub struct GetConnectionPermit {
    socket_information: bool,
}

impl GetConnectionPermit {
    /// Whether it may read the addresses of its socket, and asked for them.
    pub fn includes_socket_information(&self) -> bool {
        self.socket_information
    }
}

/// Proof that a sender may disconnect a client.
#[derive(Debug)]
pub struct DeleteConnectionPermit(());

/// Proof that a sender may list a client's subscriptions.
#[derive(Debug)]
pub struct ListSubscriptionsPermit(());

/// Proof that a sender may do something with a shadow.
#[derive(Debug)]
pub struct ShadowPermit(());

/// The questions asked of a principal's policies.
#[derive(Debug)]
pub struct Access {
    scope: Scope,
    started_at: i64,
    directory: Arc<ArcSwap<Directory>>,
}

impl Access {
    /// For one account in one region; `started_at` is the wall clock at [`Moment::START`], in
    /// seconds since 1970, for conditions on the time; `directory` has the things.
    pub fn new(scope: Scope, started_at: i64, directory: Arc<ArcSwap<Directory>>) -> Self {
        Access { scope, started_at, directory }
    }

    /// Region and account.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The wall clock at `now`, in seconds since 1970.
    pub fn epoch_seconds(&self, now: Moment) -> i64 {
        self.started_at.saturating_add_unsigned(now.micros() / 1_000_000)
    }

    /// May the peer connect under its client ID, with this Will (spec 6.2, `iot:Connect`)? The
    /// Will's topic needs `iot:Publish` as well (spec 4.1).
    ///
    /// # Errors
    /// [`Denied`].
    pub fn connect(
        &self,
        peer: &Peer,
        will: Option<&Will<'_>>,
        persistent: bool,
        now: Moment,
    ) -> Result<ConnectPermit, Denied> {
        let client_id = peer.client_id.as_ref().map_or("", ClientId::as_str);
        let all = ["PersistentConnect", "LastWill"];
        let attributes = match (persistent, will.is_some()) {
            (true, true) => &all[..],
            (true, false) => &all[..1],
            (false, true) => &all[1..],
            (false, false) => &[],
        };
        let grants = peer.principal.grants.load();
        let thing = self.thing_of(peer, &grants);
        let context = Context {
            connect_attributes: Some(attributes),
            last_will_topic: will.map(|will| will.topic.as_str()),
            ..self.context(peer, thing.as_deref(), now)
        };
        self.ask(&grants, Action::Connect, Resource::Client(client_id), &context)?;
        if let Some(will) = will {
            self.publish(peer, will.topic, will.retain, now)?;
        }
        Ok(ConnectPermit(()))
    }

    /// May the sender send to that client on that topic (spec 6.2, `iot:SendDirectMessage`)?
    ///
    /// # Errors
    /// [`Denied`].
    pub fn send_direct(
        &self,
        sender: &Peer,
        client_id: &ClientId,
        topic: TopicName<'_>,
        now: Moment,
    ) -> Result<SendPermit, Denied> {
        self.put(&Question::send_direct(sender, client_id, topic), now)?;
        Ok(SendPermit(()))
    }

    /// May the peer publish on that topic, retained or not (spec 6.2, `iot:Publish` and
    /// `iot:RetainPublish`)?
    ///
    /// # Errors
    /// [`Denied`].
    pub fn publish(
        &self,
        peer: &Peer,
        topic: TopicName<'_>,
        retain: bool,
        now: Moment,
    ) -> Result<PublishPermit, Denied> {
        self.put(&Question::publish(peer, topic), now)?;
        if retain {
            self.put(&Question::retain_publish(peer, topic), now)?;
        }
        Ok(PublishPermit(()))
    }

    /// May the peer subscribe to that filter (spec 6.2, `iot:Subscribe`)? For a shared subscription
    /// either the whole text or the filter in it grants, and either denies (spec 12.11).
    ///
    /// # Errors
    /// [`Denied`].
    pub fn subscribe(
        &self,
        peer: &Peer,
        filter: TopicFilter<'_>,
        now: Moment,
    ) -> Result<SubscribePermit, Denied> {
        let grants = peer.principal.grants.load();
        let thing = self.thing_of(peer, &grants);
        let context = self.context(peer, thing.as_deref(), now);
        let decide =
            |text| self.decide(&grants, Action::Subscribe, Resource::TopicFilter(text), &context);
        let whole = decide(filter.as_str());
        let granted = if filter.share_group().is_none() {
            whole == Verdict::Allowed
        } else {
            let decisions = [whole, decide(filter.inner())];
            decisions.contains(&Verdict::Allowed) && !decisions.contains(&Verdict::Forbidden)
        };
        if granted { Ok(SubscribePermit(())) } else { Err(Denied) }
    }

    /// May the device receive a message on that topic (spec 6.2, `iot:Receive`)? Asked for every
    /// delivery, direct messages included.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn receive(
        &self,
        device: &Peer,
        topic: TopicName<'_>,
        now: Moment,
    ) -> Result<ReceivePermit, Denied> {
        self.put(&Question::receive(device, topic), now)?;
        Ok(ReceivePermit(()))
    }

    /// May the peer read the retained message of that topic (spec 6.2, `iot:GetRetainedMessage`)?
    ///
    /// # Errors
    /// [`Denied`].
    pub fn get_retained(
        &self,
        peer: &Peer,
        topic: TopicName<'_>,
        now: Moment,
    ) -> Result<(), Denied> {
        self.put(&Question::get_retained(peer, topic), now)
    }

    /// May the peer list the topics that have retained messages (spec 6.2,
    /// `iot:ListRetainedMessages` on `*`)?
    ///
    /// # Errors
    /// [`Denied`].
    pub fn list_retained(&self, peer: &Peer, now: Moment) -> Result<(), Denied> {
        self.put(&Question::list_retained(peer), now)
    }

    /// May the sender read the state of that client's connection (spec 6.2, `iot:GetConnection` with
    /// `iot:IncludeSocketInformation`)?
    ///
    /// # Errors
    /// [`Denied`].
    pub fn get_connection(
        &self,
        sender: &Peer,
        client_id: &ClientId,
        socket_information: bool,
        now: Moment,
    ) -> Result<GetConnectionPermit, Denied> {
        self.put(&Question::get_connection(sender, client_id, socket_information), now)?;
        Ok(GetConnectionPermit { socket_information })
    }

    /// May the sender disconnect that client (spec 6.2, `iot:DeleteConnection`)?
    ///
    /// # Errors
    /// [`Denied`].
    pub fn delete_connection(
        &self,
        sender: &Peer,
        client_id: &ClientId,
        now: Moment,
    ) -> Result<DeleteConnectionPermit, Denied> {
        self.put(&Question::delete_connection(sender, client_id), now)?;
        Ok(DeleteConnectionPermit(()))
    }

    /// May the sender list that client's subscriptions (spec 6.2, `iot:ListSubscriptions`)?
    ///
    /// # Errors
    /// [`Denied`].
    pub fn list_subscriptions(
        &self,
        sender: &Peer,
        client_id: &ClientId,
        now: Moment,
    ) -> Result<ListSubscriptionsPermit, Denied> {
        self.put(&Question::list_subscriptions(sender, client_id), now)?;
        Ok(ListSubscriptionsPermit(()))
    }

    /// May the peer read that of the log? The question is [`Question::read_log`].
    ///
    /// # Errors
    /// [`Denied`].
    pub fn read_log(&self, question: &Question<'_>, now: Moment) -> Result<(), Denied> {
        self.put(question, now)
    }

    /// May the peer do that of the control plane (spec 11)? The question is
    /// [`Question::control`].
    ///
    /// # Errors
    /// [`Denied`].
    pub fn control(&self, question: &Question<'_>, now: Moment) -> Result<(), Denied> {
        self.put(question, now)
    }

    /// May the peer do that with a shadow, or with those of a thing, over HTTP (spec 6.2)? Over MQTT it
    /// is the topics that decide. For `resource` see [`Question::shadow`].
    ///
    /// # Errors
    /// [`Denied`].
    pub fn shadow(
        &self,
        peer: &Peer,
        action: ShadowAction,
        resource: &str,
        now: Moment,
    ) -> Result<ShadowPermit, Denied> {
        self.put(&Question::shadow(peer, action, resource), now)?;
        Ok(ShadowPermit(()))
    }

    /// May the peer be told which statement decides that (`tenfour:Explain` on the resource of the
    /// question)?
    pub fn may_explain(&self, question: &Question<'_>, now: Moment) -> bool {
        self.put(&question.of_explaining(), now).is_ok()
    }

    /// Asks again, and has `tell` told which statement decides. Slow: for people.
    pub fn explain<R>(
        &self,
        question: &Question<'_>,
        now: Moment,
        tell: impl FnOnce(&Explained<'_>) -> R,
    ) -> R {
        let Question { peer, action, resource, .. } = *question;
        let grants = peer.principal.grants.load();
        let thing = self.thing_of(peer, &grants);
        let context = self.context_of(question, thing.as_deref(), now);
        let request = Request { action, resource, scope: &self.scope, context: &context };
        tell(&Explained {
            principal: &peer.principal,
            status: grants.status,
            explanation: grants.policies.explain(&request),
        })
    }

    fn put(&self, question: &Question<'_>, now: Moment) -> Result<(), Denied> {
        let Question { peer, action, resource, .. } = *question;
        let grants = peer.principal.grants.load();
        if grants.policies.asks_of_thing() {
            return self.put_with_thing(question, &grants, now);
        }
        self.ask(&grants, action, resource, &self.context_of(question, None, now))
    }

    /// Few policies ask for it, and looking for it costs the others nothing.
    #[cold]
    fn put_with_thing(
        &self,
        question: &Question<'_>,
        grants: &Grants,
        now: Moment,
    ) -> Result<(), Denied> {
        let Question { peer, action, resource, .. } = *question;
        let thing = self.thing_of(peer, grants);
        self.ask(grants, action, resource, &self.context_of(question, thing.as_deref(), now))
    }

    /// The thing that the peer speaks for now, if it is a device: that it is attached, or an
    /// attribute, may have changed since it connected.
    fn thing_of(&self, peer: &Peer, grants: &Grants) -> Option<Arc<Thing>> {
        let client_id = peer.client_id.as_ref()?.as_str();
        self.directory.load().thing_of(grants, client_id)
    }

    fn context_of<'a>(
        &self,
        question: &Question<'a>,
        thing: Option<&'a Thing>,
        now: Moment,
    ) -> Context<'a> {
        Context {
            topic: question.topic,
            include_socket_information: question.socket_information,
            ..self.context(question.peer, thing, now)
        }
    }

    fn context<'a>(&self, peer: &'a Peer, thing: Option<&'a Thing>, now: Moment) -> Context<'a> {
        Context {
            source_ip: Some(peer.source.ip()),
            secure_transport: Some(peer.secure),
            epoch_seconds: Some(self.epoch_seconds(now)),
            principal_id: Some(&peer.principal.id),
            client_id: peer.client_id.as_ref().map(ClientId::as_str),
            thing,
            certificate: Some(&peer.principal.attributes),
            ..Context::default()
        }
    }

    fn ask(
        &self,
        grants: &Grants,
        action: Action,
        resource: Resource<'_>,
        context: &Context<'_>,
    ) -> Result<(), Denied> {
        match self.decide(grants, action, resource, context) {
            Verdict::Allowed => Ok(()),
            Verdict::NotAllowed | Verdict::Forbidden => Err(Denied),
        }
    }

    fn decide(
        &self,
        grants: &Grants,
        action: Action,
        resource: Resource<'_>,
        context: &Context<'_>,
    ) -> Verdict {
        if grants.status != Status::Active {
            return Verdict::Forbidden;
        }
        let request = Request { action, resource, scope: &self.scope, context };
        match grants.policies.evaluate(&request) {
            Decision::Allowed(_) => Verdict::Allowed,
            Decision::ImplicitDeny => Verdict::NotAllowed,
            Decision::ExplicitDeny(_) => Verdict::Forbidden,
        }
    }
}

/// What the policies say, without the statement that says it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it, or the principal is not active.
    Forbidden,
}
