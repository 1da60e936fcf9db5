//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// The least that a confirmed direct message can cost: a relay of fixed bytes on one thread.
///
/// It takes MQTT devices and HTTP/1.1 senders as the server does, and answers 200 after the
/// device's PUBACK (confirmation=true, QoS 1) or at once (confirmation=false, QoS 0). Nothing is
/// checked, nothing is logged. The load generator runs against it unchanged.
#[derive(Debug, Parser)]
#[command(name = "tenfour-floor", version, after_long_help = EXAMPLES)]
pub(crate) struct Options {
    /// Where to say which ports and which process it is, as `tenfour dev --ready-file` does.
    #[arg(long, value_name = "F")]
    pub(crate) ready_file: PathBuf,
    /// Listen as `mqtts` and `https` (TLS 1.3, no client certificate asked for) instead of `mqtt`
    /// and `http`.
    #[arg(long, requires_all = ["certificate", "key"])]
    pub(crate) tls: bool,
    /// With --tls, its certificate, with the chain behind it (PEM).
    #[arg(long, value_name = "PEM", requires = "tls")]
    pub(crate) certificate: Option<PathBuf>,
    /// With --tls, the private key of --certificate (PEM).
    #[arg(long, value_name = "PEM", requires = "tls")]
    pub(crate) key: Option<PathBuf>,
    /// With --tls, the CA that clients check the certificate against (PEM); only handed on
    /// [default: the certificate itself].
    #[arg(long, value_name = "PEM", requires = "tls")]
    pub(crate) ca: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  tenfour-floor --ready-file floor.json &
  tenfour-load --ready-file floor.json --devices 1000 --senders 16
  tenfour-floor --ready-file floor.json --tls --ca .tenfour/tls/ca.pem \\
    --certificate .tenfour/tls/server.pem --key .tenfour/tls/server.key &
  tenfour-load --ready-file floor.json --devices 1000 --device-transport tls --transport https

It runs until it is stopped by a signal.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(["tenfour-floor"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn tls_and_its_files_come_together() {
        assert!(parse("--ready-file f").is_ok());
        assert!(parse("--ready-file f --tls --certificate c --key k").is_ok());
        for line in
            ["", "--ready-file f --tls", "--ready-file f --tls --key k", "--ready-file f --ca c"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
