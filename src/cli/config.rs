//! `huntsman config`.

use super::args::{ConfigCommand, Global};
use super::exit::{ExitCode, Failure};
use crate::settings::show::{Origins, documented_defaults, show};
use crate::settings::{self, Layers};
use crate::telemetry::Terminal;
use std::io::{Write, stdout};

/// Prints settings.
pub(super) fn run(command: ConfigCommand, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let text = match command {
        ConfigCommand::Defaults => documented_defaults(),
        ConfigCommand::Show { origin, settings } => {
            let layers = settings::load(&global.config_file(), settings.entries)?;
            warn_of_misspelt(&layers, terminal);
            layers.settings()?;
            show(&layers, if origin { Origins::Shown } else { Origins::Hidden })
        }
    };
    stdout().write_all(text.as_bytes())?;
    stdout().flush()?;
    Ok(ExitCode::Done)
}

/// Says which variables look like ours and are none.
pub(super) fn warn_of_misspelt(layers: &Layers, terminal: &Terminal) {
    for warning in &layers.misspelt {
        terminal.line(&format!("{} {warning}", terminal.paint().yellow("warning:")));
    }
}
