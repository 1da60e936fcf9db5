//! The binary `tenfour-crash`: kills a server under load with SIGKILL, again and again, and checks
//! from outside what it promised: what it acknowledged is not lost, what it has at QoS 2 comes once,
//! sessions, subscriptions and retained messages are there.

mod chance;
mod link;
mod message;
mod publisher;
mod retained;
mod run;
mod server;
mod session;
mod stage;
mod subscriber;
mod subscriptions;
mod summary;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;

use crate::server::Server;

/// Kills a server under load and checks that it kept what it promised
#[derive(Parser, Debug)]
#[command(name = "tenfour-crash")]
struct Options {
    /// The binary `tenfour`
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
    /// Where its data goes; must not exist, and stays when a promise is broken
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// How often to kill it
    #[arg(long, default_value_t = 15)]
    kills: u64,
    /// Repeats the choices of an earlier run; by default each run has its own
    #[arg(long)]
    seed: Option<u64>,
    /// What the server promises
    #[arg(long, value_name = "WORD", value_parser = ["always", "batched"], default_value = "always")]
    durability: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = options.seed.unwrap_or(now.as_secs() % 1_000_000);
    println!("seed                     {seed}");
    println!("durability               {}", options.durability);
    let prepared = Server::prepare(&options.server, &options.folder, &options.durability);
    let finding = prepared.and_then(|mut server| run::run(&mut server, seed, options.kills));
    match finding {
        Ok(finding) => {
            println!("{finding}");
            ExitCode::from(u8::from(!finding.verdict.wrong.is_empty()))
        }
        Err(sentence) => {
            eprintln!("tenfour-crash: {sentence}");
            ExitCode::FAILURE
        }
    }
}
