//! `tenfour usage`: what AWS would meter, as the running server counts it.

mod metered;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use clap::Args;
use client::{Scheme, Url};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use self::metered::Usage;
use super::found::Found;
use super::runtime::{block_on, fail};
use crate::config::ListenerName;

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The page of the metrics is far smaller.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Says what AWS would meter: messages in units of 5 KB
///
/// Asks the admin listener of the server that `tenfour dev` runs for the data folder, or of another.
/// The counts begin anew when the server starts.
#[derive(Args, Debug)]
pub struct UsageArgs {
    /// The data folder of the running `tenfour dev`
    #[arg(long, value_name = "FOLDER", default_value = ".tenfour", conflicts_with = "admin")]
    pub dir: PathBuf,
    /// The admin listener of another server, such as http://127.0.0.1:9090
    #[arg(long, value_name = "URL")]
    pub admin: Option<Url>,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
}

impl UsageArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        block_on(async {
            match self.usage().await {
                Ok(usage) if self.json => println!("{}", usage.json()),
                Ok(usage) => print!("{}", usage.table(SystemTime::now())),
                Err(error) => return fail(error),
            }
            ExitCode::SUCCESS
        })
    }

    async fn usage(&self) -> Result<Usage, String> {
        let url = match &self.admin {
            Some(url) if url.scheme() == Scheme::Https => {
                return Err(format!(
                    "{url}: the admin listener has no TLS; write http://HOST:PORT"
                ));
            }
            Some(url) => url.clone(),
            None => Url::new(Scheme::Http, Found::read(&self.dir)?.endpoint(ListenerName::Admin)?),
        };
        let page = tokio::time::timeout(PATIENCE, page(&url)).await;
        let page = page.map_err(|_| format!("{url} does not answer"))??;
        Usage::parse(&page).ok_or_else(|| {
            format!("{url} has no page of Tenfour's metrics; is that the admin listener?")
        })
    }
}

/// The page of the metrics.
async fn page(url: &Url) -> Result<String, String> {
    let endpoint = url.endpoint();
    let address = (endpoint.host(), endpoint.port());
    let stream = TcpStream::connect(address).await.map_err(|error| {
        format!(
            "cannot connect to {url}: {error}\n  is the server running, with [listeners] admin?"
        )
    })?;
    let broken = |error: hyper::Error| format!("{url} does not speak HTTP: {error}");
    let (mut requests, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with an error exactly when the request does, which reports it.
    tokio::spawn(connection);
    let request = Request::get("/metrics")
        .header(hyper::header::HOST, endpoint.to_string())
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("{url}: {error}"))?;
    let answer = requests.send_request(request).await.map_err(broken)?;
    let body = Limited::new(answer.into_body(), PAGE_BYTES).collect().await;
    let body = body.map_err(|error| format!("{url}: the answer broke off: {error}"))?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}
