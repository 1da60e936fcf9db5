//! What a client asks for in its CONNECT and what each profile makes of it.

use engine::limits::Bounds;
use engine::profile::{AWS, Profile, STANDARD};
use engine::session::{Granted, Refusal, Rules, negotiate};
use mqtt::{
    ClientId, Connect, Packet, Properties, PropertiesBuf, Property, QoS, ReasonCode, TopicName,
    Version, Will,
};

fn rules(profile: &'static Profile) -> Rules {
    Rules::new(profile, profile.quotas, &Bounds::default())
}

fn connect(version: Version) -> Connect<'static> {
    Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        client_id: "lamp",
        properties: Properties::EMPTY,
        will: None,
        username: None,
        password: None,
    }
}

fn will(topic: &str) -> Will<'_> {
    let topic = TopicName::parse(topic).expect("valid");
    Will { qos: QoS::AtMostOnce, retain: false, topic, payload: b"", properties: Properties::EMPTY }
}

fn ask(connect: &Connect<'_>, profile: &'static Profile) -> Result<Granted, Refusal> {
    negotiate(connect, &rules(profile), || ClientId::parse("auto-1").expect("valid"))
}

fn granted(connect: &Connect<'_>, profile: &'static Profile) -> Granted {
    ask(connect, profile).expect("granted")
}

fn refused(connect: &Connect<'_>, profile: &'static Profile) -> ReasonCode {
    ask(connect, profile).expect_err("refused").code
}

