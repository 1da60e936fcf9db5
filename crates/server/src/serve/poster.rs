//! A connection to a server of the operator's that something is posted to.

use std::time::Duration;

use bytes::Bytes;
use client::{SendError, Sender, SenderIdentity, SenderOptions};
use http::{HeaderMap, Response, StatusCode};
use tokio::time::timeout;

use crate::config::Remote;

/// Posts, one thing at a time, on a connection that is kept.
pub(super) struct Poster {
    remote: Remote,
    /// Time for one attempt, from the connection to the answer.
    patience: Duration,
    sender: Sender,
}

impl Poster {
    /// Is not connected yet.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub(super) fn new(remote: &Remote, patience: Duration) -> Result<Self, SendError> {
        let tls = remote.tls.clone();
        let options = SenderOptions::new(remote.url.clone(), SenderIdentity::Anonymous, tls);
        let sender = Sender::new(SenderOptions {
            connect_timeout: patience,
            answer_timeout: patience,
            ..options
        })?;
        Ok(Poster { remote: remote.clone(), patience, sender })
    }

    /// Posts once, to the path of the remote; gives the answer, whatever its status.
    ///
    /// # Errors
    /// Why there is none, without a full stop.
    pub(super) async fn post(
        &mut self,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Response<Bytes>, String> {
        let post = self.sender.post(&self.remote.path_and_query, headers, body);
        match timeout(self.patience, post).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => {
                let (url, limit) = (&self.remote.url, self.patience.as_secs_f64());
                Err(format!("{url} did not answer within {limit} s"))
            }
        }
    }

    /// What to say of an answer that is none of those hoped for, without a full stop.
    pub(super) fn answered(&self, status: StatusCode) -> String {
        format!("{} answered {}", self.remote.url, status.as_u16())
    }
}
