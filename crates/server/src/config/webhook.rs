//! The `[webhook]` table.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use api::ReceiptStatus;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::document::{Table, Value, closest, list};
use super::mistake::Mistakes;
use super::remote::Remote;

/// What stands before a secret in base64 in the Standard Webhooks scheme.
const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a secret, as the scheme has it.
const SECRET_BYTES: RangeInclusive<usize> = 24..=64;
const EXAMPLE: &str = "https://receiver.example/receipts";
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(300);
const TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS: RangeInclusive<u64> = 1..=100;
const DEFAULT_ATTEMPTS: u32 = 8;

/// Where receipts are posted to, and how.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The server.
    pub remote: Remote,
    /// What receipts are signed with.
    pub secret: Secret,
    /// Which receipts are posted.
    pub events: Vec<ReceiptStatus>,
    /// Time for one attempt.
    pub timeout: Duration,
    /// How often a receipt is tried.
    pub attempts: u32,
}

/// The key of the signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let bytes = match text.strip_prefix(SECRET_PREFIX) {
            Some(encoded) => STANDARD
                .decode(encoded)
                .map_err(|error| format!("what follows {SECRET_PREFIX} is no base64: {error}"))?,
            None => text.as_bytes().to_vec(),
        };
        if !SECRET_BYTES.contains(&bytes.len()) {
            let (least, most) = SECRET_BYTES.into_inner();
            return Err(format!(
                "expected {least} to {most} bytes, not {}; `openssl rand -base64 32` makes some, \
                 to be written behind {SECRET_PREFIX}",
                bytes.len()
            ));
        }
        Ok(Secret(bytes.into()))
    }
}

impl fmt::Debug for Secret {
    /// Leaves it out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Webhook {
    /// A warning when whoever is on the way can read the receipts.
    pub(super) fn warnings(&self) -> Mistakes {
        self.remote.warnings("receipts")
    }
}

/// Reads the table, if there is one.
pub(super) fn read(mut table: Table<'_>) -> Option<Webhook> {
    if !table.exists() {
        return None;
    }
    let url = table.require("url", &format!("url = \"{EXAMPLE}\""));
    let secret = read_secret(&mut table);
    let events = table.get("events").map(|value| read_events(&value));
    let timeout = table.get("timeout_seconds").and_then(|value| value.seconds(TIMEOUTS));
    let attempts = table.get("attempts").and_then(|value| value.integer(ATTEMPTS));
    let ca = table.get("ca");
    let remote = Remote::read(&url?, ca, EXAMPLE);
    Some(Webhook {
        remote: remote?,
        secret: secret?,
        events: events.unwrap_or_else(settled),
        timeout: timeout.unwrap_or(TIMEOUT),
        attempts: attempts.and_then(|number| number.try_into().ok()).unwrap_or(DEFAULT_ATTEMPTS),
    })
}

/// Everything but what goes on.
fn settled() -> Vec<ReceiptStatus> {
    let all = ReceiptStatus::ALL.into_iter();
    all.filter(|status| *status != ReceiptStatus::Pending).collect()
}

fn read_secret(table: &mut Table<'_>) -> Option<Secret> {
    match (table.get("secret"), table.get("secret_file")) {
        (Some(value), None) => value.parse(Secret::parse),
        (None, Some(value)) => {
            let path = value.path()?;
            match std::fs::read_to_string(&path) {
                Ok(text) => match Secret::parse(text.trim_end()) {
                    Ok(secret) => Some(secret),
                    Err(error) => {
                        value.mistake(format_args!("{}: {error}", path.display()));
                        None
                    }
                },
                Err(error) => {
                    value.mistake(format_args!("cannot read {}: {error}", path.display()));
                    None
                }
            }
        }
        (Some(_), Some(value)) => {
            value.mistake("stands beside `secret`; write one of them");
            None
        }
        (None, None) => {
            table.mistake(format!(
                "`webhook.secret` is missing; write secret = \"{SECRET_PREFIX}…\" with base64, or \
                 secret_file = \"…\""
            ));
            None
        }
    }
}

