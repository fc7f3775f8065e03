//! `portal keys`: makes, rotates and lists the secret keys.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use portal_auth::environment::SystemEntropy;

use super::Outputs;
use crate::keys_file::{self, KeyList, KeysError, Retirement};

/// What to do with the keys.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[non_exhaustive]
pub enum KeysCommand {
    /// Makes the keys file with new keys
    Generate,
    /// Adds a new key that every process may check with; restart them all, then promote it
    Announce {
        /// What the key is for
        #[arg(value_enum, default_value_t = KeyList::Token)]
        list: KeyList,
    },
    /// Makes an announced key sign; the one before it goes on verifying
    Promote {
        /// The key, as `keys list` names it
        id: String,
    },
    /// Ends a key: nothing made with it counts any more
    Retire {
        /// The key, as `keys list` names it
        id: String,
        /// For a pepper: says that no stored hash names it
        #[arg(long)]
        no_hash_names_it: bool,
    },
    /// Shows the keys without their secrets
    List,
}

pub(super) fn run(command: &KeysCommand, path: &Path, outputs: &mut Outputs<'_>) -> ExitCode {
    match act(command, path) {
        Ok(lines) => {
            for line in lines {
                if !outputs.say(&line) {
                    break;
                }
            }
            if let Some(warning) = keys_file::exposure(path) {
                outputs.problem(&format!("Warning: {warning}."));
            }
            ExitCode::SUCCESS
        }
        Err(e) => {
            outputs.problem(&format!("portal: {e}."));
            ExitCode::FAILURE
        }
    }
}

/// Does it and says what there is to say.
fn act(command: &KeysCommand, path: &Path) -> Result<Vec<String>, KeysError> {
    match command {
        KeysCommand::Generate => {
            keys_file::generate(path, &SystemEntropy::default())?;
            Ok(vec![format!(
                "Made {}. Keep a copy where the database's backups are not.",
                path.display()
            )])
        }
        KeysCommand::Announce { list } => {
            let id = keys_file::change(path, |keys| {
                keys_file::announce(keys, *list, &SystemEntropy::default())
            })?;
            Ok(vec![format!(
                "Announced {id}. Restart every process, then run `portal keys promote {id}`."
            )])
        }
        KeysCommand::Promote { id } => {
            keys_file::change(path, |keys| keys_file::promote(keys, id))?;
            Ok(vec![format!(
                "{id} signs from the next start of each process on. Restart them."
            )])
        }
        KeysCommand::Retire { id, no_hash_names_it } => {
            let how = if *no_hash_names_it {
                Retirement::NoHashNamesIt
            } else {
                Retirement::Plain
            };
            keys_file::change(path, |keys| keys_file::retire(keys, id, how))?;
            Ok(vec![format!(
                "{id} counts no more from the next start of each process on. Restart them."
            )])
        }
        KeysCommand::List => {
            let keys = keys_file::read(path)?;
            Ok(keys
                .iter()
                .map(|k| format!("{} {} {}", k.list.word(), k.id, k.state.word()))
                .collect())
        }
    }
}
