//! Just enough of a server: it lets devices in and answers HTTP posts.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use mqtt::{
    ConnAck, Packet, PacketId, Properties, Publish, QoS, ReasonCode, TopicName, Version, decode,
};

/// How the server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// 200 when the device has acknowledged, 404 if there is none.
    Confirm,
    /// 200 after 50 ms, whatever devices do.
    Slow,
    /// 429 always.
    Throttle,
    /// Closes the connection in place of an answer.
    HangUp,
    /// Lets no device in.
    RefuseDevices,
}

/// A device and who waits for its acknowledgements.
struct Device {
    stream: TcpStream,
    version: Version,
    waiting: HashMap<u16, Sender<()>>,
    last_id: u16,
}

type Devices = Arc<Mutex<HashMap<String, Device>>>;

/// A running server; its threads end with the test's process.
pub struct FakeServer {
    mqtt: SocketAddr,
    http: SocketAddr,
}

impl FakeServer {
    pub fn start(behaviour: Behaviour) -> Self {
        let devices = Devices::default();
        let of_mqtt = Arc::clone(&devices);
        let mqtt = listen(move |stream| serve_device(stream, behaviour, &of_mqtt));
        let http = listen(move |stream| serve_sender(stream, behaviour, &devices));
        Self { mqtt, http }
    }

    /// Writes the file that `tenfour dev` would have written. The process is the test's own.
    pub fn ready_file(&self) -> PathBuf {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ready-{number}.json"));
        let (mqtt, http, pid) = (self.mqtt, self.http, std::process::id());
        let json = serde_json::json!({
            "listeners": {"mqtt": mqtt.to_string(), "http": http.to_string()}, "pid": pid,
        });
        std::fs::write(&path, json.to_string()).unwrap();
        path
    }
}

fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve_device(mut stream: TcpStream, behaviour: Behaviour, devices: &Devices) {
    let mut bytes = Vec::new();
    let mut name = String::new();
    let mut version = Version::V5;
    let mut buffer = [0; 4096];
    while let Some(read) = stream.read(&mut buffer).ok().filter(|read| *read > 0) {
        bytes.extend_from_slice(&buffer[..read]);
        let mut used = 0;
        while let Some((packet, len)) = decode(&bytes[used..], version, 1 << 20).unwrap() {
            used += len;
            if let Packet::Connect(connect) = packet {
                (name, version) = (connect.client_id.to_owned(), connect.version);
                let reason = if behaviour == Behaviour::RefuseDevices {
                    ReasonCode::NotAuthorized
                } else {
                    ReasonCode::Success
                };
                let properties = Properties::EMPTY;
                let connack = ConnAck { session_present: false, reason, properties };
                let mut answer = Vec::new();
                connack.encode(version, &mut answer).unwrap();
                let to_device = stream.try_clone().unwrap();
                let device =
                    Device { stream: to_device, version, waiting: HashMap::new(), last_id: 0 };
                devices.lock().unwrap().insert(name.clone(), device);
                stream.write_all(&answer).unwrap();
            } else if let Packet::PubAck(ack) = packet {
                let mut devices = devices.lock().unwrap();
                let device = devices.get_mut(&name).unwrap();
                let waiter = device.waiting.remove(&ack.packet_id.get()).unwrap();
                // The sender may have gone away at the end of a run.
                let _ = waiter.send(());
            } else {
                panic!("a {} from a device", packet.name());
            }
        }
        bytes.drain(..used);
    }
    devices.lock().unwrap().remove(&name);
}

/// Reads requests and answers them; ends with the connection.
fn serve_sender(mut stream: TcpStream, behaviour: Behaviour, devices: &Devices) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some((target, body)) = read_request(&mut reader) {
        let answer = match behaviour {
            Behaviour::HangUp => return,
            Behaviour::Throttle => {
                failure("429 Too Many Requests", "SEND_DIRECT_MESSAGE_THROTTLED")
            }
            Behaviour::Slow => {
                thread::sleep(Duration::from_millis(50));
                success()
            }
            Behaviour::Confirm | Behaviour::RefuseDevices => deliver(&target, &body, devices)
                .unwrap_or_else(|| failure("404 Not Found", "TARGET_CLIENT_ID_NOT_FOUND")),
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut target = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix("POST ") {
            target = rest.split(' ').next()?.to_owned();
        } else if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.parse().unwrap();
        } else if line.is_empty() {
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            return Some((target, body));
        }
    }
}

/// Publishes to the device and waits for its acknowledgement, if that is asked for.
fn deliver(target: &str, payload: &[u8], devices: &Devices) -> Option<String> {
    let name = target.strip_prefix("/connections/")?.split('/').next()?;
    let confirmed = target.contains("confirmation=true");
    let (sender, acknowledged) = mpsc::channel();
    {
        let mut devices = devices.lock().unwrap();
        let device = devices.get_mut(name)?;
        device.last_id = device.last_id.checked_add(1).unwrap_or(1);
        let publish = Publish {
            dup: false,
            qos: if confirmed { QoS::AtLeastOnce } else { QoS::AtMostOnce },
            retain: false,
            topic: Some(TopicName::parse("load/messages").unwrap()),
            packet_id: confirmed.then(|| PacketId::new(device.last_id).unwrap()),
            properties: Properties::EMPTY,
            payload,
        };
        let mut bytes = Vec::new();
        publish.encode(device.version, &mut bytes).unwrap();
        device.stream.write_all(&bytes).unwrap();
        if confirmed {
            device.waiting.insert(device.last_id, sender);
        }
    }
    if confirmed {
        acknowledged.recv_timeout(Duration::from_secs(5)).unwrap();
    }
    Some(success())
}

/// An answer in chunks, so that both framings are in use.
fn success() -> String {
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"message\":\"OK\"}\r\n0\r\n\r\n"
        .to_owned()
}

fn failure(status: &str, reason: &str) -> String {
    let body = format!(r#"{{"message":"no","reason":"{reason}"}}"#);
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
