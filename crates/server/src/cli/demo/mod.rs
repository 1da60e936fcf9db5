//! `tenfour demo`: the whole trip of a message, three times, with a server of its own.

mod logbook;
mod page;
mod scene;
mod stage;

use std::process::ExitCode;

use clap::Args;
use client::Device;
use tokio::time::Instant;

use self::page::Page;
use self::scene::{Part, SCENES};
use self::stage::Stage;
use super::paint::Paint;
use super::runtime::{block_on, fail};
use crate::dev::DEVICE;

const STATUSES: &str = "Exit status:
  0  every send ended as it should
  1  one did not; the output says which and how";

/// Shows the whole trip of a message, with a server of its own
///
/// Starts a server on free ports with a temporary data folder, connects a device over mutual TLS
/// and sends to it three times over HTTPS with SigV4: acknowledged, offline, not acknowledged.
#[derive(Args, Debug)]
#[command(after_help = STATUSES)]
pub struct DemoArgs {}

impl DemoArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        block_on(async {
            let played = tokio::select! {
                played = demo() => played,
                // Dropping the demo removes its folder.
                _ = tokio::signal::ctrl_c() => Err("interrupted".to_owned()),
            };
            match played {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::FAILURE,
                Err(error) => fail(format_args!("the demo cannot go on: {error}")),
            }
        })
    }
}

/// Returns whether everything was as it should be.
async fn demo() -> Result<bool, String> {
    let page = Page { paint: Paint::for_stdout() };
    page.title();
    let started = Instant::now();
    let stage = Stage::build().await?;
    let what = format!("started on free ports: {}", stage.addresses()?);
    page.done("server", &what, started.elapsed());
    let played = play(page, &stage).await;
    stage.strike().await;
    let as_expected = played?;
    page.next_steps(&std::env::args().next().unwrap_or_else(|| "tenfour".into()));
    Ok(as_expected)
}

async fn play(page: Page, stage: &Stage) -> Result<bool, String> {
    let logbook = stage.logbook()?;
    let mut sender = stage.sender()?;
    let mut device = Some(connect(page, stage).await?);
    let mut as_expected = true;
    for (index, scene) in SCENES.iter().enumerate() {
        match scene.part {
            Part::Offline => {
                if let Some(device) = device.take() {
                    device.disconnect().await.map_err(|error| error.to_string())?;
                    // The server has to notice before the next send.
                    logbook.find(&[("eventType", "Disconnect"), ("clientId", DEVICE)]).await?;
                }
            }
            Part::Acknowledges | Part::KeepsSilent => {
                if device.is_none() {
                    println!();
                    device = Some(connect(page, stage).await?);
                }
            }
        }
        let outcome = scene.play(&mut sender, device.as_mut(), &logbook).await?;
        let differences = scene.differences(&outcome);
        page.scene(index + 1, scene, &outcome, differences.is_empty());
        page.differences(&differences);
        as_expected &= differences.is_empty();
    }
    Ok(as_expected)
}

async fn connect(page: Page, stage: &Stage) -> Result<Device, String> {
    let (device, connected) = stage.device().await?;
    let what = format!("{DEVICE} connected: MQTT 5 over TLS, both sides with a certificate");
    page.done("device", &what, connected.elapsed);
    Ok(device)
}
