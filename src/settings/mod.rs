//! Settings: built-in < file < environment < the stored crawl < flags, made into one small struct a part.
//!
//! Every setting stands once in [`table`]; [`Layers`] holds what each layer says; [`Layers::settings`] parses it
//! into types that carry their unit and bound. A mistake is named with the place it was written.

pub mod environment;
mod file;
mod gate;
mod layers;
mod parts;
mod place;
pub mod show;
pub mod table;
pub mod units;
mod values;

pub use gate::FailOn;
pub use layers::{Entry, Layers, Mistake, Origin, Raw, StoredSettings};
pub use parts::{
    Certificates, Extraction, Identity, Installation, Limits, Links, Network, Output, Politeness,
    ProgressMode, Robots, Secret, Select, Settings, Sink, Sitemaps, Text,
};
pub use place::{Place, PostgresUrl, StoreUrl};
pub use values::crawl_name;

use std::path::{Path, PathBuf};

/// Which settings file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigFile {
    /// The first that exists of `./huntsman.toml` and the one in the user's directory, if any.
    Search,
    /// This one, which must exist.
    Named(PathBuf),
    /// None.
    Ignored,
}

/// Reads file and environment and puts `flags` on top.
pub fn load(config: &ConfigFile, flags: impl IntoIterator<Item = Entry>) -> Result<Layers, Mistake> {
    let named = |path: &Path| (path.to_owned(), std::fs::read_to_string(path));
    let found = match config {
        ConfigFile::Named(path) => Some(named(path)),
        ConfigFile::Ignored => None,
        ConfigFile::Search => {
            let own = environment::config_home().map(|home| home.join("huntsman/huntsman.toml"));
            let places = [Some(PathBuf::from("huntsman.toml")), own];
            places.into_iter().flatten().find(|path| path.is_file()).map(|path| named(&path))
        }
    };
    let layers = match found {
        None => Layers::built_in(),
        Some((path, Ok(text))) => Layers::built_in().with_file(&path, &text)?,
        Some((path, Err(why))) => {
            return Err(Mistake::new(path.display(), format!("the settings file cannot be read: {why}")));
        }
    };
    Ok(layers.with_variables(environment::ours()?).with(flags))
}

#[cfg(test)]
mod tests;
