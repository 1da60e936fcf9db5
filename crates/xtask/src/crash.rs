//! `cargo xtask crash`: kills a server under load, again and again, and checks that it kept what it
//! promised.

use std::fs;

use crate::failure::{Failure, Outcome};
use crate::repository::{Repository, run as run_command};

/// Kills for each durability when nothing is said.
const DEFAULT_KILLS: u32 = 15;

/// The durabilities that survive the end of the process.
const DURABILITIES: [&str; 2] = ["always", "batched"];

/// What the command line asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    kills: u32,
    seed: Option<String>,
    durability: Option<String>,
    release: bool,
}

impl Request {
    /// Reads `--kills N`, `--seed S`, `--durability WORD` and `--release`.
    pub(crate) fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut request =
            Self { kills: DEFAULT_KILLS, seed: None, durability: None, release: false };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            if option == "--release" {
                request.release = true;
                continue;
            }
            let value = rest
                .next()
                .ok_or_else(|| Failure::new(format!("`{option}` is not an option with a value")))?;
            match option.as_str() {
                "--kills" => {
                    request.kills = value.parse().map_err(|_| {
                        Failure::new(format!("`--kills` needs a whole number, found `{value}`"))
                    })?;
                }
                "--seed" => request.seed = Some(value.clone()),
                "--durability" => request.durability = Some(value.clone()),
                unknown => {
                    return Err(Failure::new(format!(
                        "`crash` takes --kills, --seed, --durability and --release, found \
                         `{unknown}`"
                    )));
                }
            }
        }
        Ok(request)
    }

    /// So many kills of the development build.
    pub(crate) fn short(kills: u32) -> Self {
        Self { kills, seed: None, durability: None, release: false }
    }
}

/// The chore.
pub(crate) fn run(repository: &Repository, request: &Request) -> Outcome {
    build(repository, request.release)?;
    let durabilities = match &request.durability {
        Some(durability) => vec![durability.as_str()],
        None => DURABILITIES.to_vec(),
    };
    durabilities.into_iter().try_for_each(|durability| kill(repository, request, durability))
}

fn build(repository: &Repository, release: bool) -> Outcome {
    let mut command = repository.cargo();
    command.args(["build", "--package", "server", "--package", "crash"]);
    if release {
        command.arg("--release");
    }
    run_command(&mut command, "cargo build")
}

fn kill(repository: &Repository, request: &Request, durability: &str) -> Outcome {
    let target = repository.target_dir()?;
    let programs = target.join(if request.release { "release" } else { "debug" });
    let folder = target.join("crash").join(durability);
    // What an earlier run left, kept or broken, is of no use to this one.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(target.join("crash"))
        .map_err(|error| Failure::io(format!("making {}", folder.display()), &error))?;
    let mut command = std::process::Command::new(programs.join("tenfour-crash"));
    command.arg("--server").arg(programs.join("tenfour")).arg("--folder").arg(folder);
    command.args(["--kills", &request.kills.to_string(), "--durability", durability]);
    if let Some(seed) = &request.seed {
        command.args(["--seed", seed]);
    }
    run_command(&mut command, "tenfour-crash")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Outcome<Request> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Request::parse(&words)
    }

    #[test]
    fn options_are_read_and_others_are_named() {
        assert_eq!(parse("").unwrap(), Request::short(DEFAULT_KILLS));
        let all = parse("--kills 3 --seed 7 --durability batched --release").unwrap();
        assert_eq!((all.kills, all.seed.as_deref()), (3, Some("7")));
        assert_eq!((all.durability.as_deref(), all.release), (Some("batched"), true));
        for (line, named) in
            [("--kills", "--kills"), ("--kills x", "x"), ("--deaths 3", "--deaths")]
        {
            assert!(parse(line).unwrap_err().to_string().contains(named), "{line}");
        }
    }
}
