//! What a configuration says, and every way it can be wrong.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use engine::limits::{Bounds, OperationRates, Quotas};
use engine::rate::Rate;
use registry::LogLevel;
use tempfile::TempDir;

use super::*;
use crate::dev::DataFolder;

/// A data folder whose configuration is `text`.
fn folder_with(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = DataFolder::open_or_create(&folder.path().join("data")).unwrap().config_file();
    fs::write(&file, text).unwrap();
    (folder, file)
}

fn load(text: &str) -> Result<Config, Mistakes> {
    let (_folder, file) = folder_with(text);
    Config::load(&file)
}

fn line_of(place: &Place) -> usize {
    match place {
        Place::Line(_, line) => *line,
        Place::File(_) | Place::Argument(_) => 0,
    }
}

/// Asserts that exactly these mistakes are found: line (0: the file as a whole) and a fragment.
fn assert_mistakes(text: &str, expected: &[(usize, &str)]) {
    let mistakes = load(text).expect_err(text);
    let found: Vec<_> = mistakes.iter().map(|m| (line_of(&m.place), m.message.clone())).collect();
    assert_eq!(found.len(), expected.len(), "in {text}\nfound {found:#?}");
    for ((line, message), (expected_line, fragment)) in found.iter().zip(expected) {
        assert_eq!(line, expected_line, "{message}");
        assert!(message.contains(fragment), "{message:?} lacks {fragment:?}");
    }
}

#[test]
fn an_empty_file_is_the_default() {
    let (_folder, file) = folder_with("");
    let config = Config::load(&file).unwrap();
    assert_eq!((config.region.as_str(), config.account.as_str()), ("us-west-2", "123456789012"));
    assert_eq!(config.profile.name, "aws");
    assert_eq!(config.threads, None);
    assert_eq!(config.quotas, Quotas::default());
    assert_eq!(config.bounds, Bounds::default());
    assert_eq!(config.listeners, Listeners::default());
    assert!(config.registry.is_dir());
    let kept = KeptLog {
        folder: file.parent().unwrap().join("logs"),
        bytes: 256 * 1024 * 1024,
        age: Duration::from_secs(7 * 86_400),
    };
    let log = Log { target: LogTarget::Stdout, level: LogLevel::Info, kept: Some(kept) };
    assert_eq!(config.log, log);
}

#[test]
fn the_number_of_threads_can_be_set_and_none_is_refused() {
    let (_folder, file) = folder_with("threads = 3");
    assert_eq!(Config::load(&file).unwrap().threads.map(usize::from), Some(3));
    let (_folder, file) = folder_with("threads = 0");
    let mistakes = Config::load(&file).unwrap_err().to_string();
    assert!(mistakes.contains("1 to 1024"), "{mistakes}");
}

