//! From the command line to a running relay.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use super::options::Options;
use super::ready::Ready;
use super::relay::{Listeners, Relay};
use super::tls;
use crate::descriptors;
use crate::failure::Failure;

/// It could not start, or the system took its sockets away.
const IMPOSSIBLE: u8 = 2;

/// Runs the command line, whose first argument is the program's name, until a signal ends the
/// process; what is wrong goes to standard error.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let options = match Options::try_parse_from(arguments) {
        Ok(options) => options,
        Err(error) => {
            // Help and version are errors for clap, with the status 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(IMPOSSIBLE));
        }
    };
    // Reaching the end means that the relay has failed: it has no other way out.
    let Err(failure) = run(&options);
    eprintln!("tenfour-floor: {failure}");
    ExitCode::from(IMPOSSIBLE)
}

fn run(options: &Options) -> Result<std::convert::Infallible, Failure> {
    descriptors::raise_to_hard()?;
    let files = options.certificate.as_deref().zip(options.key.as_deref());
    let tls = files.map(|(certificate, key)| tls::config(certificate, key)).transpose()?;
    let listeners = Listeners::bind().map_err(failed("listening on 127.0.0.1"))?;
    Ready::new(options, &listeners)
        .map_err(failed("reading the listeners' ports"))?
        .write(&options.ready_file)?;
    Relay::new(listeners, tls).and_then(Relay::run).map_err(failed("relaying"))
}

fn failed(what: &'static str) -> impl Fn(std::io::Error) -> Failure {
    move |source| Failure::System { what, source }
}
