//! A process of its own that commits until something ends it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use store::{Records, Sync};
use store_embedded::Embedded;

use crate::commits;

/// Where the child finds its folder.
const FOLDER: &str = "STORE_CHILD_FOLDER";
/// How far its commits go: `disk` or `system`.
const SYNC: &str = "STORE_CHILD_SYNC";
const COMMITTED: &str = "committed ";
const REFUSED: &str = "refused ";

/// The running child.
pub struct Committer {
    child: Child,
    output: BufReader<ChildStdout>,
    reported: u64,
}

impl Committer {
    pub fn start(folder: &Path, sync: Sync) -> Self {
        Self::start_by(Command::new(std::env::current_exe().unwrap()), folder, sync)
    }

    /// In a shell which first does something that the child inherits.
    pub fn start_after(preparation: &str, folder: &Path, sync: Sync) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{preparation} && exec \"$0\" \"$@\"")]);
        shell.arg(std::env::current_exe().unwrap());
        Self::start_by(shell, folder, sync)
    }

    fn start_by(mut command: Command, folder: &Path, sync: Sync) -> Self {
        let sync = match sync {
            Sync::Disk => "disk",
            Sync::System => "system",
        };
        let mut child = command
            .args(["--exact", "child::commits_until_it_ends", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .env(SYNC, sync)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output, reported: 0 }
    }

    /// Waits until it has reported that many commits, or ended.
    pub fn wait_for(&mut self, commits: u64) {
        let mut line = String::new();
        let mut seen = 0;
        while seen < commits && self.output.read_line(&mut line).unwrap() > 0 {
            if let Some(number) = line.trim_end().strip_prefix(COMMITTED) {
                self.reported = number.parse().unwrap();
                seen += 1;
            }
            line.clear();
        }
    }

    /// Ends it with `SIGKILL`. Returns the number of the last commit it reported.
    pub fn kill(mut self) -> u64 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.rest();
        self.reported
    }

    /// Waits until a commit is refused. Returns the number of the last commit it reported and the
    /// sentence.
    pub fn refusal(mut self) -> (u64, String) {
        let rest = self.rest();
        let status = self.child.wait().unwrap();
        let sentence = rest.lines().find_map(|line| line.strip_prefix(REFUSED));
        let sentence = sentence.unwrap_or_else(|| panic!("no refusal, {status}: {rest}"));
        (self.reported, sentence.to_owned())
    }

    fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        // The last line may be cut off.
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let last = whole.lines().rev().find_map(|line| line.strip_prefix(COMMITTED));
        if let Some(number) = last {
            self.reported = number.parse().unwrap();
        }
        rest
    }
}

#[test]
#[ignore = "the other process of the crash tests, which start it themselves"]
fn commits_until_it_ends() {
    let folder = std::env::var_os(FOLDER).expect("it is started by another test");
    let sync = match std::env::var(SYNC).as_deref() {
        Ok("disk") => Sync::Disk,
        Ok(_) | Err(_) => Sync::System,
    };
    let mut out = std::io::stdout();
    let records = match Embedded::open(Path::new(&folder)) {
        Ok(records) => records,
        Err(refused) => {
            writeln!(out, "\n{REFUSED}{refused}").unwrap();
            return;
        }
    };
    for number in commits::check(&records).unwrap() + 1.. {
        if let Err(refused) = records.commit(&commits::changes(number), sync) {
            writeln!(out, "\n{REFUSED}{refused}").unwrap();
            return;
        }
        // The pipe has it even if the process ends right after.
        writeln!(out, "\n{COMMITTED}{number}").unwrap();
        out.flush().unwrap();
    }
}
