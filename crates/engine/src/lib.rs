//! The rules of the broker, without I/O: sessions, deliveries, topics, access, limits.
