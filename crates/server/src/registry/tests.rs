//! What a registry says, how it follows its files, and every way it can be wrong.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use engine::directory::{PrincipalKind, Status};
use policy::{Action, Context, Request, Resource};
use tempfile::TempDir;

use super::*;
use crate::config::Place;
use crate::dev::DataFolder;

struct Fixture {
    _folder: TempDir,
    data: PathBuf,
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open_or_create(&folder.path().join("data")).unwrap();
        Fixture { data: data.path().to_owned(), _folder: folder }
    }

    fn open(&self) -> Result<Registry, Mistakes> {
        Registry::open_folder(self.data.join("registry"), self.registrar())
    }

    fn registrar(&self) -> Arc<Registrar> {
        Registrar::new(Scope::new("us-west-2", "123456789012"))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.data.join("registry").join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
    }

    /// Asserts that exactly these mistakes are found: end of the place, and a fragment.
    fn assert_mistakes(&self, expected: &[(&str, &str)]) {
        let mistakes = self.open().err().expect("there are mistakes");
        assert_eq!(mistakes.len(), expected.len(), "found:\n{mistakes}");
        for (mistake, (place, fragment)) in mistakes.iter().zip(expected) {
            let found = mistake.place.to_string();
            assert!(found.ends_with(place), "{found:?} does not end with {place:?}");
            assert!(mistake.message.contains(fragment), "{mistake} lacks {fragment:?}");
        }
    }
}

fn certificate(name: &str) -> PrincipalName {
    PrincipalName::Certificate(name.to_owned())
}

fn may_receive(principal: &Principal, topic: &str) -> bool {
    let scope = Scope::new("us-west-2", "123456789012");
    let request = Request {
        action: Action::Receive,
        resource: Resource::Topic(topic),
        scope: &scope,
        context: &Context::default(),
    };
    principal.grants.load().policies.evaluate(&request).is_allowed()
}

const RECEIVE_NEWS: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Receive", "Resource": "arn:aws:iot:us-west-2:123456789012:topic/news"}
]}"#;

fn applied(reload: &Reload) -> bool {
    matches!(reload, Reload::Applied { .. })
}

#[test]
fn the_data_folder_holds_a_device_two_senders_and_a_thing() {
    let registry = Fixture::new().open().unwrap();
    let expected = Summary { certificates: 1, senders: 2, things: 1, policies: 3 };
    assert_eq!(registry.summary(), expected);
    assert!(registry.warnings().is_empty());
    let device = registry.principal(&certificate("myDevice")).unwrap();
    assert_eq!(device.kind, PrincipalKind::Certificate);
    assert_eq!(device.attributes.get("Subject.CommonName").unwrap(), ["AWS IoT Certificate"]);
    assert!(may_receive(&device, "commands/reboot"));
    assert!(!may_receive(&device, "news"));
    let directory = registry.directory().load_full();
    assert!(Arc::ptr_eq(&directory.certificates[&*device.id], &device));
    let thing = directory.thing_of(&device.grants.load(), "myDevice").unwrap();
    assert!(thing.attached);
    assert_eq!(thing.attributes["room"], "desk");
    for key in directory.access_keys.values() {
        assert!(key.principal.id.starts_with("AIDA") && key.principal.id.len() == 21);
    }
}

#[test]
fn a_changed_policy_reaches_the_same_principal() {
    let fixture = Fixture::new();
    let mut registry = fixture.open().unwrap();
    let device = registry.principal(&certificate("myDevice")).unwrap();
    assert!(matches!(registry.poll(), Reload::Unchanged));
    fixture.write("policies/myDevice.json", RECEIVE_NEWS);
    assert!(applied(&registry.poll()));
    assert!(may_receive(&device, "news"));
    assert!(!may_receive(&device, "commands/reboot"));
    assert!(Arc::ptr_eq(&device, &registry.principal(&certificate("myDevice")).unwrap()));
    assert!(matches!(registry.poll(), Reload::Unchanged));
}

#[test]
fn a_change_of_status_reaches_the_same_principal() {
    let fixture = Fixture::new();
    let mut registry = fixture.open().unwrap();
    let device = registry.principal(&certificate("myDevice")).unwrap();
    fixture.write(
        "certificates/myDevice.toml",
        "certificate = \"../../devices/myDevice.cert.pem\"\nstatus = \"INACTIVE\"\n",
    );
    assert!(applied(&registry.poll()));
    assert_eq!(device.grants.load().status, Status::Inactive);
}

