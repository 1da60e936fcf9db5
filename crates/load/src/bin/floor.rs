//! The binary `tenfour-floor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    load::floor(std::env::args_os())
}