#[test]
fn every_quota_and_limit_can_be_set() {
    let config = load(
        "[quotas]\n\
         send_direct_message = 5\n\
         publishes_per_connection = \"unlimited\"\n\
         connects_per_client = { per_second = 2, burst = 20 }\n\
         connects = { per_second = 7 }\n\
         inbound_publishes = 8\n\
         outbound_publishes = 9\n\
         subscribes = 10\n\
         throughput_per_connection = \"unlimited\"\n\
         connections = 11\n\
         payload_bytes = 1_024\n\
         outbound_unacknowledged = 12\n\
         inbound_unacknowledged = 13\n\
         filters_per_subscribe = 14\n\
         subscriptions_per_session = 15\n\
         session_expiry_seconds = 0\n\
         websocket_life = 1.5\n\
         queued_messages = 16\nqueued_bytes = 17\nqueued = 18\n\
         dequeued_per_connection = \"unlimited\"\n\
         retained_messages = 19\nretained_publishes = 20\nretained_publish_interval = 0.5\n\
         shared_groups = 22\nmembers_per_shared_group = 21\n\
         get_connection = 30\nget_connection_per_client = 31\n\
         delete_connection = 32\ndelete_connection_per_client = 33\n\
         list_subscriptions = 34\nlist_subscriptions_per_client = 35\n\
         control_requests = 23\n\
         shadow_requests = 27\nrequests_per_shadow = { per_second = 24, burst = 25 }\n\
         shadow_requests_in_flight = 26\n\
         [limits]\n\
         tls_handshake = 1\nconnect_packet = 2\nhttp_head = 3\nhttp_body = 4\nhttp_idle = 5.25\n\
         http_head_bytes = 0x4000\nhttp2_streams = 7\noutbound_buffer_bytes = 65536\n\
         write_stall = 9\nreceipt_life = 11\nreceipts = 12\nreceipt_readers = 13\n\
         receipt_events = 14\nwebhook_queue = 15\ntrace_queue = 16\ndead_peer = 10\nclose_on_missed_ack = true\nsockets = 10\ndrain = 0\nlog_buffer_bytes = 131072\n\
         departure_life = 16\ndepartures = 17\ndeparture_bytes = 18\n\
         queue_bytes = 1000\nshadow_bytes = 2000\nwaiting_bytes = 3000\n",
    )
    .unwrap();
    let seconds = Duration::from_secs_f64;
    let operation = |account, per_client| OperationRates {
        account: Some(Rate::per_second(account)),
        per_client: Some(Rate::per_second(per_client)),
    };
    assert_eq!(
        config.quotas,
        Quotas {
            send_direct_message: Some(Rate::per_second(5)),
            publishes_per_connection: None,
            connects_per_client: Some(Rate { per_second: 2, burst: 20 }),
            connects: Some(Rate::per_second(7)),
            inbound_publishes: Some(Rate::per_second(8)),
            outbound_publishes: Some(Rate::per_second(9)),
            subscribes: Some(Rate::per_second(10)),
            throughput_per_connection: None,
            connections: 11,
            payload_bytes: 1_024,
            outbound_unacknowledged: 12,
            inbound_unacknowledged: 13,
            filters_per_subscribe: 14,
            subscriptions_per_session: 15,
            session_expiry_seconds: 0,
            websocket_life: seconds(1.5),
            queued_messages: 16,
            queued_bytes: 17,
            queued: Some(Rate::per_second(18)),
            dequeued_per_connection: None,
            retained_messages: 19,
            retained_publishes: Some(Rate::per_second(20)),
            retained_publish_interval: Some(seconds(0.5)),
            shared_groups: 22,
            members_per_shared_group: 21,
            get_connection: operation(30, 31),
            delete_connection: operation(32, 33),
            list_subscriptions: operation(34, 35),
            control_requests: Some(Rate::per_second(23)),
            shadow_requests: Some(Rate::per_second(27)),
            requests_per_shadow: Some(Rate { per_second: 24, burst: 25 }),
            shadow_requests_in_flight: 26,
        }
    );
    assert_eq!(
        config.bounds,
        Bounds {
            tls_handshake: seconds(1.0),
            connect_packet: seconds(2.0),
            http_head: seconds(3.0),
            http_body: seconds(4.0),
            http_idle: seconds(5.25),
            http_head_bytes: 0x4000,
            http2_streams: 7,
            outbound_buffer_bytes: 65_536,
            write_stall: seconds(9.0),
            receipt_life: seconds(11.0),
            receipts: 12,
            receipt_readers: 13,
            receipt_events: 14,
            webhook_queue: 15,
            trace_queue: 16,
            departure_life: seconds(16.0),
            departures: 17,
            departure_bytes: 18,
            dead_peer: seconds(10.0),
            close_on_missed_ack: true,
            sockets: 10,
            drain: seconds(0.0),
            log_buffer_bytes: 131_072,
            queue_bytes: 1_000,
            shadow_bytes: 2_000,
            waiting_bytes: 3_000,
        }
    );
}

