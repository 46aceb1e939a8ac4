//! Running the program as a person would.

#![allow(dead_code, unreachable_pub)] // each test binary uses a part of it

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use layer_test_server::Server;
use tempfile::TempDir;
use tokio::process::Command;

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

/// Starts the program with these words and waits for its end; a minute is never needed.
pub async fn layer_connect(args: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_layer-connect"));
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    command.env_remove("TG_API_ID");
    let begun = Instant::now();
    let output = tokio::time::timeout(Duration::from_secs(60), command.output())
        .await
        .unwrap_or_else(|_| panic!("{args:?} did not end"))
        .unwrap();
    Run {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        took: begun.elapsed(),
    }
}

impl Run {
    /// It failed with one line on standard error, which is given back.
    #[track_caller]
    pub fn failure(&self) -> &str {
        assert!(!matches!(self.status, Some(0) | None), "{self:?}");
        let line = self.err.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "more than one line: {self:?}");
        assert!(line.starts_with("layer-connect: failed while "), "{self:?}");
        line
    }
}

/// A folder with the public key of a server.
pub struct Key {
    pub folder: TempDir,
    pub path: PathBuf,
}

impl Key {
    pub fn of(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.pem");
        std::fs::write(&path, server.public_key_pem()).unwrap();
        Self { folder, path }
    }

    pub fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}
