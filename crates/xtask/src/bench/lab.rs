//! Where measurements take place: programs, files, and how they are started.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};
use crate::repository::{Repository, capture};

use super::configuration::{
    ACCESS_KEY_ID, DataFolder, REGION, Registry, SECRET_ACCESS_KEY, Senders, Threads,
};
use super::effort::Effort;
use super::journal::Journal;
use super::measurement::Measurement;
use super::running::Running;
use super::server::Server;

/// Devices, unless a row is about their number.
pub(super) const DEVICES: &str = "1000";
/// Bytes of each message.
pub(super) const PAYLOAD: &str = "256";

/// What mosquitto is told; everything else is its default. It drops nothing that it queues, and lets
/// as much be unacknowledged as the server. Started by root it would become another user, and the
/// kernel would then not end it with us.
const MOSQUITTO: &str = "\
allow_anonymous true
persistence false
log_dest none
user root
max_queued_messages 0
max_inflight_messages 1000
";

/// What all rows share.
pub(super) struct Lab<'a> {
    /// The repository.
    pub(super) repository: &'a Repository,
    /// How much time there is.
    pub(super) effort: Effort,
    /// The commands that were run.
    pub(super) journal: Journal,
    programs: PathBuf,
    folder: PathBuf,
    data: DataFolder,
}

/// How a server of this product is set up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    /// A name that no other running one has.
    pub(super) name: &'static str,
    pub(super) senders: Senders,
    pub(super) registry: Registry,
    pub(super) threads: Threads,
    /// The cores it may use, as `taskset` writes them; `None` for all.
    cores: Option<&'static str>,
    pub(super) profile: &'static str,
    pub(super) durability: &'static str,
    /// How many receipts it keeps; `None` for as many as it does without being told.
    pub(super) receipts: Option<u32>,
}

impl Setup {
    /// On one thread, as the floor and mosquitto are, with a small registry.
    pub(super) const fn new(name: &'static str, senders: Senders) -> Self {
        let (registry, threads) = (Registry::Small, Threads::One);
        let (durability, receipts) = ("always", None);
        let profile = "aws";
        Self { name, senders, registry, threads, cores: None, profile, durability, receipts }
    }

    /// The same with that durability.
    pub(super) const fn kept(self, durability: &'static str) -> Self {
        Self { durability, ..self }
    }

    /// The same with at most so many receipts.
    pub(super) const fn with_receipts(self, receipts: u32) -> Self {
        Self { receipts: Some(receipts), ..self }
    }

    /// The same with a thread for each core, which is what it has without being told.
    pub(super) const fn on_every_core(self) -> Self {
        Self { threads: Threads::OneACore, ..self }
    }

    /// The same on these cores, with a thread on each.
    pub(super) const fn on(self, cores: &'static str) -> Self {
        Self { cores: Some(cores), ..self.on_every_core() }
    }

    /// The same with MQTT as the standards have it.
    pub(super) const fn to_the_letter(self) -> Self {
        Self { profile: "standard", ..self }
    }

    /// The same with that registry.
    pub(super) const fn knowing(self, registry: Registry) -> Self {
        Self { registry, ..self }
    }
}

/// The usual server without authentication of senders.
pub(super) const OPEN: Setup = Setup::new("server", Senders::Open);
/// The usual server whose senders sign.
pub(super) const SIGNED: Setup = Setup::new("server", Senders::Signed);

/// Whether the floor speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Floor {
    /// It does not.
    Plain,
    /// It does.
    Tls,
}

