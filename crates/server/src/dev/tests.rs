//! The data folder: made once, whole, and usable by clients.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use tempfile::TempDir;

use super::*;
use crate::config::{Config, ListenerName};
use crate::registry::Registry;

fn new_folder() -> (TempDir, DataFolder) {
    let parent = tempfile::tempdir().unwrap();
    let folder = DataFolder::open_or_create(&parent.path().join("a folder/.tenfour"));
    (parent, folder.unwrap())
}

fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_of(&path)),
            false => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    files
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

#[test]
fn a_second_start_changes_nothing() {
    let (parent, folder) = new_folder();
    assert!(folder.is_new());
    fs::write(folder.path().join("registry/policies/mine.json"), "{}").unwrap();
    fs::remove_file(folder.path().join("README.txt")).unwrap();
    let before = files_of(parent.path());
    let again = DataFolder::open_or_create(folder.path()).unwrap();
    assert!(!again.is_new());
    assert_eq!(files_of(parent.path()), before);
}

#[test]
fn an_empty_folder_is_filled_and_another_one_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    assert!(DataFolder::open_or_create(parent.path()).unwrap().is_new());
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("thesis.txt"), "precious").unwrap();
    let error = DataFolder::open_or_create(other.path()).unwrap_err();
    assert!(error.to_string().contains("is not empty and has no tenfour.toml"), "{error}");
    assert_eq!(files_of(other.path()).len(), 1);
}

#[test]
fn a_folder_that_cannot_be_made_leaves_nothing_behind() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(DataFolder::open_or_create(&file.join("data")).is_err());
    assert!(DataFolder::open_or_create(&file).is_err(), "a file is no folder");
    assert_eq!(files_of(parent.path()).len(), 1);
}

#[test]
fn what_is_secret_is_for_its_owner_only() {
    let (_parent, folder) = new_folder();
    for path in files_of(folder.path()).keys() {
        let text = fs::read_to_string(path).unwrap();
        let secret = text.contains("PRIVATE KEY") || text.contains("secret_access_key");
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077 == 0, secret, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn configuration_and_registry_have_no_mistake_and_no_warning() {
    let (_parent, folder) = new_folder();
    let config = Config::load(&folder.config_file()).unwrap();
    assert!(config.warnings().is_empty());
    assert!(Registry::open(&config).unwrap().warnings().is_empty());
    assert_eq!(config.log_file(), Some(folder.path().join("log.jsonl").as_path()));
}

#[test]
fn clients_accept_the_server_under_each_of_its_names_only() {
    let (_parent, folder) = new_folder();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate(&folder.path().join("tls/ca.pem"))).unwrap();
    let provider = Arc::new(default_provider());
    let roots = Arc::new(roots);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone());
    let verifier = verifier.build().unwrap();
    let server = certificate(&folder.path().join("tls/server.pem"));
    let verify = |name: &str| {
        use rustls::client::danger::ServerCertVerifier;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(&server, &[], &name, &[], UnixTime::now())
    };
    for name in ["localhost", "127.0.0.1", "::1"] {
        verify(name).unwrap();
    }
    assert!(verify("example.org").is_err());

    let device = folder.device().unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(roots, provider).build().unwrap();
    clients.verify_client_cert(&certificate(&device.cert), &[], UnixTime::now()).unwrap();
    let key = PrivateKeyDer::from_pem_file(&device.key).unwrap();
    let chain = vec![certificate(&device.cert)];
    rustls::sign::CertifiedKey::from_der(chain, key, &default_provider()).unwrap();
}

#[test]
fn access_keys_look_like_those_of_aws_and_differ() {
    let (_parent, folder) = new_folder();
    let (sender, admin) = (folder.sender("backend").unwrap(), folder.sender("admin").unwrap());
    for key in [&sender, &admin] {
        assert!(key.access_key_id.starts_with("AKIA"));
        assert_eq!(key.access_key_id.len(), 20);
        assert_eq!(key.secret_access_key.len(), 40);
        assert!(!format!("{key:?}").contains(&key.secret_access_key));
    }
    assert_ne!(sender.access_key_id, admin.access_key_id);
    assert_ne!(sender.secret_access_key, admin.secret_access_key);
    assert_eq!(folder.sender("nobody"), None);
}

fn ready_file(folder: &DataFolder) -> ReadyFile {
    let config = Config::load(&folder.config_file()).unwrap();
    ReadyFile {
        listeners: config.listeners.served().map(|(name, at)| (name.as_str(), at)).collect(),
        ca: config.tls.as_ref().and_then(|tls| tls.ca.clone()),
        device: folder.device(),
        sender: folder.sender("backend"),
        admin: folder.sender("admin"),
        region: config.region.clone(),
        account: config.account.clone(),
        log: config.log_file().map(Path::to_owned),
        pid: 123,
    }
}

#[test]
fn the_ready_file_is_one_json_object_for_its_owner() {
    let (parent, folder) = new_folder();
    let path = parent.path().join("ready.json");
    fs::write(&path, "of an earlier start").unwrap();
    ready_file(&folder).write(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["listeners"]["https_x509"], "127.0.0.1:8443");
    assert_eq!(json["listeners"].get("wss"), None);
    assert_eq!(json["device"]["client_id"], "myDevice");
    assert_eq!(json["pid"], 123);
    assert_eq!(json["region"], "us-west-2");
    assert_eq!(json["account"], "123456789012");
    for path in [&json["ca"], &json["device"]["cert"], &json["device"]["key"]] {
        assert!(Path::new(path.as_str().unwrap()).is_absolute());
        assert!(Path::new(path.as_str().unwrap()).is_file());
    }
    for who in ["sender", "admin"] {
        assert!(
            json[who]["access_key_id"].is_string() && json[who]["secret_access_key"].is_string()
        );
    }
    assert!(json["log"].as_str().unwrap().ends_with("log.jsonl"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2, "no draft is left");
}

#[test]
fn a_ready_file_that_cannot_be_written_is_an_error() {
    let (parent, folder) = new_folder();
    let ready = ready_file(&folder);
    assert!(ready.write(&parent.path().join("none/ready.json")).is_err());
    assert!(ready.write(Path::new("/")).is_err());
}

#[test]
fn the_guide_quotes_paths_and_leaves_out_what_is_not_served() {
    let (parent, folder) = new_folder();
    let mut ready = ready_file(&folder);
    let guide = Guide { ready: &ready, program: "tenfour" }.to_string();
    let ca = folder.path().join("tls/ca.pem");
    assert!(guide.contains(&format!("--cacert '{}'", ca.display())), "{guide}");
    assert!(guide.contains("https://localhost:8443/connections/myDevice/messages?"), "{guide}");
    assert!(guide.contains("--endpoint-url https://localhost:9443"), "{guide}");
    ready.listeners.remove(ListenerName::Https.as_str());
    let guide = Guide { ready: &ready, program: "tenfour" }.to_string();
    assert!(!guide.contains("boto3") && guide.contains("mosquitto_sub"), "{guide}");
    drop(parent);
}

#[test]
fn the_commands_of_the_guide_are_valid_shell() {
    let (_parent, folder) = new_folder();
    let ready = ready_file(&folder);
    let guide = Guide { ready: &ready, program: "tenfour" }.to_string();
    let status = std::process::Command::new("sh").args(["-n", "-c", &guide]).status().unwrap();
    assert!(status.success(), "{guide}");
}