#[test]
fn a_removed_principal_is_revoked_and_revived_when_its_file_comes_back() {
    let fixture = Fixture::new();
    let mut registry = fixture.open().unwrap();
    let device = registry.principal(&certificate("myDevice")).unwrap();
    let file = fixture.path("certificates/myDevice.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert!(applied(&registry.poll()));
    assert_eq!(device.grants.load().status, Status::Revoked);
    assert!(registry.directory().load().certificates.is_empty());
    fixture.write("certificates/renamed.toml", &text);
    assert!(applied(&registry.poll()));
    assert_eq!(device.grants.load().status, Status::Active);
    assert!(Arc::ptr_eq(&device, &registry.principal(&certificate("renamed")).unwrap()));
}

#[test]
fn a_new_certificate_under_an_old_name_is_another_principal() {
    let fixture = Fixture::new();
    let mut registry = fixture.open().unwrap();
    let old = registry.principal(&certificate("myDevice")).unwrap();
    // Only the PEM file changes, not the registry file that names it.
    fs::copy(fixture.data.join("tls/server.pem"), fixture.data.join("devices/myDevice.cert.pem"))
        .unwrap();
    assert!(applied(&registry.poll()));
    let new = registry.principal(&certificate("myDevice")).unwrap();
    assert_ne!(old.id, new.id);
    assert_eq!(old.grants.load().status, Status::Revoked);
    assert_eq!(new.grants.load().status, Status::Active);
}

#[test]
fn a_broken_file_changes_nothing_and_is_reported_once() {
    let fixture = Fixture::new();
    let mut registry = fixture.open().unwrap();
    let device = registry.principal(&certificate("myDevice")).unwrap();
    let before = registry.directory().load_full();
    fixture.write("policies/myDevice.json", RECEIVE_NEWS);
    fixture.write("senders/backend.toml", "access_key_id = \n");
    match registry.poll() {
        Reload::Broken { mistakes, .. } => {
            let place = Place::Line(fixture.path("senders/backend.toml"), 1);
            assert_eq!(mistakes.iter().next().unwrap().place, place);
        }
        other @ (Reload::Unchanged | Reload::Applied { .. }) => panic!("{other:?}"),
    }
    assert!(Arc::ptr_eq(&before, &registry.directory().load_full()));
    assert!(may_receive(&device, "commands/reboot"), "nothing is half applied");
    assert!(!may_receive(&device, "news"));
    assert!(matches!(registry.poll(), Reload::Unchanged), "still broken, already said");
    fixture.write("senders/backend.toml", "also = \"wrong\"\n");
    assert!(matches!(registry.poll(), Reload::Broken { .. }), "broken in another way");
    fs::remove_file(fixture.path("senders/backend.toml")).unwrap();
    assert!(applied(&registry.poll()));
    assert!(may_receive(&device, "news"));
}

#[test]
fn a_registry_that_vanishes_as_a_whole_is_broken_and_not_empty() {
    let fixture = Fixture::new();
    let mut registry = fixture.open().unwrap();
    let away = fixture.data.join("away");
    fs::rename(fixture.data.join("registry"), &away).unwrap();
    assert!(matches!(registry.poll(), Reload::Broken { .. }));
    assert_eq!(registry.directory().load().certificates.size(), 1);
    fs::rename(&away, fixture.data.join("registry")).unwrap();
    assert!(applied(&registry.poll()));
}

#[test]
fn a_folder_that_kubernetes_swaps_by_a_symbolic_link_is_followed() {
    let fixture = Fixture::new();
    let (folder, link) = (fixture.path("policies"), fixture.path("..data"));
    let versions = ["..one", "..two"].map(|name| fixture.path(name));
    fs::rename(&folder, &versions[0]).unwrap();
    fs::create_dir(&versions[1]).unwrap();
    fs::create_dir(&folder).unwrap();
    symlink(&versions[0], &link).unwrap();
    for name in ["myDevice.json", "backend.json", "admin.json"] {
        fs::copy(versions[0].join(name), versions[1].join(name)).unwrap();
        symlink(Path::new("../..data").join(name), folder.join(name)).unwrap();
    }
    fs::write(versions[1].join("myDevice.json"), RECEIVE_NEWS).unwrap();
    let mut registry = fixture.open().unwrap();
    let device = registry.principal(&certificate("myDevice")).unwrap();
    symlink(&versions[1], fixture.path("..tmp")).unwrap();
    fs::rename(fixture.path("..tmp"), &link).unwrap();
    assert!(applied(&registry.poll()));
    assert!(may_receive(&device, "news"));
}

#[test]
fn all_mistakes_of_all_files_are_found_at_once() {
    let fixture = Fixture::new();
    fixture.write("certificates/a.toml", "status = \"ON\"\nthing = [\"x\"]\n");
    fixture.write("certificates/b.toml", "certificate = \"none.pem\"\n");
    fixture.write("certificates/c.toml", "certificate = \"../../tls/server.key\"\n");
    fixture.write("certificates/d.toml", "id = \"ABC\"\npolicies = \"admin\"\n");
    fixture.write("policies/broken.json", "{\n  \"Version\": \"2012-10-17\",\n}\n");
    fixture.write("senders/e.toml", "access_key_id = \"short\"\nexpires = \"soon\"\n");
    fixture.write("senders/f.toml", "status = \"REVOKED\"\n");
    fixture.write("things/g h.toml", "[attributes]\nk = 5\n");
    fixture.write("sender/x.toml", "");
    fixture.assert_mistakes(&[
        ("certificates/a.toml", "there is no certificate; write certificate ="),
        ("registry/sender", "unknown folder; did you mean `senders`?"),
        ("senders/e.toml", "`secret_access_key` is missing"),
        ("senders/f.toml", "`access_key_id` is missing"),
        ("senders/f.toml", "`secret_access_key` is missing"),
        ("things/g h.toml", "`g h` is no name"),
        ("certificates/a.toml:1", "expected `ACTIVE`, `INACTIVE` or `REVOKED`, not \"ON\""),
        ("certificates/a.toml:2", "unknown key `thing`; did you mean `things`?"),
        ("certificates/b.toml:1", "cannot read"),
        ("certificates/c.toml:1", "a private key was found where a certificate should be"),
        ("certificates/d.toml:1", "64 lowercase hexadecimal digits"),
        ("certificates/d.toml:2", "expected a list of strings"),
        ("policies/broken.json:3", "column 1: "),
        ("senders/e.toml:1", "expected 16 to 128 letters"),
        ("senders/e.toml:2", "expected a moment with its time zone"),
        ("senders/f.toml:1", "expected `ACTIVE` or `INACTIVE`, not \"REVOKED\""),
        ("things/g h.toml:2", "`attributes.k`: expected a string in quotes, not 5"),
    ]);
}

#[test]
fn names_must_lead_somewhere_and_keys_must_be_one_of_a_kind() {
    let fixture = Fixture::new();
    let id = fixture.open().unwrap().principal(&certificate("myDevice")).unwrap().id.clone();
    fixture.write(
        "certificates/twin.toml",
        &format!(
            "id = \"{id}\"\n\
             policies = [\n  \"backend\",\n  \"mydevice\",\n]\n\
             things = [\"lamp-7\"]\n\
             exclusive_thing = \"lamp-8\"\n"
        ),
    );
    let backend = fs::read_to_string(fixture.path("senders/backend.toml")).unwrap();
    fixture.write("senders/backend2.toml", &backend);
    fixture.assert_mistakes(&[
        ("certificates/twin.toml:1", "`certificates/myDevice` has the same certificate"),
        ("certificates/twin.toml:4", "no policy `mydevice`; did you mean `myDevice`?"),
        ("certificates/twin.toml:6", "there is no thing `lamp-7`; make "),
        ("certificates/twin.toml:7", "take `lamp-7` out of `things`"),
        ("certificates/twin.toml:7", "there is no thing `lamp-8`"),
        ("senders/backend2.toml:2", "`senders/backend` has the same access key ID"),
    ]);
}

#[test]
fn a_broken_policy_is_not_blamed_on_those_who_use_it() {
    let fixture = Fixture::new();
    fixture.write("policies/backend.json", "[]");
    fixture.assert_mistakes(&[("policies/backend.json:1", "column 1")]);
}

#[test]
fn a_certificate_and_an_id_must_agree() {
    let fixture = Fixture::new();
    let id = "0".repeat(64);
    let text = format!("certificate = \"../../devices/myDevice.cert.pem\"\nid = \"{id}\"\n");
    fixture.write("certificates/myDevice.toml", &text);
    fixture.assert_mistakes(&[("certificates/myDevice.toml:2", "the certificate has the ID ")]);
}

#[test]
fn temporary_credentials_and_an_id_of_its_own_are_read() {
    let fixture = Fixture::new();
    fixture.write(
        "senders/temporary.toml",
        "access_key_id = \"ASIAAAAAAAAAAAAAAAAA\"\n\
         secret_access_key = \"s\"\n\
         session_token = \"t\"\n\
         expires = 2030-01-31T00:00:00Z\n\
         principal_id = \"AROAX:session\"\n",
    );
    let registry = fixture.open().unwrap();
    let directory = registry.directory().load_full();
    let key = &directory.access_keys["ASIAAAAAAAAAAAAAAAAA"];
    assert_eq!(key.session_token.as_deref(), Some("t"));
    assert_eq!(key.expires, Some(1_896_048_000));
    assert_eq!(&*key.principal.id, "AROAX:session");
}

#[test]
fn a_secret_that_others_may_read_is_a_warning() {
    let fixture = Fixture::new();
    let file = fixture.path("senders/admin.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = fixture.open().unwrap().warnings().to_string();
    assert!(warnings.contains("senders/admin.toml: holds a secret"), "{warnings}");
    assert!(warnings.contains("mode 644"), "{warnings}");
}

#[test]
fn hidden_files_and_other_extensions_are_left_alone() {
    let fixture = Fixture::new();
    fixture.write("certificates/.hidden.toml", "nonsense");
    fixture.write("certificates/myDevice.toml~", "nonsense");
    fixture.write("policies/README.md", "nonsense");
    assert!(fixture.open().is_ok());
}

#[test]
fn the_principal_of_the_plain_listener_must_exist() {
    let fixture = Fixture::new();
    let file = fixture.data.join("tenfour.toml");
    fs::write(
        &file,
        "[listeners]\nmqtt = { address = \"127.0.0.1:0\", principal = \"certificates/x\" }",
    )
    .unwrap();
    let mistakes = Registry::open(&Config::load(&file).unwrap()).err().unwrap();
    assert!(mistakes.to_string().contains("tenfour.toml:2: there is no principal"), "{mistakes}");
}