fn with(properties: &[Property<'_>]) -> PropertiesBuf {
    let mut all = PropertiesBuf::new();
    for property in properties {
        all.push(*property).expect("valid");
    }
    all
}

/// The CONNACK's properties.
fn connack(granted: &Granted, profile: &'static Profile) -> Vec<(u8, u64)> {
    let mut bytes = Vec::new();
    granted.accept(false, &rules(profile), &mut bytes);
    let decoded = mqtt::decode(&bytes, granted.version, 1_024).expect("well-formed");
    let Some((Packet::ConnAck(connack), length)) = decoded else { panic!("no CONNACK") };
    assert_eq!(length, bytes.len());
    assert_eq!(connack.reason, ReasonCode::Success);
    let properties = connack.properties;
    [
        (0x11, properties.session_expiry_interval().map(u64::from)),
        (0x13, properties.server_keep_alive().map(u64::from)),
        (0x21, properties.receive_maximum().map(u64::from)),
        (0x22, properties.topic_alias_maximum().map(u64::from)),
        (0x24, properties.maximum_qos().map(u64::from)),
        (0x27, properties.maximum_packet_size().map(u64::from)),
        (0x29, properties.subscription_identifier_available().map(u64::from)),
    ]
    .into_iter()
    .filter_map(|(id, value)| value.map(|value| (id, value)))
    .collect()
}

#[test]
fn the_aws_profile_clamps_the_keep_alive_and_the_standard_one_leaves_it() {
    for (asked, aws) in
        [(0, 1_200), (1, 30), (29, 30), (30, 30), (1_200, 1_200), (1_201, 1_200), (65_535, 1_200)]
    {
        for version in [Version::V311, Version::V5] {
            let connect = Connect { keep_alive: asked, ..connect(version) };
            assert_eq!(granted(&connect, &AWS).keep_alive_seconds, aws, "{asked}");
            assert_eq!(granted(&connect, &STANDARD).keep_alive_seconds, asked);
        }
    }
}

#[test]
fn the_session_expiry_is_cut_to_the_quota_and_the_client_is_told() {
    for (asked, expected) in [(0, 0), (1, 1), (3_600, 3_600), (3_601, 3_600), (u32::MAX, 3_600)] {
        let properties = with(&[Property::SessionExpiryInterval(asked)]);
        let properties = properties.as_properties();
        let granted = granted(&Connect { properties, ..connect(Version::V5) }, &AWS);
        assert_eq!(granted.session_expiry_seconds, expected);
        let told = connack(&granted, &AWS).iter().find(|(id, _)| *id == 0x11).copied();
        assert_eq!(told, (asked != expected).then_some((0x11, u64::from(expected))));
    }
}

#[test]
fn clean_session_decides_the_expiry_of_a_3_1_1_session() {
    let clean = connect(Version::V311);
    assert_eq!(granted(&clean, &AWS).session_expiry_seconds, 0);
    let kept = Connect { clean_start: false, ..clean };
    assert_eq!(granted(&kept, &AWS).session_expiry_seconds, 3_600);
}

#[test]
fn the_connack_names_the_limits_of_the_profile() {
    let asked = Connect { keep_alive: 5, ..connect(Version::V5) };
    let aws = connack(&granted(&asked, &AWS), &AWS);
    assert_eq!(aws, [(0x13, 30), (0x21, 100), (0x22, 8), (0x24, 1), (0x27, 149_504), (0x29, 0)],);
    let standard = connack(&granted(&asked, &STANDARD), &STANDARD);
    let expected = [(0x21, 100), (0x22, 64), (0x27, 17 << 20), (0x29, 1)];
    assert_eq!(standard, expected);
    assert_eq!(connack(&granted(&connect(Version::V311), &AWS), &AWS), []);
}

#[test]
fn the_clients_own_limits_are_kept() {
    let properties = with(&[Property::ReceiveMaximum(7), Property::MaximumPacketSize(600)]);
    let properties = properties.as_properties();
    let limited = granted(&Connect { properties, ..connect(Version::V5) }, &AWS);
    assert_eq!((limited.receive_maximum, limited.packet_size_max), (7, 600));
    let unlimited = granted(&connect(Version::V5), &AWS);
    assert_eq!((unlimited.receive_maximum, unlimited.packet_size_max), (u16::MAX, u32::MAX));
}

#[test]
fn a_client_without_an_id_is_given_one_where_the_version_allows_it() {
    let anonymous = Connect { client_id: "", ..connect(Version::V5) };
    let granted = granted(&anonymous, &AWS);
    assert_eq!((granted.client_id.as_str(), granted.assigned), ("auto-1", true));
    let mut bytes = Vec::new();
    granted.accept(false, &rules(&AWS), &mut bytes);
    let decoded = mqtt::decode(&bytes, Version::V5, 1_024).expect("well-formed");
    let Some((Packet::ConnAck(connack), _)) = decoded else { panic!("no CONNACK") };
    assert_eq!(connack.properties.assigned_client_identifier(), Some("auto-1"));

    let clean = Connect { client_id: "", ..connect(Version::V311) };
    assert!(ask(&clean, &AWS).is_ok());
    let kept = Connect { clean_start: false, ..clean };
    assert_eq!(refused(&kept, &AWS), ReasonCode::ClientIdentifierNotValid);
}

#[test]
fn client_ids_that_the_profile_forbids_are_refused() {
    let longest = "x".repeat(128);
    let long = "x".repeat(129);
    let wide = "ä".repeat(65);
    for version in [Version::V311, Version::V5] {
        for (client_id, aws) in
            [("$lamp", false), (&*long, false), (&*wide, false), (&*longest, true), ("a/b#+", true)]
        {
            let connect = Connect { client_id, ..connect(version) };
            assert_eq!(ask(&connect, &AWS).is_ok(), aws, "{client_id}");
            if !aws {
                assert_eq!(refused(&connect, &AWS), ReasonCode::ClientIdentifierNotValid);
            }
            assert!(ask(&connect, &STANDARD).is_ok());
        }
    }
}

#[test]
fn wills_that_cannot_be_published_are_refused() {
    let large = vec![0; 128 * 1024 + 1];
    let good = will("lamp/gone");
    let cases = [
        (Will { qos: QoS::ExactlyOnce, ..good }, ReasonCode::QoSNotSupported),
        (will("$aws/x"), ReasonCode::TopicNameInvalid),
        (will("1/2/3/4/5/6/7/8/9"), ReasonCode::TopicNameInvalid),
        (Will { payload: &large, ..good }, ReasonCode::PacketTooLarge),
    ];
    for (will, code) in cases {
        let connect = Connect { will: Some(will), ..connect(Version::V5) };
        assert_eq!(refused(&connect, &AWS), code, "{:?}", will.topic);
    }
    for will in [good, Will { qos: QoS::AtLeastOnce, ..good }, will("1/2/3/4/5/6/7/8")] {
        assert!(ask(&Connect { will: Some(will), ..connect(Version::V5) }, &AWS).is_ok());
    }
    let reserved = Connect { will: Some(will("$aws/x")), ..connect(Version::V5) };
    assert!(ask(&reserved, &STANDARD).is_ok());
}

#[test]
fn unusable_terms_are_refused() {
    let small = with(&[Property::MaximumPacketSize(511)]);
    let small = Connect { properties: small.as_properties(), ..connect(Version::V5) };
    assert_eq!(refused(&small, &AWS), ReasonCode::PacketTooLarge);
    assert!(ask(&small, &STANDARD).is_ok());
    let least = with(&[Property::MaximumPacketSize(512)]);
    assert!(ask(&Connect { properties: least.as_properties(), ..small }, &AWS).is_ok());

    let method = with(&[Property::AuthenticationMethod("SCRAM-SHA-1")]);
    let method = Connect { properties: method.as_properties(), ..connect(Version::V5) };
    assert_eq!(refused(&method, &AWS), ReasonCode::BadAuthenticationMethod);
}

#[test]
fn a_refusal_is_told_in_the_words_of_the_version() {
    // The code on the wire by version; nothing where 3.1.1 has no word for it.
    let cases = [
        (ReasonCode::UnsupportedProtocolVersion, Some(1)),
        (ReasonCode::ClientIdentifierNotValid, Some(2)),
        (ReasonCode::ServerUnavailable, Some(3)),
        (ReasonCode::QuotaExceeded, Some(3)),
        (ReasonCode::ServerBusy, Some(3)),
        (ReasonCode::ConnectionRateExceeded, Some(3)),
        (ReasonCode::BadUserNameOrPassword, Some(4)),
        (ReasonCode::NotAuthorized, Some(5)),
        (ReasonCode::TopicNameInvalid, None),
        (ReasonCode::PacketTooLarge, None),
        (ReasonCode::RetainNotSupported, None),
        (ReasonCode::QoSNotSupported, None),
        (ReasonCode::BadAuthenticationMethod, None),
    ];
    for (code, v311) in cases {
        let refusal = Refusal { code, details: "?" };
        let mut bytes = Vec::new();
        refusal.refuse(Version::V5, None, &mut bytes);
        let said = [&[0x20, 7, 0, code.code(), 4, 0x1f, 0, 1], &b"?"[..]].concat();
        assert_eq!(bytes, said, "{code}");
        bytes.clear();
        refusal.refuse(Version::V311, None, &mut bytes);
        let expected = v311.map_or(Vec::new(), |v311| vec![0x20, 2, 0, v311]);
        assert_eq!(bytes, expected, "{code}");
    }
}
