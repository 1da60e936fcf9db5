//! The files of senders: made, listed and taken away while a server may follow them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine::directory::Status;
use policy::Document;

use super::contents::{Origin, Reading, note_parse_errors};
use super::entry::Entry;
use super::files::{self, Found, Kind};
use super::new_file::{self, Lock};
use crate::config::{self, Mistakes};
use crate::dev::AccessKey;

/// Characters of names besides letters and digits.
const SPECIAL: &str = "_+=,.@-";
/// How many a name may have.
const NAME_CHARACTERS: usize = 128;

const OWNER_ONLY: u32 = 0o600;
const EVERYBODY_READS: u32 = 0o644;

/// A sender that is about to be made.
#[derive(Debug)]
pub struct NewSender<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its access key.
    pub key: &'a AccessKey,
    /// The files of its policies, each named as the policy is to be.
    pub policies: &'a [PathBuf],
}

/// A sender that was made.
#[derive(Debug)]
pub struct MadeSender {
    /// Its file.
    pub file: PathBuf,
    /// The names of its policies.
    pub policies: Vec<String>,
}

/// A sender as its file describes it, but for its secrets.
#[derive(Debug)]
pub struct ListedSender {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// What it names itself by.
    pub access_key_id: String,
    /// Whether it may be used.
    pub status: Status,
    /// When its credentials end, in seconds since 1970.
    pub expires: Option<i64>,
    /// The names of its policies.
    pub policies: Vec<String>,
}

/// A sender that was taken away.
#[derive(Debug)]
pub struct RevokedSender {
    /// Its name.
    pub name: String,
    /// The file that is gone.
    pub file: PathBuf,
    /// The files of its policies that no file names any more; or what is wrong with the rest of the
    /// registry, for which a running server does not take up any change.
    pub unused: Result<Vec<PathBuf>, Mistakes>,
}

/// A policy's name, the document, and the file it belongs in.
struct PolicyFile {
    name: String,
    text: String,
    path: PathBuf,
    is_there: bool,
}

/// Makes a sender in the registry `root`. Its policies come first: a server that looks meanwhile
/// never sees a sender whose policies are missing.
///
/// # Errors
/// Everything that is wrong; nothing is left behind.
pub fn create_sender(root: &Path, new: &NewSender<'_>) -> Result<MadeSender, Mistakes> {
    let mut mistakes = Mistakes::default();
    // From the look at what is there to the last file: otherwise one who fails may take back a
    // policy that another one found there and named in the meantime.
    let lock = match Lock::of(root) {
        Ok(lock) => lock,
        Err(error) => {
            mistakes.add_file(root, format!("cannot be locked: {error}"));
            return Err(mistakes);
        }
    };
    let file = root.join(Kind::Sender.file(new.name));
    check_name(new.name, Path::new(new.name), &mut mistakes);
    if file.exists() {
        mistakes.add_file(&file, "exists already; take another name, or revoke that sender first");
    }
    let mut policies = Vec::new();
    for path in new.policies {
        policies.extend(read_policy(root, path, &mut mistakes));
    }
    let mut names = BTreeSet::new();
    for policy in policies.iter().filter(|policy| !names.insert(policy.name.clone())) {
        mistakes.add_file(&policy.path, "two policies would have this file; rename one of theirs");
    }
    mistakes.or(())?;
    let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
    let text = new.key.sender_file("Made by `tenfour sender create`.", &names);
    let mut written: Vec<&Path> = Vec::new();
    let steps = policies.iter().filter(|policy| !policy.is_there);
    let steps = steps.map(|policy| (&*policy.path, &*policy.text, EVERYBODY_READS));
    for (path, text, mode) in steps.chain([(&*file, &*text, OWNER_ONLY)]) {
        if let Err(error) = new_file::create(&lock, path, text, mode) {
            // The first error is told; what cannot be taken back does no harm.
            written.iter().for_each(|path| drop(new_file::remove(path)));
            let mut mistakes = Mistakes::default();
            mistakes.add_file(path, format!("cannot be made: {error}"));
            return Err(mistakes);
        }
        written.push(path);
    }
    Ok(MadeSender { policies: policies.iter().map(|policy| policy.name.clone()).collect(), file })
}

/// Every sender of the registry `root` whose file can be read, and what is wrong with the others.
pub fn list_senders(root: &Path) -> (Vec<ListedSender>, Mistakes) {
    let (found, mut mistakes) = files::find(root);
    let mut listed = Vec::new();
    for found in found.iter().filter(|found| found.kind == Kind::Sender) {
        listed.extend(read_sender(found, &mut mistakes));
    }
    (listed, mistakes)
}

