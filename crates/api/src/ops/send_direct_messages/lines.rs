//! The answer: a JSON object a line.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc;

/// Nobody reads any more.
#[derive(Debug)]
pub(super) struct Gone;

/// The lines that are made together go together.
pub(super) struct Lines {
    unsent: Vec<u8>,
    reader: mpsc::Sender<Bytes>,
    /// How long the reader may read nothing.
    patience: Duration,
}

impl Lines {
    pub(super) fn new(reader: mpsc::Sender<Bytes>, patience: Duration) -> Self {
        Lines { unsent: Vec::new(), reader, patience }
    }

    /// Adds a line.
    pub(super) fn push(&mut self, line: &Value) {
        self.unsent.extend_from_slice(line.to_string().as_bytes());
        self.unsent.push(b'\n');
    }

    /// Sends what there is, and waits while the reader has enough.
    ///
    /// # Errors
    /// It has gone away, or has read nothing for too long.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.unsent));
        let sent = tokio::time::timeout(self.patience, self.reader.send(piece)).await;
        sent.map_err(|_| Gone)?.map_err(|_| Gone)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.reader.is_closed()
    }

    /// Waits until nobody reads any more.
    pub(super) async fn closed(&self) {
        self.reader.closed().await;
    }
}
