//! Once something is durable: the packets that waited for it are sent.

use std::sync::Arc;

use engine::close::CloseReason;
use engine::{Moment, Ticket};
use store::StoreFailed;

use crate::device::{Device, State};
use crate::node::Node;

impl Node {
    /// Makes what changed in the session of a connected device durable, and sees to it that what
    /// waits for that is sent afterwards. Called with the device's lock held, whenever its session
    /// was asked to do something. The ticket of the changes; [`Ticket::NONE`] if nothing changed.
    pub(crate) fn keep_changes(
        self: &Arc<Self>,
        device: &Arc<Device>,
        state: &mut State,
    ) -> Ticket {
        let State { epoch, connection: Some(connection), session, .. } = state else {
            return Ticket::NONE;
        };
        let mut ticket = Ticket::NONE;
        if connection.session.has_changes() {
            let changes = connection.session.take_changes();
            ticket = self.keeper.keep_changes(session.number, &changes);
            connection.session.seal(ticket);
        }
        while let Some(awaited) = connection.session.expect_release() {
            if !self.keeper.is_durable(awaited) {
                self.release_after(awaited, device, *epoch);
                break;
            }
            let (session, out) = connection.session_and_output();
            session.release(awaited, out);
        }
        ticket
    }

    fn release_after(self: &Arc<Self>, awaited: Ticket, device: &Arc<Device>, epoch: u64) {
        let (node, device) = (Arc::downgrade(self), Arc::downgrade(device));
        self.keeper.when_durable(awaited, move |durable| {
            let (Some(node), Some(device)) = (node.upgrade(), device.upgrade()) else { return };
            // Whoever asked may hold the lock and be told at once.
            let is_free = device.try_lock().is_some();
            if is_free {
                return node.release(awaited, &durable, &device, epoch);
            }
            let runtime = node.runtime.clone();
            runtime.spawn(async move { node.release(awaited, &durable, &device, epoch) });
        });
    }

    fn release(
        self: &Arc<Self>,
        durable: Ticket,
        result: &Result<(), StoreFailed>,
        device: &Arc<Device>,
        epoch: u64,
    ) {
        if result.is_err() {
            // What the client waits for will never be true; it learns that nothing was promised.
            return self.close(device, epoch, CloseReason::StoreFailed);
        }
        let now = self.now();
        let mut state = device.lock();
        let Some(connection) = state.current(epoch) else { return };
        let (session, out) = connection.session_and_output();
        session.release(durable, out);
        if let Some(driver) = &connection.driver {
            // It may have stopped reading because too much was held back.
            driver.wake_by_ref();
        }
        self.keep_changes(device, &mut state);
        drop(state);
        self.write_to(device, now);
        // Its CONNACK may have been among what was held back.
        self.announce(device);
    }

    /// Sends as much of what waits for the device as there is room for. Called with its lock held;
    /// what is to be written is appended to its output.
    pub(crate) fn send_backlog(
        self: &Arc<Self>,
        device: &Arc<Device>,
        state: &mut State,
        now: Moment,
    ) {
        let Some(connection) = &mut state.connection else { return };
        let peer = Arc::clone(&connection.peer);
        let trace_id = connection.trace_id;
        let (session, out) = connection.session_and_output();
        while let Some(owed) = session.poll_backlog(now, out) {
            let message = Arc::clone(&owed.entry().message);
            let end = match self.access.receive(&peer, message.topic.as_name(), now) {
                Ok(permit) => session.send_owed(owed, permit, now, out).into(),
                Err(engine::access::Denied) => {
                    session.discard_owed(owed);
                    crate::events::PublishEnd::Denied
                }
            };
            let link = crate::events::Link { trace_id, peer: &peer };
            self.publish_out(link, session.version(), &message.publication(), end);
        }
        let resumes = session.backlog_resumes();
        self.send_retained(device, connection, now);
        if let Some(resumes) = resumes {
            // There may be nothing to write, after which deadlines would be looked at.
            self.schedule_at(device, state, resumes);
        }
        self.keep_changes(device, state);
    }
}
