//! Which configuration a command is about.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Config, Mistakes};

/// The data folder or the configuration file.
#[derive(Args, Debug)]
pub struct FolderArgs {
    /// The data folder
    #[arg(long, value_name = "FOLDER", default_value = ".tenfour", conflicts_with = "config")]
    pub dir: PathBuf,
    /// The configuration file, instead of the one of the data folder
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl FolderArgs {
    /// Reads the configuration.
    pub(super) fn load(&self) -> Result<Config, Mistakes> {
        match &self.config {
            Some(file) => Config::load(file),
            None => Config::load(&self.dir.join("tenfour.toml")),
        }
    }
}