/// Takes away the sender with that name, or that access key ID, in the registry `root`.
///
/// # Errors
/// A sentence: there is none, or its file cannot be removed.
pub fn revoke_sender(root: &Path, who: &str) -> Result<RevokedSender, String> {
    let (senders, _) = list_senders(root);
    // A file that cannot be read has a name all the same.
    let named = root.join(Kind::Sender.file(who));
    let of_key = senders.iter().find(|sender| sender.access_key_id == who);
    let file = if is_name(who) && named.exists() {
        named
    } else if let Some(sender) = of_key {
        sender.file.clone()
    } else {
        let known: Vec<&str> = senders.iter().map(|sender| sender.name.as_str()).collect();
        let advice = match config::closest(who, &known) {
            Some(name) => format!("did you mean {name}?"),
            None if known.is_empty() => "there are none".to_owned(),
            None => format!("there is {}", config::list(&known)),
        };
        return Err(format!("there is no sender with the name or access key ID {who}; {advice}"));
    };
    let policies = senders.iter().find(|sender| sender.file == file);
    let policies = policies.map(|sender| sender.policies.clone()).unwrap_or_default();
    new_file::remove(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let unused = Reading::of(root).contents.map(|contents| {
        let used = contents.entries.iter().flat_map(|entry| &entry.policies);
        let used: BTreeSet<&str> = used.map(|policy| policy.name.as_str()).collect();
        let unused = policies.iter().filter(|name| !used.contains(name.as_str()));
        unused.map(|name| root.join(Kind::Policy.file(name))).collect()
    });
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(RevokedSender { name, file, unused })
}

/// Whether a file can have that name and be seen: hidden files are not the registry's.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || SPECIAL.contains(c);
    (1..=NAME_CHARACTERS).contains(&text.len()) && !text.starts_with('.') && text.chars().all(fits)
}

fn check_name(name: &str, path: &Path, mistakes: &mut Mistakes) {
    if !is_name(name) {
        let message = format!(
            "`{name}` is no name; a name has 1 to {NAME_CHARACTERS} letters, digits and {SPECIAL}, and \
             does not begin with a full stop"
        );
        mistakes.add_file(path, message);
    }
}

fn read_policy(root: &Path, file: &Path, mistakes: &mut Mistakes) -> Option<PolicyFile> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            mistakes.add_file(file, format!("cannot be read: {error}"));
            return None;
        }
    };
    if let Err(errors) = Document::parse(&text) {
        note_parse_errors(file, &errors, mistakes);
        return None;
    }
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    check_name(&name, file, mistakes);
    let path = root.join(Kind::Policy.file(&name));
    let is_there = match fs::read(&path) {
        Ok(present) if present == text.as_bytes() => true,
        Ok(_) => {
            let message = format!(
                "would become the policy {name}, which is there and says something else ({}); rename \
                 the file",
                path.display()
            );
            mistakes.add_file(file, message);
            return None;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => {
            mistakes.add_file(&path, format!("cannot be read: {error}"));
            return None;
        }
    };
    Some(PolicyFile { name, text, path, is_there })
}

fn read_sender(found: &Found, mistakes: &mut Mistakes) -> Option<ListedSender> {
    let Found { kind: _, name, path } = found;
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            mistakes.add_file(path, format!("cannot be read: {error}"));
            return None;
        }
    };
    let (entry, wrong) =
        config::read(path, &text, |table| Entry::read_sender(name, Origin::of(path), table));
    mistakes.append(wrong);
    let entry = entry?;
    let policies = entry.policies.iter().map(|policy| policy.name.clone()).collect();
    let status = entry.status();
    let credentials = entry.credentials?;
    Some(ListedSender {
        name: name.clone(),
        file: path.clone(),
        access_key_id: credentials.access_key_id,
        status,
        expires: credentials.expires,
        policies,
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const POLICY: &str = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": "*"}}"#;

    #[test]
    fn of_several_at_once_one_makes_the_sender_and_its_policy_stays() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join("registry");
            fs::create_dir(&root).unwrap();
            let policies = [folder.path().join("lamps.json")];
            fs::write(&policies[0], POLICY).unwrap();
            let create = || {
                let key = AccessKey::generate().unwrap();
                create_sender(&root, &NewSender { name: "x", key: &key, policies: &policies })
            };
            let made = thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
                let done = threads.into_iter().map(|thread| thread.join().unwrap());
                done.filter(Result::is_ok).count()
            });
            assert_eq!(made, 1);
            assert!(Reading::of(&root).contents.is_ok(), "the sender's policy is there");
        }
    }
}
