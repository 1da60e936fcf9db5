//! A node with devices on in-memory transports.

mod confirmation;
mod crowd;
mod device;
mod drain;
mod fan_out;
mod fixture;
mod handshake;
mod on_the_wire;
mod session_life;
mod slow_device;
mod take_over;
mod will;
