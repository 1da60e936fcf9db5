//! Load generator for confirmed and unconfirmed direct messages.