#[test]
fn unlimited_lifts_the_rates_and_nothing_else() {
    let config = load("[quotas]\nunlimited = true\nconnects = 5\npayload_bytes = 10").unwrap();
    let expected = Quotas { payload_bytes: 10, ..Quotas::default() }.without_rates();
    assert_eq!(config.quotas, expected);
}

#[test]
fn all_mistakes_are_found_at_once_each_on_its_line() {
    assert_mistakes(
        "region = \"US West\"\n\
         account = 12345\n\
         profle = \"aws\"\n\
         registry = \"registri\"\n\
         \n\
         [listeners]\n\
         mqtts = \"localhost:8883\"\n\
         admin = 9090\n\
         [log]\n\
         level = \"info\"\n\
         file = \"nowhere/log\"\n",
        &[
            (1, "expected a region such as \"us-west-2\""),
            (2, "`account`: expected a string in quotes, not 12345"),
            (3, "unknown key `profle`; did you mean `profile`?"),
            (4, "there is no folder"),
            (7, "`listeners.mqtts`: expected an IP address and a port"),
            (8, "`listeners.admin`: expected an address"),
            (10, "expected `DEBUG`, `INFO`, `WARN`, `ERROR` or `DISABLED`, not \"info\""),
            (11, "there is no folder"),
        ],
    );
}

#[test]
fn what_is_kept_of_the_log_can_be_set_and_be_nothing() {
    let log = load("[log]\nfolder = \"kept\"\nkept_bytes = 131072\nkept_for = 3600").unwrap().log;
    let kept = log.kept.unwrap();
    assert_eq!((kept.bytes, kept.age), (131_072, Duration::from_secs(3_600)));
    assert!(kept.folder.ends_with("kept"));
    assert_eq!(load("[log]\nkept_bytes = 0").unwrap().log.kept, None);
    assert_mistakes(
        "[log]\nkept_bytes = 5\nkept_for = 1\nfolder = \"\"\n",
        &[
            (2, "expected 0 to keep nothing, or bytes from 131072 to"),
            (3, "expected seconds, 60 to 315360000, not 1"),
            (4, "expected a path, not an empty string"),
        ],
    );
    assert_mistakes("[log]\nkept_bytes = -1\n", &[(2, "expected a whole number, 0 to")]);
}

#[test]
fn mistakes_of_the_grammar_do_not_hide_the_others() {
    assert_mistakes(
        "region = us-west-2\n[listeners]\nadmin = \"x\"\nadmin = \"127.0.0.1:1\"\n[quotas\n",
        &[
            (1, "string values must be quoted"),
            (3, "`listeners.admin`"),
            (4, "duplicate key"),
            (5, "unclosed table"),
        ],
    );
}

#[test]
fn a_file_cut_off_anywhere_is_read_without_a_panic() {
    let text = include_str!("../dev/template/tenfour.toml");
    let file = Path::new("tenfour.toml");
    for end in 0..=text.len() {
        let ((_config, _places), mistakes) =
            read(file, &text[..end], |table| Config::read(file, table, None));
        assert!(mistakes.iter().all(|mistake| !mistake.message.is_empty()));
    }
}

#[test]
fn quotas_and_limits_have_ranges_and_forms() {
    assert_mistakes(
        "[quotas]\n\
         send_direct_message = 0\n\
         connects = \"none\"\n\
         connects_per_client = { per_second = 1, bursts = 10 }\n\
         subscribes = { burst = 10 }\n\
         websocket_life = -1\n\
         payload_bytes = 99_999_999_999\n\
         inbound_unacknowledged = 65536\n\
         unlimited = \"yes\"\n\
         direct_messages = 5\n\
         [limits]\n\
         drain = 7200.5\n\
         http_head = nan\n\
         http2_streams = 1.5\n",
        &[
            (2, "expected a whole number, 1 to 1000000, not 0"),
            (3, "expected a whole number or \"unlimited\", not \"none\""),
            (4, "unknown key `quotas.connects_per_client.bursts`; did you mean `burst`?"),
            (5, "`quotas.subscribes.per_second` is missing; write per_second = 100"),
            (6, "expected seconds, 1 to 315360000, not -1"),
            (7, "1 to 268435455"),
            (8, "1 to 65535"),
            (9, "expected true or false"),
            (10, "unknown key `quotas.direct_messages`; there may be"),
            (12, "expected seconds, 0 to 3600"),
            (13, "expected seconds"),
            (14, "expected a whole number"),
        ],
    );
}

