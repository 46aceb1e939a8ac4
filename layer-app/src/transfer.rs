//! Uploads and downloads, with a bar that shows how far they are.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use layer_client::files::Upload;
use layer_client::{Client, Message};

use crate::Failure;
use crate::console::Printer;

/// A bar that what happens meanwhile is printed above.
fn bar(printer: &Printer, name: &str) -> ProgressBar {
    let template = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let bar = ProgressBar::no_length()
        .with_style(style)
        .with_message(name.to_owned());
    printer.bars().add(bar)
}

pub(crate) async fn upload(
    client: &Client,
    printer: &Printer,
    peer: &str,
    path: &Path,
    caption: &str,
) -> Result<Message, Failure> {
    if !path.is_file() {
        let shown = path.display();
        return Err(
            format!("there is no file {shown} (a name with spaces stands in quotes)").into(),
        );
    }
    let bar = bar(printer, &path.display().to_string());
    let tell = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let upload = Upload::path(path).progress(&tell);
    let sent = client.send_file(peer, upload, caption).await;
    bar.finish_and_clear();
    Ok(sent?)
}

/// Saves a message's file and says where.
pub(crate) async fn download(
    client: &Client,
    printer: &Printer,
    message: &Message,
    path: Option<PathBuf>,
) -> Result<PathBuf, Failure> {
    let media = message.media().ok_or("this message has no file")?;
    let path = match path {
        Some(path) => path,
        None => free_name(&safe_name(media.file_name(), message.id())),
    };
    let bar = bar(printer, &path.display().to_string());
    let tell = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let saved = client.download_media_with(message, &path, &tell).await;
    bar.finish_and_clear();
    saved?;
    Ok(path)
}

/// A file name from elsewhere, without anything that would lead out of this folder.
fn safe_name(name: Option<&str>, id: i32) -> String {
    let name = name.unwrap_or_default();
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|c| !c.is_control() && *c != ':')
        .take(120)
        .collect();
    match clean.trim_matches(['.', ' ']) {
        "" => format!("file_{id}"),
        clean => clean.to_owned(),
    }
}

/// `name`, or `name (1)` and so on where there is such a file already.
fn free_name(name: &str) -> PathBuf {
    let path = Path::new(name);
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or(name);
    let ending = path.extension().and_then(|ending| ending.to_str());
    let numbered = |n: u32| match ending {
        Some(ending) => PathBuf::from(format!("{stem} ({n}).{ending}")),
        None => PathBuf::from(format!("{stem} ({n})")),
    };
    std::iter::once(path.to_owned())
        .chain((1..10_000).map(numbered))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_the_network_stay_in_this_folder() {
        assert_eq!(safe_name(Some("../../etc/passwd"), 1), "passwd");
        assert_eq!(safe_name(Some("C:\\x\\a.txt"), 1), "a.txt");
        assert_eq!(safe_name(Some(".."), 7), "file_7");
        assert_eq!(safe_name(Some("a\u{0}b\n.txt"), 7), "ab.txt");
        assert_eq!(safe_name(None, 7), "file_7");
    }

    #[test]
    fn a_file_that_is_there_is_not_written_over() {
        assert_eq!(free_name("Cargo.toml"), PathBuf::from("Cargo (1).toml"));
        assert_eq!(free_name("not there.txt"), PathBuf::from("not there.txt"));
    }
}
