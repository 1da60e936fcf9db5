//! Running sessions: connection drivers, registry, direct messages, fan-out, drain.
