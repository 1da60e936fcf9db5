//! Reads one connection and does what its packets ask for.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use engine::Moment;
use engine::access::Peer;
use engine::close::CloseReason;
use engine::metering;
use engine::session::Step;
use mqtt::{Packet, Version};
use reactor::Ready;
use telemetry::{Metered, Quota, TraceId};
use tokio::io::{AsyncRead, ReadBuf};

use crate::batch::Batch;
use crate::connection::Connection;
use crate::device::Device;
use crate::events::{Arrival, Link, PublishEnd};
use crate::node::Node;

/// The task of one connection. It holds no buffer while nothing is half read, and ends as soon as
/// its epoch is over.
pub(crate) struct Driver {
    pub(crate) node: Arc<Node>,
    pub(crate) device: Arc<Device>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) trace_id: TraceId,
    pub(crate) epoch: u64,
    pub(crate) version: Version,
    pub(crate) packet_size_limit: usize,
    /// The beginning of a packet whose rest has not come yet.
    pub(crate) inbox: Vec<u8>,
}

/// How many reads of a turn at most: a client that sends without end must not hold up others.
const READS: usize = 4;

/// How many acknowledgements of one client may wait for the disk: beyond it nothing more is read
/// from it. (An MQTT 5 client stays below by itself, see Receive Maximum.)
const HELD: usize = 1_024;

/// How many bytes may wait for the disk before nobody is read from.
const UNKEPT_BYTES: usize = 256 << 20;

/// After how long a connection that was not read from because of that looks again.
const UNKEPT_PAUSE: Duration = Duration::from_millis(20);

/// How much is read at once.
const SCRATCH_BYTES: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// What reading gave.
enum Read {
    /// That many bytes in the scratch buffer; and whether there may be more.
    Bytes(usize, bool),
    /// Nothing for now.
    Pending,
    /// The connection is over.
    Over(CloseReason),
    /// Somebody else has taken the connection.
    Gone,
}

/// Whether to go on after a packet.
pub(crate) enum Flow {
    Continue,
    Stop,
}

