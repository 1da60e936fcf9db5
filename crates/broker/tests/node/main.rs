//! A node with devices on in-memory transports.

mod client_connection;
mod commits;
mod confirmation;
mod crashes;
mod crowd;
mod delete_connection;
mod device;
mod dice;
mod drain;
mod dry_run;
mod fan_out;
mod fixture;
mod handshake;
mod idle;
mod lifecycle;
mod on_the_wire;
mod queues;
mod restart;
mod retained;
mod session_life;
mod shadows;
mod slow_device;
mod take_over;
mod will;
mod will_delay;
