//! What the peer has not acknowledged yet.

use std::io;
use std::os::fd::AsFd;

use rustix::ioctl::{Getter, ioctl};

/// `SIOCOUTQ` of Linux, which has the number of `TIOCOUTQ`: the bytes of a TCP socket that were
/// written and that the peer's TCP has not acknowledged.
const SIOCOUTQ: rustix::ioctl::Opcode = 0x5411;

/// Bytes that were written to the socket and not acknowledged by the peer's TCP.
///
/// # Errors
/// The system's.
pub(crate) fn unacknowledged(socket: impl AsFd) -> io::Result<u64> {
    #[expect(
        unsafe_code,
        reason = "the kernel writes one int for this request, which is what is read"
    )]
    // SAFETY: SIOCOUTQ takes a pointer to an int and writes that int, as `Getter` of an i32 expects.
    let outstanding = unsafe {
        let request = Getter::<SIOCOUTQ, i32>::new();
        ioctl(socket, request)?
    };
    Ok(u64::try_from(outstanding).unwrap_or(0))
}