#[test]
fn an_open_listener_must_be_on_a_loopback_address() {
    assert_mistakes(
        "[listeners]\n\
         mqtt = { address = \"0.0.0.0:1883\", open = true }\n\
         http = { address = \"192.0.2.1:8080\", open = true }\n",
        &[(2, "`mqtt` would be open to everybody on 0.0.0.0:1883"), (3, "such as 127.0.0.1:8080")],
    );
    let loopback = "[listeners]\nmqtt = { address = \"[::1]:1883\", open = true }";
    assert_eq!(load(loopback).unwrap().listeners.mqtt.unwrap().access, Some(MqttAccess::Open));
}

#[test]
fn plain_mqtt_must_say_who_its_clients_are_and_only_once() {
    assert_mistakes(
        "[listeners]\nmqtt = \"127.0.0.1:1883\"\n",
        &[(2, "does not say who its clients are; write principal =")],
    );
    assert_mistakes(
        "[listeners.mqtt]\naddress = \"127.0.0.1:1\"\nopen = true\nprincipal = \"senders/a\"\n",
        &[(3, "drop one")],
    );
    assert_mistakes(
        "[listeners.mqtt]\naddress = \"127.0.0.1:1\"\nprincipal = \"myDevice\"\n",
        &[
            (1, "does not say who its clients are"),
            (3, "expected certificates/NAME or senders/NAME, not \"myDevice\""),
        ],
    );
}

#[test]
fn plain_mqtt_for_a_principal_beyond_loopback_is_a_warning() {
    let text = |address| {
        format!(
            "[listeners]\nmqtt = {{ address = \"{address}:1883\", principal = \
             \"certificates/myDevice\" }}"
        )
    };
    let config = load(&text("0.0.0.0")).unwrap();
    assert!(config.warnings().to_string().contains("everybody who reaches 0.0.0.0:1883"));
    assert!(load(&text("127.0.0.1")).unwrap().warnings().is_empty());
}

#[test]
fn listeners_cannot_share_an_address() {
    assert_mistakes(
        "[listeners]\n\
         http = { address = \"127.0.0.1:7000\" }\n\
         admin = \"0.0.0.0:7000\"\n",
        &[(3, "listeners `http` and `admin` cannot share 0.0.0.0:7000")],
    );
    let free = "[listeners]\nhttp = { address = \"127.0.0.1:0\" }\nadmin = \"127.0.0.1:0\"";
    assert!(load(free).is_ok(), "port 0 is a free one for each");
}

#[test]
fn wss_on_the_address_of_https_is_the_same_listener() {
    let tls = "[tls]\ncertificate = \"tls/server.pem\"\nkey = \"tls/server.key\"\n";
    let config =
        load(&format!("{tls}[listeners]\nhttps = \"127.0.0.1:9443\"\nwss = \"127.0.0.1:9443\"\n"))
            .unwrap();
    assert_eq!(config.listeners.wss, None);
    assert!(config.listeners.https.is_some());
}

