//! The operations, one file each.

pub(crate) mod send_direct_message;