fn read_events(value: &Value<'_>) -> Vec<ReceiptStatus> {
    let words = ReceiptStatus::ALL.map(ReceiptStatus::word);
    let mut events = Vec::new();
    let texts = value.texts().unwrap_or_default();
    for (text, place) in &texts {
        match ReceiptStatus::ALL.into_iter().find(|status| status.word() == *text) {
            Some(status) if events.contains(&status) => {
                place.mistake(format_args!("\"{text}\" stands there twice"));
            }
            Some(status) => events.push(status),
            None => match closest(text, &words) {
                Some(word) => place.mistake(format_args!("did you mean \"{word}\"?")),
                None => place.expected(list(&words)),
            },
        }
    }
    if texts.is_empty() {
        value.mistake("names none; leave it out for all that is settled");
    }
    events
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::document;
    use super::*;

    const URL: &str = "url = \"http://127.0.0.1:9000/receipts?a=b\"\n";
    const SECRET: &str = "secret = \"twenty-four bytes at least\"\n";

    /// The table of a file beside the certificates of the tests.
    fn load(folder: &Path, text: &str) -> (Option<Webhook>, Mistakes) {
        let text = format!("[webhook]\n{text}");
        document::read(&folder.join("tenfour.toml"), &text, |table| read(table.table("webhook")))
    }

    fn good(text: &str) -> Webhook {
        let (webhook, mistakes) = load(Path::new("/nowhere"), text);
        assert!(mistakes.is_empty(), "{mistakes}");
        webhook.unwrap()
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        (folder, path)
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let webhook = good(&format!("{URL}{SECRET}"));
        assert_eq!(webhook.remote.url.to_string(), "http://127.0.0.1:9000");
        assert_eq!(webhook.remote.path_and_query, "/receipts?a=b");
        assert_eq!(webhook.secret.bytes(), b"twenty-four bytes at least");
        assert_eq!((webhook.timeout, webhook.attempts), (TIMEOUT, DEFAULT_ATTEMPTS));
        assert!(!webhook.events.contains(&ReceiptStatus::Pending));
        assert_eq!(webhook.events.len(), ReceiptStatus::ALL.len() - 1);
        assert!(webhook.remote.tls.is_none() && webhook.warnings().is_empty());
    }

    #[test]
    fn everything_can_be_set() {
        let (_kept, folder) = folder();
        let base64 = STANDARD.encode([7; 24]);
        std::fs::write(folder.join("secret"), format!("whsec_{base64}\n")).unwrap();
        let authority = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        std::fs::write(folder.join("ca.pem"), authority.cert.pem()).unwrap();
        let text = "url = \"https://a.example\"\nca = \"ca.pem\"\nsecret_file = \"secret\"\n\
                    events = [\"pending\", \"refused\"]\ntimeout_seconds = 0.5\nattempts = 3\n";
        let (webhook, mistakes) = load(&folder, text);
        assert!(mistakes.is_empty(), "{mistakes}");
        let webhook = webhook.unwrap();
        assert_eq!(webhook.secret.bytes(), [7; 24]);
        assert_eq!(webhook.events, [ReceiptStatus::Pending, ReceiptStatus::Refused]);
        assert_eq!((webhook.timeout, webhook.attempts), (Duration::from_millis(500), 3));
        let remote = &webhook.remote;
        assert_eq!((remote.path_and_query.as_str(), remote.tls.is_some()), ("/", true));
        assert!(!format!("{webhook:?}").contains(", 7"), "the secret is not shown");
    }

    #[test]
    fn without_the_table_there_is_none() {
        let file = Path::new("tenfour.toml");
        let (webhook, mistakes) = document::read(file, "", |table| read(table.table("webhook")));
        assert!(webhook.is_none() && mistakes.is_empty());
    }

    #[test]
    fn receipts_in_the_clear_are_a_warning_unless_they_stay_here() {
        let warnings =
            |host| good(&format!("url = \"http://{host}/\"\n{SECRET}")).warnings().to_string();
        assert!(warnings("receiver.example").contains("in the clear"));
        for host in ["localhost", "127.0.0.2:9000", "[::1]:9000"] {
            assert_eq!(warnings(host), "");
        }
    }

    #[test]
    fn every_mistake_is_told_with_what_would_be_right() {
        let (_kept, folder) = folder();
        std::fs::write(folder.join("short"), "short").unwrap();
        let url = |url: &str| format!("url = \"{url}\"\n{SECRET}");
        let more = |more: &str| format!("{URL}{SECRET}{more}\n");
        for (text, fragment) in [
            (SECRET.to_owned(), "`webhook.url` is missing"),
            (URL.to_owned(), "`webhook.secret` is missing"),
            (url("receiver.example/x"), "such as \"https://"),
            (url("/receipts"), "expected a URL"),
            (url("ftp://a/"), "does not begin with https://"),
            (url("http://me:you@a/"), "neither a name and password"),
            (url("http://a/#top"), "neither a name and password"),
            (url("http://a:70000/"), "1 to 65535"),
            (more("secret_file = \"short\""), "write one of them"),
            (format!("{URL}secret = \"short\"\n"), "24 to 64 bytes, not 5"),
            (format!("{URL}secret = \"whsec_*\"\n"), "no base64"),
            (format!("{URL}secret_file = \"short\"\n"), "short: expected 24 to 64 bytes"),
            (format!("{URL}secret_file = \"none\"\n"), "cannot read"),
            (more("events = [\"acknowledged-latte\"]"), "did you mean \"acknowledged-late\"?"),
            (more("events = [\"everything\"]"), "`acknowledged`"),
            (more("events = [\"sent\", \"sent\"]"), "twice"),
            (more("events = []"), "names none"),
            (more("events = \"sent\""), "a list of strings"),
            (more("timeout_seconds = 0"), "seconds, 0.1 to 300"),
            (more("attempts = 0"), "1 to 100"),
            (more("ca = \"short\""), "of use with https only"),
            (more("retries = 3"), "unknown key `webhook.retries`"),
            (format!("{}ca = \"short\"\n", url("https://a/")), "no certificate"),
            (format!("{}ca = \"none\"\n", url("https://a/")), "cannot read"),
        ] {
            let (_, mistakes) = load(&folder, &text);
            assert!(mistakes.to_string().contains(fragment), "{text}\n{mistakes}");
        }
    }
}
