//! Everything the registry folder says, checked as a whole.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ::registry::{Policy, PolicyVersion, PrincipalKey, Record, Source, Thing};
use policy::ParseErrors;

use super::entry::{Entry, Reference, derived_uuid};
use super::files::{self, Found, Kind, Reader};
use crate::config::{self, Mistakes, Place, PrincipalName, Table, closest};

/// What the files say.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    pub(super) things: BTreeMap<String, Thing>,
    /// By name; `None` for a document that is broken, so that those who use it are not blamed.
    pub(super) policies: BTreeMap<String, Option<Policy>>,
    /// What is allowed and yet worth a look.
    pub(super) warnings: Mistakes,
}

/// One reading of the folder, good or not.
pub(super) struct Reading {
    /// Every file it depends on.
    pub(super) files: Vec<PathBuf>,
    /// Differs when any of the files does.
    pub(super) digest: u64,
    /// What they say, or all that is wrong.
    pub(super) contents: Result<Contents, Mistakes>,
}

impl Reading {
    /// Reads the registry `root`.
    pub(super) fn of(root: &Path) -> Reading {
        let mut reader = Reader::default();
        let (found, mut mistakes) = files::find(root);
        reader.note(&mistakes);
        let mut contents = Contents::default();
        for file in &found {
            contents.read(file, &mut reader, &mut mistakes);
        }
        contents.check_references(root, &mut mistakes);
        contents.check_unique(&mut mistakes);
        let (files, digest) = reader.finish();
        Reading { files, digest, contents: mistakes.or(contents) }
    }
}

/// Whom a file's name stands for.
pub(super) type Names = HashMap<PrincipalName, PrincipalKey>;

impl Contents {
    /// The same as records, and whom the files' names stand for.
    pub(super) fn into_records(self) -> (Vec<Record>, Names, Mistakes) {
        let names = self.entries.iter().map(|entry| (entry.name.clone(), entry.key())).collect();
        let policies = self.policies.into_values().flatten().map(Record::Policy);
        let things = self.things.into_values().map(Record::Thing);
        let entries = self.entries.into_iter().map(Entry::into_record);
        (policies.chain(things).chain(entries).collect(), names, self.warnings)
    }

    fn read(&mut self, file: &Found, reader: &mut Reader, mistakes: &mut Mistakes) {
        let Found { kind, name, path } = file;
        let text = reader.read(path).map_err(|error| format!("cannot be read: {error}"));
        let text = text.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| "is not UTF-8; save it as UTF-8 text".to_owned())
        });
        let text = match text {
            Ok(text) => text,
            Err(message) => {
                mistakes.add_file(path, message);
                if *kind == Kind::Policy {
                    self.policies.insert(name.clone(), None);
                }
                return;
            }
        };
        let origin = Origin::of(path);
        let (entry, wrong) = match kind {
            Kind::Certificate => config::read(path, &text, |table| {
                Entry::read_certificate(name, origin, table, reader)
            }),
            Kind::Sender => {
                self.warn_of_readers(path);
                config::read(path, &text, |table| Entry::read_sender(name, origin, table))
            }
            Kind::Thing => {
                let (thing, mut wrong) =
                    config::read(path, &text, |table| read_thing(name, origin, table));
                check_name(name, path, ":_-", &mut wrong);
                self.things.insert(name.clone(), thing);
                (None, wrong)
            }
            Kind::Policy => (None, self.read_policy(file, &text)),
        };
        self.entries.extend(entry);
        mistakes.append(wrong);
    }

    fn read_policy(&mut self, file: &Found, text: &str) -> Mistakes {
        let Found { kind: _, name, path } = file;
        let mut mistakes = Mistakes::default();
        check_name(name, path, "_+=,.@-", &mut mistakes);
        let policy = match read_policy(name, Origin::of(path), text) {
            Ok(policy) => Some(policy),
            Err(errors) => {
                note_parse_errors(path, &errors, &mut mistakes);
                None
            }
        };
        self.policies.insert(name.clone(), policy);
        mistakes
    }

    fn warn_of_readers(&mut self, path: &Path) {
        let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & 0o077 != 0 {
            let message = format!(
                "holds a secret, and others than its owner may use the file (mode {:o}); chmod 600",
                mode & 0o777
            );
            self.warnings.add_file(path, message);
        }
    }

    /// Names that one file uses must be those of another.
    fn check_references(&self, root: &Path, mistakes: &mut Mistakes) {
        for entry in &self.entries {
            for policy in &entry.policies {
                if !self.policies.contains_key(&policy.name) {
                    let known = self.policies.keys().map(String::as_str).collect();
                    let file = root.join(format!("policies/{}.json", policy.name));
                    policy.miss("policy", known, &file, mistakes);
                }
            }
            for thing in entry.things.iter().chain(&entry.exclusive_thing) {
                if !self.things.contains_key(&thing.name) {
                    let known = self.things.keys().map(String::as_str).collect();
                    let file = root.join(format!("things/{}.toml", thing.name));
                    thing.miss("thing", known, &file, mistakes);
                }
            }
        }
    }

    /// No two files may describe the same certificate or access key.
    fn check_unique(&self, mistakes: &mut Mistakes) {
        let mut seen: HashMap<(&str, bool), &Entry> = HashMap::new();
        for entry in &self.entries {
            let (what, key) = match &entry.credentials {
                Some(credentials) => ("access key ID", credentials.access_key_id.as_str()),
                None => ("certificate", entry.id.as_str()),
            };
            if let Some(earlier) = seen.insert((key, entry.credentials.is_some()), entry) {
                let message = format!("`{}` has the same {what}; drop one", earlier.name);
                mistakes.add(entry.place.clone(), message);
            }
        }
    }
}

