//! A processor that counts what it does, the same on every machine.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};

/// The environment of the counted program, and nothing else. Libraries choose their code by what
/// the processor can do, and the emulator passes some of that on; these fix the choice.
const ENVIRONMENT: [(&str, &str); 2] = [
    // The C library's memory functions: those for SSE2.
    (
        "GLIBC_TUNABLES",
        "glibc.cpu.hwcaps=-AVX2,-AVX,-BMI2,-ERMS,-FSRM,-MOVBE,-SSSE3,-SSE4_1,-SSE4_2",
    ),
    // AWS-LC's SHA-256: the one for SSSE3, bit 9 of the second word of CPUID leaf 1. (The emulator
    // does not know the SHA extensions, with which processors of today spend a tenth of that.)
    ("OPENSSL_ia32cap", "0x20000000000:0x0"),
];

/// Whether counts of this machine can be compared with others'. The crate memchr looks for AVX2
/// and cannot be told otherwise.
pub(super) fn is_supported() -> bool {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
    false
}

/// Valgrind's tool that counts with the least effort, and the program to count.
pub(super) struct Emulator {
    program: PathBuf,
}

impl Emulator {
    pub(super) fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// Runs the program and returns how many instructions it took, its start and end included.
    pub(super) fn count(&self, scenario: &str, iterations: u32) -> Outcome<u64> {
        let output = self
            .command(scenario, iterations)
            .output()
            .map_err(|error| Failure::io("starting valgrind", &error))?;
        let report = String::from_utf8_lossy(&output.stderr);
        let count = if output.status.success() { instructions(&report) } else { None };
        count.ok_or_else(|| {
            Failure::new(format!(
                "valgrind counted nothing for `{scenario}` ({}):\n{report}",
                output.status
            ))
        })
    }

    fn command(&self, scenario: &str, iterations: u32) -> Command {
        let mut command = Command::new("valgrind");
        command.env_clear().envs(ENVIRONMENT);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
        command.arg(&self.program).arg(scenario).arg(iterations.to_string());
        command.stdin(Stdio::null());
        command
    }
}

/// The count in a report of valgrind: `==77== I   refs:      1,234,567`.
fn instructions(report: &str) -> Option<u64> {
    report.lines().find_map(|line| {
        let (name, count) = line.split_once("refs:")?;
        if name.split_whitespace().next_back() != Some("I") {
            return None;
        }
        count.trim().replace(',', "").parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_report() {
        let report = "==28242== Command: target/counts/counts policy_allow 1000\n\
                      ==28242== \n\
                      ==28242== I   refs:      108,388,143\n";
        assert_eq!(instructions(report), Some(108_388_143));
        let newer = "==7== I refs:        2,480\n";
        assert_eq!(instructions(newer), Some(2_480));
    }

    #[test]
    fn a_report_without_a_count_has_none() {
        assert_eq!(instructions(""), None);
        assert_eq!(instructions("==7== D   refs:      12\n"), None);
        assert_eq!(instructions("==7== I   refs:      many\n"), None);
    }
}
