//! `tenfour sender list`: who may send, without their secrets.

use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use clap::Args;
use engine::directory::Status;
use serde_json::{Value, json};

use crate::cli::folder::FolderArgs;
use crate::cli::runtime::fail;
use crate::registry::{self, ListedSender};

/// Lists the senders of the registry, without their secrets
///
/// A file that cannot be read is told on standard error, with exit status 1; the others are listed
/// all the same.
#[derive(Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
}

impl ListArgs {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        let config = match self.folder.load() {
            Ok(config) => config,
            Err(mistakes) => return fail(mistakes),
        };
        let (senders, mistakes) = registry::list_senders(&config.registry);
        if self.json {
            let senders: Vec<Value> = senders.iter().map(document).collect();
            println!("{}", json!({ "senders": senders }));
        } else {
            print!("{}", table(&senders));
        }
        match mistakes.or(()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(mistakes) => fail(mistakes),
        }
    }
}

fn document(sender: &ListedSender) -> Value {
    json!({
        "name": sender.name,
        "accessKeyId": sender.access_key_id,
        "status": status(sender),
        "expires": sender.expires,
        "policies": sender.policies,
        "file": sender.file,
    })
}

fn table(senders: &[ListedSender]) -> String {
    let width = |of: fn(&ListedSender) -> &str, least: usize| {
        senders.iter().map(|sender| of(sender).len()).fold(least, usize::max)
    };
    let name = width(|sender| &sender.name, "NAME".len());
    let key = width(|sender| &sender.access_key_id, "ACCESS KEY ID".len());
    let mut table = format!("{:name$}  {:key$}  STATUS    POLICIES\n", "NAME", "ACCESS KEY ID");
    for sender in senders {
        let ListedSender { name: its_name, access_key_id, policies, .. } = sender;
        let (policies, status) = (policies.join(", "), status(sender));
        table += &format!("{its_name:name$}  {access_key_id:key$}  {status:8}  {policies}");
        if let Some(expires) = sender.expires.and_then(|seconds| u64::try_from(seconds).ok()) {
            let at = UNIX_EPOCH + Duration::from_secs(expires);
            table += &format!(" (until {})", httpdate::fmt_http_date(at));
        }
        table.push('\n');
    }
    table
}

fn status(sender: &ListedSender) -> &'static str {
    match sender.status {
        Status::Active => "ACTIVE",
        Status::Inactive => "INACTIVE",
        Status::Revoked => "REVOKED",
        Status::Expired => "EXPIRED",
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let sender = |name: &str, expires| ListedSender {
            name: name.to_owned(),
            file: PathBuf::from("x"),
            access_key_id: "AKIA".to_owned(),
            status: Status::Active,
            expires,
            policies: vec!["a".to_owned(), "b".to_owned()],
        };
        let table = table(&[sender("backend", None), sender("x", Some(784_111_777))]);
        let expected = "\
            NAME     ACCESS KEY ID  STATUS    POLICIES\n\
            backend  AKIA           ACTIVE    a, b\n\
            x        AKIA           ACTIVE    a, b (until Sun, 06 Nov 1994 08:49:37 GMT)\n";
        assert_eq!(table, expected);
    }
}
