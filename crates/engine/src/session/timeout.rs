//! Deadlines: keep-alive, confirmations, the end of a WebSocket's life.

use std::time::Duration;

use mqtt::PacketId;

use super::Session;
use crate::Moment;
use crate::close::CloseReason;

impl<W> Session<W> {
    /// When [`Session::handle_timeout`] and [`Session::poll_expired`] want to be called next.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let resend = self
            .rules
            .profile
            .resend_after
            .and_then(|patience| self.inflight.oldest_sent().map(|sent| sent.after(patience)));
        [
            self.keep_alive_deadline(),
            self.expires,
            self.inflight.next_deadline(),
            self.backlog_resumes,
            resend,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether the connection has to end by `now`; if not, what is to be sent again is appended to
    /// `out`. The backlog may go on ([`Session::poll_backlog`]).
    pub fn handle_timeout(&mut self, now: Moment, out: &mut Vec<u8>) -> Option<CloseReason> {
        self.inflight.release();
        self.resend(now, out);
        if self.expires.is_some_and(|expires| expires <= now) {
            return Some(CloseReason::WebSocketExpired);
        }
        let silent_for_too_long = self.keep_alive_deadline().is_some_and(|end| end <= now);
        silent_for_too_long.then_some(CloseReason::KeepAliveTimeout)
    }

    /// One whose confirmation did not come in time, with its packet ID, which stays taken: a late
    /// PUBACK meets nothing else, and settles it still.
    pub fn poll_expired(&mut self, now: Moment) -> Option<(PacketId, &mut W)> {
        self.inflight.poll_expired(now)
    }

    /// One and a half times the keep-alive after the last packet ([MQTT-3.1.2-22],
    /// [MQTT3-3.1.2-24]).
    fn keep_alive_deadline(&self) -> Option<Moment> {
        let keep_alive = Duration::from_secs(u64::from(self.keep_alive_seconds));
        (self.keep_alive_seconds > 0).then(|| self.last_received.after(keep_alive * 3 / 2))
    }
}