impl<'a> Lab<'a> {
    /// Makes the folder below the target folder anew, with certificates, registry and policies.
    ///
    /// # Errors
    /// When that is not possible.
    pub(super) fn new(repository: &'a Repository, effort: Effort) -> Outcome<Self> {
        let target = repository.target_dir()?;
        let (programs, folder) = (target.join("release"), target.join("bench"));
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| Failure::io(format!("removing {}", folder.display()), &error))?;
        }
        fs::create_dir_all(&folder)
            .map_err(|error| Failure::io(format!("making {}", folder.display()), &error))?;
        let data = folder.join("data");
        let mut dev = Command::new(programs.join("tenfour"));
        let ready = folder.join("dev.json");
        dev.args(["dev", "--ephemeral-ports", "--dir"]).arg(&data);
        dev.arg("--ready-file").arg(&ready);
        // Only for the certificates.
        start(&dev, &folder.join("dev.txt"), &ready)?;
        let data = DataFolder::furnish(data)?;
        let journal = Journal::new(repository.root().to_path_buf());
        Ok(Self { repository, effort, journal, programs, folder, data })
    }

    /// Starts a server of this product.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn tenfour(&self, setup: Setup) -> Outcome<Server> {
        let Setup { name, cores, .. } = setup;
        let (config, log) = self.data.configure(&setup)?;
        let program = self.programs.join("tenfour");
        let mut command = match cores {
            None => Command::new(program),
            Some(cores) => {
                let mut taskset = Command::new("taskset");
                taskset.args(["--cpu-list", cores]).arg(program);
                taskset
            }
        };
        let ready = self.folder.join(format!("{name}.json"));
        command.args(["serve", "--config"]).arg(config).arg("--ready-file").arg(&ready);
        let running = self.start(&command, name, &ready)?;
        let path = |relative| self.data.path(relative).display().to_string();
        let target = [
            ("--ready-file", ready.display().to_string()),
            ("--ca", path("tls/ca.pem")),
            ("--cert", path("devices/myDevice.cert.pem")),
            ("--key", path("devices/myDevice.private.key")),
        ];
        let key = [
            ("--access-key-id", ACCESS_KEY_ID.to_owned()),
            ("--secret-access-key", SECRET_ACCESS_KEY.to_owned()),
            ("--region", REGION.to_owned()),
        ];
        Ok(Server::new(running, options(target)).with(options(key), log))
    }

    /// Starts the relay that does nothing but the socket work.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn floor(&self, floor: Floor) -> Outcome<Server> {
        let name = match floor {
            Floor::Plain => "floor",
            Floor::Tls => "floor-tls",
        };
        let ready = self.folder.join(format!("{name}.json"));
        let mut command = Command::new(self.programs.join("tenfour-floor"));
        command.arg("--ready-file").arg(&ready);
        match floor {
            Floor::Plain => {}
            Floor::Tls => {
                command.arg("--tls").arg("--ca").arg(self.data.path("tls/ca.pem"));
                command.arg("--certificate").arg(self.data.path("tls/server.pem"));
                command.arg("--key").arg(self.data.path("tls/server.key"));
            }
        }
        let running = self.start(&command, name, &ready)?;
        let target = options([("--ready-file", ready.display().to_string())]);
        Ok(Server::new(running, target))
    }

    /// Starts Debian's mosquitto.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn mosquitto(&self) -> Outcome<Server> {
        let attempt = |error| Failure::io("configuring mosquitto", &error);
        // Taken for a moment to learn of a free port.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address: SocketAddr = port.map_err(attempt)?;
        let config = self.folder.join("mosquitto.conf");
        let text = format!("listener {} 127.0.0.1\n{MOSQUITTO}", address.port());
        fs::write(&config, text).map_err(attempt)?;
        let mut command = Command::new(mosquitto());
        command.arg("-c").arg(config);
        self.journal.note(&command);
        let named = |failure| Failure::new(format!("mosquitto: {failure}"));
        let mut running =
            Running::start(&command, &self.folder.join("mosquitto.txt")).map_err(named)?;
        running.wait_for(|| TcpStream::connect(address).ok()).map_err(named)?;
        let pid = running.pid().to_string();
        let target = options([("--device-address", address.to_string()), ("--pid", pid)]);
        Ok(Server::new(running, target))
    }

    /// Runs the load generator against a server to its end; the words may begin with a mode.
    ///
    /// # Errors
    /// When the run is no measurement.
    pub(super) fn load(&self, server: &Server, words: &[&str]) -> Outcome<Measurement> {
        server.empty_log()?;
        let mut command = self.generator(server, words);
        command.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::piped());
        let output =
            command.output().map_err(|error| Failure::io("starting tenfour-load", &error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if text.trim().is_empty() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(error.trim()));
        }
        Measurement::parse(&text)
    }

    /// Starts idle devices that stay until what is returned is dropped.
    ///
    /// # Errors
    /// When they do not get in.
    pub(super) fn hold(&self, server: &Server, devices: u32) -> Outcome<Running> {
        let devices = devices.to_string();
        let words = ["idle", "--devices", &devices, "--steps", "1", "--hold", "3600"];
        let output = self.folder.join("held.json");
        let mut held = Running::start(&self.generator(server, &words), &output)?;
        held.wait_for(|| {
            // The report comes when all are there; a line of it may not be whole yet.
            let text = fs::read_to_string(&output).ok()?;
            text.ends_with('\n').then(|| Measurement::parse(&text))
        })??;
        Ok(held)
    }

    /// Runs a bench of a crate: the JSON object it prints.
    ///
    /// # Errors
    /// When it fails or prints something else.
    pub(super) fn cargo_bench(&self, package: &str, bench: &str) -> Outcome<serde_json::Value> {
        let mut command = self.repository.cargo();
        command.args(["bench", "--quiet", "--package", package, "--bench", bench]);
        self.journal.note(&command);
        let text = capture(&mut command, "cargo bench")?;
        serde_json::from_str(text.trim()).map_err(|error| {
            Failure::new(format!("cargo bench -p {package} --bench {bench}: no JSON: {error}"))
        })
    }

    fn generator(&self, server: &Server, words: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join("tenfour-load"));
        command.args(words).args(&server.target).arg("--json");
        self.journal.note(&command);
        command
    }

    fn start(&self, command: &Command, name: &str, ready: &Path) -> Outcome<Running> {
        self.journal.note(command);
        start(command, &self.folder.join(format!("{name}.txt")), ready)
    }
}

/// Starts a program that writes a ready file.
fn start(command: &Command, output: &Path, ready: &Path) -> Outcome<Running> {
    // One of an earlier round would be believed.
    let _ = fs::remove_file(ready);
    let named = |failure| Failure::new(format!("{:?}: {failure}", command.get_program()));
    let mut running = Running::start(command, output).map_err(named)?;
    running.wait_for(|| ready.exists().then_some(())).map_err(named)?;
    Ok(running)
}

/// Where Debian installs it, which is not on everybody's `PATH`.
fn mosquitto() -> &'static str {
    let debian = "/usr/sbin/mosquitto";
    if Path::new(debian).exists() { debian } else { "mosquitto" }
}

fn options<const N: usize>(pairs: [(&str, String); N]) -> Vec<String> {
    pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
}
