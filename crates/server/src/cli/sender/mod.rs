//! `tenfour sender`: the access keys of senders, in the files of the registry.

mod create;
mod list;
mod revoke;

use std::process::ExitCode;

use clap::Subcommand;

/// What is done with senders.
#[derive(Debug, Subcommand)]
pub enum SenderCommand {
    Create(create::CreateArgs),
    List(list::ListArgs),
    Revoke(revoke::RevokeArgs),
}

impl SenderCommand {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        match self {
            SenderCommand::Create(arguments) => arguments.run(),
            SenderCommand::List(arguments) => arguments.run(),
            SenderCommand::Revoke(arguments) => arguments.run(),
        }
    }
}
