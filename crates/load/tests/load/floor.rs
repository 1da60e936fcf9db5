//! The relay as it is run, under the load generator as it is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;

/// A running relay; stopped when dropped.
struct Floor {
    child: Child,
    folder: PathBuf,
}

impl Floor {
    /// Starts one in a folder of its own and waits until it accepts.
    fn start(name: &str, more: &[&str]) -> Self {
        let folder = folder(name);
        let ready = folder.join("ready.json");
        let child = Command::new(env!("CARGO_BIN_EXE_tenfour-floor"))
            .arg("--ready-file")
            .arg(&ready)
            .args(more)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let floor = Self { child, folder };
        let until = Instant::now() + Duration::from_secs(30);
        while !ready.exists() {
            assert!(Instant::now() < until, "the relay is not ready after 30 s");
            std::thread::sleep(Duration::from_millis(5));
        }
        floor
    }

    /// One second with more senders than devices, so that several wait for one device.
    fn measure(&self, more: &[&str]) -> Value {
        let fixed = ["--seconds", "1", "--warmup", "0", "--devices", "2", "--senders", "8"];
        self.load(&[&fixed, more].concat())
    }

    fn load(&self, arguments: &[&str]) -> Value {
        let ready = self.folder.join("ready.json");
        let output = Command::new(env!("CARGO_BIN_EXE_tenfour-load"))
            .args(arguments)
            .arg("--ready-file")
            .arg(ready)
            .arg("--json")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{error}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn assert_all_arrived(report: &Value) {
    let accepted = report["answers"][0]["count"].as_u64().unwrap();
    assert!(accepted > 0, "{report}");
    assert_eq!(report["devices"]["received"].as_u64(), Some(accepted));
}

#[test]
fn every_message_is_confirmed_by_its_device() {
    let floor = Floor::start("floor-plain", &[]);
    for more in [&[][..], &["--mqtt", "3"], &["--payload", "9"]] {
        let report = floor.measure(more);
        assert_eq!(report["answers"][0]["status"], 200);
        assert_all_arrived(&report);
    }
    assert_all_arrived(&floor.measure(&["--no-confirm"]));
    assert_all_arrived(&floor.measure(&["--auth", "sigv4"]));
}

#[test]
fn absent_devices_are_not_found() {
    let floor = Floor::start("floor-offline", &[]);
    assert_eq!(floor.measure(&["--offline"])["answers"][0]["status"], 404);
}

#[test]
fn devices_come_and_go() {
    let floor = Floor::start("floor-connects", &[]);
    for version in ["3", "5"] {
        let report =
            floor.load(&["connects", "--seconds", "1", "--warmup", "0", "--mqtt", version]);
        let cycles = report["cycles"].as_u64().unwrap();
        assert!(cycles > 0 && report["latency_us"]["count"].as_u64().unwrap() > 0, "{report}");
        assert_eq!(report["tls_handshakes"], Value::Null);
    }
}

#[test]
fn over_tls_it_does_the_same() {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    let files = folder("floor-certificates");
    let [ca, certificate_file, key_file] = ["ca.pem", "c.pem", "k.pem"].map(|f| files.join(f));
    fs::write(&ca, issuer.pem()).unwrap();
    fs::write(&certificate_file, certificate.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    let [ca, certificate, key] =
        [&ca, &certificate_file, &key_file].map(|path| path.to_str().unwrap());
    let tls = ["--tls", "--ca", ca, "--certificate", certificate, "--key", key];
    let floor = Floor::start("floor-tls", &tls);
    let report = floor.measure(&["--transport", "https", "--device-transport", "tls"]);
    assert_all_arrived(&report);
    let tls = ["connects", "--device-transport", "tls", "--seconds", "1", "--warmup", "0"];
    let report = floor.load(&tls);
    let handshakes = &report["tls_handshakes"];
    assert!(handshakes["resumed"].as_u64().unwrap() > 0, "{report}");
    // Once at each place.
    assert!(handshakes["full"].as_u64().unwrap() >= 16, "{report}");
    fs::remove_dir_all(&files).unwrap();
}

#[test]
fn what_cannot_be_started_says_why() {
    for (arguments, word) in [
        (&[][..], "--ready-file"),
        (&["--ready-file", "/nonexistent/f"][..], "/nonexistent/f"),
        (&["--ready-file", "f", "--tls"], "--certificate"),
        (&["--ready-file", "f", "--tls", "--certificate", "/nonexistent/c", "--key", "k"], "PEM"),
    ] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_tenfour-floor")).args(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(word), "{arguments:?}: {error}");
    }
}
