//! The binary `tenfour`.
fn main() {}
