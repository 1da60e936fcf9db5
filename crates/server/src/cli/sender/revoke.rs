//! `tenfour sender revoke`: an access key that is to be of no use any more.

use std::process::ExitCode;

use clap::Args;

use crate::cli::folder::FolderArgs;
use crate::cli::runtime::fail;
use crate::config::{Config, MqttAccess, PrincipalName};
use crate::registry;

/// Takes a sender's access key out of the registry
///
/// A running server refuses the key within a second. Its policies stay where they are.
#[derive(Args, Debug)]
pub struct RevokeArgs {
    /// The sender's name, or its access key ID
    #[arg(value_name = "NAME|KEY_ID")]
    pub who: String,
    #[command(flatten)]
    pub folder: FolderArgs,
}

impl RevokeArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        match self.revoke() {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => fail(message),
        }
    }

    fn revoke(&self) -> Result<(), String> {
        let config = self.folder.load().map_err(|mistakes| mistakes.to_string())?;
        self.check_unneeded(&config)?;
        let revoked = registry::revoke_sender(&config.registry, &self.who)?;
        println!("revoked {}; {} is gone", revoked.name, revoked.file.display());
        let unused = revoked.unused.map_err(|mistakes| {
            format!(
                "a running server goes on accepting the key until these mistakes are mended, as it \
                 takes up the registry as a whole:\n{mistakes}"
            )
        })?;
        for file in unused {
            println!("no file names its policy any more: {}", file.display());
        }
        Ok(())
    }

    /// Without its principal the plain listener, and with it the server, would not start.
    fn check_unneeded(&self, config: &Config) -> Result<(), String> {
        let access = config.listeners.mqtt.as_ref().and_then(|mqtt| mqtt.access.as_ref());
        let Some(MqttAccess::Principal { name: PrincipalName::Sender(name), .. }) = access else {
            return Ok(());
        };
        let (senders, _) = registry::list_senders(&config.registry);
        let is_it = |sender: &registry::ListedSender| {
            sender.name == *name && [&sender.name, &sender.access_key_id].contains(&&self.who)
        };
        if senders.iter().any(is_it) {
            return Err(format!(
                "[listeners] mqtt names the principal senders/{name}; name another one in the \
                 configuration first"
            ));
        }
        Ok(())
    }
}