impl Reference {
    /// Notes that what is referred to does not exist.
    fn miss(&self, what: &str, mut known: Vec<&str>, file: &Path, mistakes: &mut Mistakes) {
        known.sort_unstable();
        let advice = match closest(&self.name, &known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("make {}", file.display()),
        };
        let message = format!("there is no {what} `{}`; {advice}", self.name);
        mistakes.add(self.place.clone(), message);
    }
}

/// Where a record comes from, and since when it says what it says.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) source: Source,
    /// When the file changed last, in milliseconds since 1970.
    pub(super) at: i64,
}

impl Origin {
    pub(super) fn of(path: &Path) -> Origin {
        let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let since = modified.and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
        let at = since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0);
        Origin { source: Source::File(path.display().to_string().into()), at }
    }
}

fn read_thing(name: &str, origin: Origin, table: &mut Table<'_>) -> Thing {
    let type_name = table.get("type").and_then(|value| value.text());
    let attributes = table.table("attributes").pairs();
    let attributes = attributes
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.text()?.to_owned())))
        .collect();
    Thing {
        name: name.to_owned(),
        source: origin.source,
        id: derived_uuid(&format!("things/{name}")),
        type_name: type_name.map(str::to_owned),
        attributes,
        version: 1,
        billing_group: None,
        created_at: origin.at,
    }
}

/// A file has one version, which is in force.
fn read_policy(name: &str, origin: Origin, text: &str) -> Result<Policy, ParseErrors> {
    let Origin { source, at } = origin;
    Ok(Policy {
        name: name.to_owned(),
        source,
        created_at: at,
        modified_at: at,
        generation: derived_uuid(&format!("policies/{name}")),
        versions: vec![PolicyVersion::parse(1, text.to_owned(), at)?],
        default: 1,
        next: 2,
    })
}

/// What is wrong with a policy document, each with its line.
pub(super) fn note_parse_errors(path: &Path, errors: &ParseErrors, mistakes: &mut Mistakes) {
    for error in errors {
        let at = if error.path.is_empty() { "" } else { ": " };
        let message = format!("column {}: {}{at}{}", error.column, error.path, error.message);
        mistakes.add(Place::Line(path.to_owned(), error.line), message);
    }
}

/// A file's name becomes the name of a thing or policy, and AWS narrows those.
fn check_name(name: &str, path: &Path, special: &str, mistakes: &mut Mistakes) {
    let fits = |c: char| c.is_ascii_alphanumeric() || special.contains(c);
    if name.len() > 128 || !name.chars().all(fits) {
        let message = format!(
            "`{name}` is no name; rename the file to 1 to 128 letters, digits and {special}"
        );
        mistakes.add_file(path, message);
    }
}
