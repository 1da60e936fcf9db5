//! `tenfour sender create`: an access key with policies.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::cli::folder::FolderArgs;
use crate::cli::runtime::fail;
use crate::dev::AccessKey;
use crate::registry::{self, MadeSender, NewSender, Registry};

/// Makes an access key for a sender, with IAM policies of what it may do
///
/// Writes registry/senders/NAME.toml, and the policies beside it as registry/policies/, each under
/// the name of its file. A running server takes them up within a second. The secret is shown this
/// once; after that it is in the sender's file only, which nobody but its owner can read.
#[derive(Args, Debug)]
pub struct CreateArgs {
    /// The sender's name: 1 to 128 letters, digits and _+=,.@-
    pub name: String,
    /// A file with an IAM policy, such as lamps.json; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    pub policy: Vec<PathBuf>,
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Prints one JSON object, in the form of `aws iam create-access-key`
    #[arg(long)]
    pub json: bool,
}

impl CreateArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        match self.create() {
            Ok((made, key)) => {
                self.print(&made, &key);
                ExitCode::SUCCESS
            }
            Err(message) => fail(message),
        }
    }

    fn create(&self) -> Result<(MadeSender, AccessKey), String> {
        let config = self.folder.load().map_err(|mistakes| mistakes.to_string())?;
        Registry::open(&config).map_err(|mistakes| {
            format!(
                "the registry has mistakes, and a server takes up nothing new before they are mended; \
                 nothing was written:\n{mistakes}"
            )
        })?;
        let key = AccessKey::generate()
            .map_err(|_| "the operating system gives no random bytes for access keys".to_owned())?;
        let new = NewSender { name: &self.name, key: &key, policies: &self.policy };
        let made = registry::create_sender(&config.registry, &new)
            .map_err(|mistakes| format!("nothing was written:\n{mistakes}"))?;
        Ok((made, key))
    }

    fn print(&self, made: &MadeSender, key: &AccessKey) {
        let AccessKey { access_key_id, secret_access_key } = key;
        if self.json {
            let told = json!({
                "AccessKey": {
                    "UserName": self.name,
                    "AccessKeyId": access_key_id,
                    "Status": "Active",
                    "SecretAccessKey": secret_access_key,
                },
                "File": made.file,
                "Policies": made.policies,
            });
            println!("{told}");
            return;
        }
        println!("# Sender {} with the policies {}.", self.name, made.policies.join(", "));
        println!("# The secret is not shown again; it is in {}.", made.file.display());
        println!("export AWS_ACCESS_KEY_ID={access_key_id}");
        // None of its characters means anything to a shell.
        println!("export AWS_SECRET_ACCESS_KEY={secret_access_key}");
    }
}
