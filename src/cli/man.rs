//! `huntsman man`.

use super::args::Cli;
use super::exit::{ExitCode, Failure};
use anyhow::Context;
use clap::CommandFactory;
use clap_mangen::Man;
use std::io::{self, Write, stdout};
use std::path::Path;

/// Prints the manual page, or writes one for each command into `dir`.
pub(super) fn run(dir: Option<&Path>) -> Result<ExitCode, Failure> {
    match dir {
        None => {
            let mut out = stdout().lock();
            out.write_all(&page(Cli::command())?)?;
            out.flush()?;
        }
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("failed to make {}", dir.display()))?;
            for (name, page) in pages()? {
                let path = dir.join(name);
                std::fs::write(&path, page).with_context(|| format!("failed to write {}", path.display()))?;
            }
        }
    }
    Ok(ExitCode::Done)
}

/// The pages of the command and of each subcommand, with their file names.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    let mut pages = vec![("huntsman.1".to_owned(), page(cli.clone())?)];
    for command in cli.get_subcommands() {
        let name = format!("huntsman-{}", command.get_name());
        pages.push((format!("{name}.1"), page(command.clone().display_name(name))?));
    }
    Ok(pages)
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    Man::new(command).render(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_the_first_one_the_exit_codes() {
        let pages = pages().unwrap();
        let names: Vec<_> = pages.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"huntsman-crawl.1") && names.contains(&"huntsman-robots.1"), "{names:?}");
        let first = String::from_utf8(pages[0].1.clone()).unwrap();
        assert!(first.contains("no page could be fetched") && first.contains(".SH"));
    }
}
