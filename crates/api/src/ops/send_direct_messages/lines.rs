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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn lines_that_are_made_together_go_together() {
        let (reader, mut read) = mpsc::channel(1);
        let mut lines = Lines::new(reader, Duration::from_secs(20));
        lines.push(&json!({"a": 1}));
        lines.push(&json!({"b": "\n"}));
        lines.flush().await.expect("read");
        lines.flush().await.expect("nothing to send");
        assert_eq!(read.recv().await.as_deref(), Some(&b"{\"a\":1}\n{\"b\":\"\\n\"}\n"[..]));
        assert!(read.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_reader_that_reads_nothing_for_too_long_counts_as_gone() {
        let (reader, read) = mpsc::channel(1);
        let mut lines = Lines::new(reader, Duration::from_millis(20));
        lines.push(&json!(1));
        lines.flush().await.expect("there is room");
        lines.push(&json!(2));
        assert!(lines.flush().await.is_err());
        assert!(!lines.is_closed());
        drop(read);
        lines.closed().await;
        lines.push(&json!(3));
        assert!(lines.flush().await.is_err());
    }
}
