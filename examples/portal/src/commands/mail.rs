//! `portal mail preview`: every mail as it reads under these settings, about invented people, for somebody to look at.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use portal_auth::environment::{Clock as _, SystemClock};
use portal_auth::mail::preview::{MailPreview, preview_mails};

use super::Outputs;
use crate::service::{Failure, config};
use crate::settings::{Content, Settings};

/// What to do with the wording of mails.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
#[non_exhaustive]
pub enum MailCommand {
    /// Writes every mail, in each of its languages, as text and as HTML; sends none
    Preview(Preview),
}

/// Where the mails go.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[non_exhaustive]
pub struct Preview {
    /// A folder for them, made where there is none; begin with its index.html. Without it, the texts are printed
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

pub(super) fn run(
    command: &MailCommand,
    settings: &Settings,
    content: &Content,
    outputs: &mut Outputs<'_>,
) -> Result<(), Failure> {
    let MailCommand::Preview(wanted) = command;
    let mails = preview_mails(&config(settings, content)?, SystemClock::default().now())?;
    let Some(folder) = &wanted.folder else {
        for mail in &mails {
            let page = format!("== {}\n{}\n\n{}", mail.name(), mail.subject, mail.text);
            if !outputs.say(&page) {
                break;
            }
        }
        return Ok(());
    };
    let failed = |path: &Path, e: std::io::Error| format!("{} cannot be written: {e}", path.display());
    fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
    let write = |name: String, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|e| failed(&path, e))
    };
    for mail in &mails {
        let subject = format!("Subject: {}\n\n{}", mail.subject, mail.text);
        write(format!("{}.txt", mail.name()), &subject)?;
        write(format!("{}.html", mail.name()), &mail.html)?;
    }
    write("index.html".to_owned(), &index(&mails))?;
    let first = folder.join("index.html");
    outputs.say(&format!(
        "{} mails are written; open {}.",
        mails.len(),
        first.display()
    ));
    Ok(())
}

/// A page that shows each mail as a telephone and a desk would.
fn index(mails: &[MailPreview]) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\"><title>Every mail</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <style>body{font-family:sans-serif;margin:1rem}iframe{height:40rem;border:1px solid #767676;margin-right:1rem;\
         max-width:100%}</style></head><body><h1>Every mail</h1>\n",
    );
    for mail in mails {
        let number = mail.number.unwrap_or("To administrators");
        let (name, subject) = (mail.name(), escaped(&mail.subject));
        // Writing to a String cannot fail.
        let _written = writeln!(
            html,
            "<h2>{number}: {subject}</h2><p><a href=\"{name}.html\">{name}.html</a> <a href=\"{name}.txt\">{name}.txt</a></p>\
             <iframe sandbox loading=\"lazy\" width=\"320\" src=\"{name}.html\" title=\"{name}, narrow\"></iframe>\
             <iframe sandbox loading=\"lazy\" width=\"720\" src=\"{name}.html\" title=\"{name}, wide\"></iframe>",
        );
    }
    html.push_str("</body></html>\n");
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
