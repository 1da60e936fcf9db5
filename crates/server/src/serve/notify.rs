//! Telling systemd how things stand (`Type=notify`).

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Sends a state such as `READY=1` to the service manager, if there is one that wants to know
/// (`NOTIFY_SOCKET`, sd_notify(3)). Nobody listening is no error.
pub fn notify(state: &str) {
    let Ok(path) = std::env::var("NOTIFY_SOCKET") else { return };
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    if let (Ok(address), Ok(socket)) = (address, UnixDatagram::unbound()) {
        // The service goes on whether or not its manager heard.
        let _ = socket.send_to_addr(state.as_bytes(), &address);
    }
}