impl Driver {
    /// Goes on as far as there is something to read or to write; ready when the connection is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, ready: Ready) -> Poll<()> {
        SCRATCH.with_borrow_mut(|scratch| self.poll_with(cx, ready, scratch))
    }

    fn poll_with(&mut self, cx: &mut Context<'_>, ready: Ready, scratch: &mut [u8]) -> Poll<()> {
        let mut ready = ready;
        for _ in 0..READS {
            let now = self.node.now();
            match self.read(cx, std::mem::take(&mut ready), now, scratch) {
                Read::Pending => return Poll::Pending,
                Read::Gone => return Poll::Ready(()),
                Read::Over(reason) => {
                    self.node.close(&self.device, self.epoch, reason);
                    return Poll::Ready(());
                }
                Read::Bytes(length, more) => {
                    if matches!(self.handle_bytes(&scratch[..length], now), Flow::Stop) {
                        return Poll::Ready(());
                    }
                    if !more {
                        return Poll::Pending;
                    }
                }
            }
        }
        // Others come first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Deals with what came together with the CONNECT, before anything else is read; ready when the
    /// connection is over.
    pub(crate) fn begin(&mut self) -> Poll<()> {
        match self.handle_bytes(&[], self.node.now()) {
            Flow::Continue => Poll::Pending,
            Flow::Stop => Poll::Ready(()),
        }
    }

    fn read(
        &mut self,
        cx: &mut Context<'_>,
        ready: Ready,
        now: Moment,
        scratch: &mut [u8],
    ) -> Read {
        let throughput = self.node.rules.quotas.throughput_per_connection;
        let mut state = self.device.lock();
        let Some(connection) = state.current(self.epoch) else { return Read::Gone };
        connection.io.note_ready(ready);
        match &mut connection.driver {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        match connection.poll_write(cx, now, throughput) {
            Poll::Ready(Err(_)) => return Read::Over(CloseReason::ConnectionLost),
            Poll::Ready(Ok(())) if connection.has_backlog() => {
                // There is room now; what it gives is written in the next turn.
                self.node.send_backlog(&self.device, &mut state, now);
                if state.connection.as_ref().is_some_and(|open| open.pending_output() > 0) {
                    cx.waker().wake_by_ref();
                }
            }
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        let Some(connection) = &mut state.connection else { return Read::Gone };
        // A client that does not read its answers is not read from either; what writes on wakes us.
        let full = connection.pending_output() >= self.node.rules.outbound_buffer_bytes
            || connection.session.held_acknowledgements() >= HELD;
        let unkept = self.node.keeper.pending_bytes() >= UNKEPT_BYTES;
        let read = match connection.reading.held_until(now) {
            None if !full && !unkept => poll_read(connection, cx, scratch),
            None | Some(_) => Read::Pending,
        };
        if let Read::Bytes(length, _) = read {
            connection.reading.charge(length, throughput, now);
            self.node.telemetry.metrics().mqtt_received(length);
        }
        // What the client sends moves deadlines later; only waiting brings new ones.
        if connection.resumes(now).is_some() || connection.pending_output() > 0 {
            self.node.schedule(&self.device, &mut state, now);
        }
        if unkept {
            self.node.schedule_at(&self.device, &mut state, now.after(UNKEPT_PAUSE));
        }
        read
    }

    fn handle_bytes(&mut self, fresh: &[u8], now: Moment) -> Flow {
        let mut batch = Batch::new(now);
        let flow = if self.inbox.is_empty() {
            let (flow, used) = self.handle_packets(fresh, &mut batch);
            self.inbox.extend_from_slice(&fresh[used..]);
            flow
        } else {
            let mut inbox = std::mem::take(&mut self.inbox);
            inbox.extend_from_slice(fresh);
            let (flow, used) = self.handle_packets(&inbox, &mut batch);
            if used < inbox.len() {
                inbox.drain(..used);
                self.inbox = inbox;
            }
            flow
        };
        batch.write(&self.node);
        flow
    }

    /// Deals with the whole packets at the beginning of `bytes`; says how many bytes they are.
    fn handle_packets(&mut self, bytes: &[u8], batch: &mut Batch) -> (Flow, usize) {
        let mut used = 0;
        while used < bytes.len() {
            match mqtt::decode(&bytes[used..], self.version, self.packet_size_limit) {
                Ok(Some((packet, length))) => {
                    used += length;
                    if let Flow::Stop = self.handle_packet(packet, batch) {
                        return (Flow::Stop, used);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let reason = CloseReason::ClientError(error.reason_code());
                    return (self.stop(reason), used);
                }
            }
        }
        (Flow::Continue, used)
    }

    fn handle_packet(&mut self, packet: Packet<'_>, batch: &mut Batch) -> Flow {
        let now = batch.now;
        let acknowledgement = if let Packet::PubAck(ack) = &packet {
            metering::property_bytes(ack.properties)
        } else {
            0
        };
        let mut state = self.device.lock();
        let Some(connection) = state.current(self.epoch) else { return Flow::Stop };
        let (session, out) = connection.session_and_output();
        let step = session.handle_packet(packet, now, out);
        if connection.has_backlog() {
            // An acknowledgement may have made room.
            self.node.send_backlog(&self.device, &mut state, now);
        } else {
            self.node.keep_changes(&self.device, &mut state);
        }
        if let Some(connection) = &mut state.connection {
            batch.add(&self.device, connection);
        }
        drop(state);
        match step {
            Step::Nothing => {}
            Step::Acknowledged => {
                self.node.telemetry.metrics().metered(Metered::PubAck, acknowledgement);
            }
            Step::Settled(waiter, settlement) => {
                // The sender may have gone away; then nobody is left to tell.
                waiter.settle(settlement);
            }
            Step::Publish(incoming) => return self.handle_publish(&incoming, batch),
            Step::Throttled(topic) => {
                let end = PublishEnd::Throttled(Quota::PublishesPerConnection);
                let arrival = Arrival { topic: topic.as_str(), retain: false, bytes: 0 };
                self.node.publish_in(self.link(), &arrival, end);
            }
            Step::Repeated(packet_id) => return self.acknowledge_again(packet_id, batch),
            Step::Subscribe(subscribe) => return self.handle_subscribe(&subscribe, batch),
            Step::Unsubscribe(unsubscribe) => return self.handle_unsubscribe(&unsubscribe, batch),
            Step::Disconnect { reason, session_expiry_seconds } => {
                return self.handle_disconnect(reason, session_expiry_seconds);
            }
            Step::Close(reason) => return self.stop(reason),
        }
        Flow::Continue
    }

    fn handle_disconnect(&self, reason: CloseReason, expiry_seconds: Option<u32>) -> Flow {
        let mut state = self.device.lock();
        if state.current(self.epoch).is_none() {
            return Flow::Stop;
        }
        if let Some(expiry_seconds) = expiry_seconds {
            if state.session.expiry_seconds == 0 && expiry_seconds > 0 {
                // A session that was to end with its connection cannot be prolonged
                // ([MQTT-3.14.2-2]).
                drop(state);
                let code = mqtt::ReasonCode::ProtocolError;
                return self.stop(CloseReason::ClientError(code));
            }
            state.session.expiry_seconds = expiry_seconds;
        }
        drop(state);
        self.stop(reason)
    }

    /// Whose connection it is, for events.
    pub(crate) fn link(&self) -> Link<'_> {
        Link { trace_id: self.trace_id, peer: &self.peer }
    }

    /// Ends the connection.
    pub(crate) fn stop(&self, reason: CloseReason) -> Flow {
        self.node.close(&self.device, self.epoch, reason);
        Flow::Stop
    }

    /// Does something with the session, if the connection is still there; what it has to say is
    /// written with the batch.
    pub(crate) fn with_connection(
        &self,
        batch: &mut Batch,
        act: impl FnOnce(&mut Connection),
    ) -> Flow {
        let mut state = self.device.lock();
        let Some(connection) = state.current(self.epoch) else { return Flow::Stop };
        act(connection);
        self.node.keep_changes(&self.device, &mut state);
        if let Some(connection) = &mut state.connection {
            batch.add(&self.device, connection);
        }
        Flow::Continue
    }
}

fn poll_read(connection: &mut Connection, cx: &mut Context<'_>, scratch: &mut [u8]) -> Read {
    let mut buffer = ReadBuf::new(scratch);
    match Pin::new(&mut connection.io).poll_read(cx, &mut buffer) {
        Poll::Pending => Read::Pending,
        Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
            Read::Over(CloseReason::ConnectionLost)
        }
        Poll::Ready(Ok(())) => Read::Bytes(buffer.filled().len(), connection.io.may_have_more()),
        Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
            // A WebSocket peer that sends something other than binary frames, or broken TLS.
            Read::Over(CloseReason::ClientError(mqtt::ReasonCode::MalformedPacket))
        }
        Poll::Ready(Err(_)) => Read::Over(CloseReason::ConnectionLost),
    }
}