#[test]
fn a_tls_listener_needs_a_certificate_with_its_key() {
    assert_mistakes(
        "[listeners]\nmqtts = \"127.0.0.1:8883\"\n",
        &[(0, "listener `mqtts` needs the server's certificate")],
    );
    let with = |certificate: &str, key: &str| {
        format!("[tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n")
    };
    assert_mistakes(
        "[tls]\nca = \"tls/none.pem\"\n",
        &[(1, "`tls.certificate` is missing"), (1, "`tls.key` is missing"), (2, "cannot read")],
    );
    assert_mistakes(&with("tls/server.pem", "tls/none.key"), &[(3, "cannot read")]);
    assert_mistakes(&with("tls/server.pem", "tls/ca.key"), &[(3, "is not the key of")]);
    assert_mistakes(&with("tls/server.key", "tls/server.key"), &[(2, "has no certificate")]);
    assert_mistakes(&with("tls/server.pem", "tls/ca.pem"), &[(3, "is no PEM private key")]);
}

#[test]
fn a_certificate_that_ends_soon_is_a_warning() {
    let (_folder, file) =
        folder_with("[tls]\ncertificate = \"tls/server.pem\"\nkey = \"tls/server.key\"\n");
    let tls = Config::load(&file).unwrap().tls.unwrap();
    let now = SystemTime::now();
    assert!(tls.warnings(now).is_empty());
    let days = |days: u64| now + Duration::from_secs(days * 86_400);
    assert!(tls.warnings(days(810)).to_string().contains("tenfour.toml:2: "));
    assert!(tls.warnings(days(810)).to_string().contains("expires in 1"));
    assert!(tls.warnings(days(900)).to_string().contains("has expired"));
    assert!(tls.warnings(UNIX_EPOCH).is_empty());
}

#[test]
fn a_file_that_is_not_there_says_how_to_get_one() {
    let mistakes = Config::load(Path::new("/nonexistent/tenfour.toml")).unwrap_err();
    assert!(mistakes.to_string().starts_with("/nonexistent/tenfour.toml: cannot be read"));
    assert!(mistakes.to_string().contains("tenfour dev"));
}

fn dev_config() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::open_or_create(&folder.path().join("data")).unwrap();
    (folder, data.config_file())
}

#[test]
fn the_command_line_moves_opens_and_unlimits() {
    let (_folder, file) = dev_config();
    let overrides = Overrides {
        ephemeral_ports: true,
        listen: vec![Overrides::parse_listen("admin=127.0.0.1:7001").unwrap()],
        profile: Some(Overrides::parse_profile("standard").unwrap()),
        open: true,
        unlimited: true,
    };
    let changed = Config::load_with(&file, &overrides).unwrap();
    for (name, address) in changed.listeners.served() {
        assert_eq!(address.port(), if name == ListenerName::Admin { 7001 } else { 0 }, "{name}");
    }
    assert_eq!(changed.listeners.mqtt.unwrap().access, Some(MqttAccess::Open));
    assert!(changed.listeners.http.unwrap().open);
    assert_eq!(changed.profile.name, "standard");
    assert_eq!(changed.quotas, profile::STANDARD.quotas.without_rates());
}

#[test]
fn the_command_line_cannot_open_a_listener_to_the_world() {
    let (_folder, file) = dev_config();
    let listen = vec![Overrides::parse_listen("http=0.0.0.0:8080").unwrap()];
    let overrides = Overrides { open: true, listen, ..Overrides::default() };
    let mistakes = Config::load_with(&file, &overrides).unwrap_err();
    assert!(mistakes.to_string().starts_with("--open: listener `http` would be open"));
}

#[test]
fn options_of_the_command_line_say_what_would_be_right() {
    let listen = |text| Overrides::parse_listen(text).unwrap_err();
    assert!(listen("https").contains("NAME=ADDRESS"));
    assert!(listen("htps=127.0.0.1:1").contains("did you mean `https`?"));
    assert!(listen("ftp=127.0.0.1:1").contains("expected `mqtt`, `mqtts`"));
    assert!(listen("admin=1").contains("such as \"127.0.0.1:8883\""));
    assert!(Overrides::parse_profile("azure").unwrap_err().contains("aws or standard"));
}
