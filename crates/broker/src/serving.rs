//! One MQTT connection from its first byte to its last.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use reactor::{Next, Ready, Task, Turn};

use crate::Transport;
use crate::accept::{Admission, Entrance};
use crate::driver::Driver;
use crate::node::Node;

/// Serves one MQTT connection until it ends: waits for CONNECT, grants or refuses it, then reads. A
/// task for a transport of the reactor, a future for one of the runtime.
pub struct Serving(Stage);

enum Stage {
    /// Boxed so that a connection that is established stays small.
    Admitting(Box<Admission>),
    Driving(Driver),
}

impl Serving {
    /// Of a transport on which nothing was said yet.
    pub fn new(node: Arc<Node>, io: Box<dyn Transport>, entrance: Entrance) -> Self {
        Serving(Stage::Admitting(Box::new(Admission::new(node, io, entrance))))
    }

    fn advance(&mut self, cx: &mut Context<'_>, ready: Ready) -> Poll<()> {
        let mut ready = ready;
        if let Stage::Admitting(admission) = &mut self.0 {
            match admission.poll(cx, ready) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Ready(Some(mut driver)) => {
                    if driver.begin().is_ready() {
                        return Poll::Ready(());
                    }
                    self.0 = Stage::Driving(driver);
                }
            }
            ready = Ready::NOTHING;
        }
        match &mut self.0 {
            Stage::Driving(driver) => driver.poll(cx, ready),
            Stage::Admitting(_) => Poll::Pending,
        }
    }
}

impl Future for Serving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.advance(cx, Ready::READABLE)
    }
}

impl Task for Serving {
    fn run(&mut self, turn: &mut Turn<'_, '_>) -> Next {
        match self.advance(turn.context, turn.ready) {
            Poll::Pending => Next::Wait,
            Poll::Ready(()) => Next::End,
        }
    }
}
