//! The command line, one file a command.

mod check;
mod demo;
mod dev;
mod folder;
mod found;
mod listen;
mod paint;
mod policy_test;
mod runtime;
mod send;
mod sender;
mod serve;
mod usage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A self-hosted server, wire-compatible with the AWS IoT Core data plane
///
/// Send a message to one device by its MQTT client ID in one HTTP call, and learn from the answer
/// whether the device acknowledged it.
///
/// Start with `tenfour demo` to see it work, then `tenfour dev` for a server on this machine.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Tenfour {
    #[command(subcommand)]
    command: Command,
}

/// Made once a process; the size of the largest does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Dev(dev::DevArgs),
    Serve(serve::ServeArgs),
    Check(check::CheckArgs),
    Send(send::SendArgs),
    Listen(listen::ListenArgs),
    Usage(usage::UsageArgs),
    /// Makes, lists and revokes the access keys of senders
    #[command(subcommand)]
    Sender(sender::SenderCommand),
    /// Asks the policies of a registry
    #[command(subcommand)]
    Policy(PolicyCommand),
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    Test(policy_test::PolicyTestArgs),
}

impl Tenfour {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        match self.command {
            Command::Demo(arguments) => arguments.run(),
            Command::Dev(arguments) => arguments.run(),
            Command::Serve(arguments) => arguments.run(),
            Command::Check(arguments) => arguments.run(),
            Command::Send(arguments) => arguments.run(),
            Command::Listen(arguments) => arguments.run(),
            Command::Usage(arguments) => arguments.run(),
            Command::Sender(command) => command.run(),
            Command::Policy(PolicyCommand::Test(arguments)) => arguments.run(),
        }
    }
}
