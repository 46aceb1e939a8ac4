//! The program as a process, fed line by line, and a data centre for it.

#![allow(dead_code, unreachable_pub)] // each test binary uses a part of it

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use layer_test_server::{NewUser, Server, UserHandle};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Longer than anything takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(40);
pub const PHONE: &str = "+15550001";

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!((self.status, self.err.as_str()), (Some(0), ""), "{self:?}");
        self.out
    }

    /// It failed with one line on standard error, which is given back.
    #[track_caller]
    pub fn failure(&self) -> &str {
        assert_eq!(self.status, Some(1), "{self:?}");
        let line = self.err.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "more than one line: {self:?}");
        line.strip_prefix("error: ").unwrap()
    }
}

pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_layer-app"));
    command.args(args).kill_on_drop(true);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for name in [
        "TG_API_ID",
        "TG_API_HASH",
        "TG_PHONE",
        "TG_BOT_TOKEN",
        "RUST_LOG",
    ] {
        command.env_remove(name);
    }
    command
}

/// Feeds a whole script.
pub async fn script(args: &[&str], lines: &str) -> Run {
    let mut program = Program::start(args);
    program.feed(lines).await;
    program.end().await
}

/// One that is spoken with.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    out: String,
}

impl Program {
    pub fn start(args: &[&str]) -> Self {
        Self::spawn(command(args))
    }

    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            out: String::new(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Says it as it is. A program that has ended meanwhile tells by its status why.
    async fn feed(&mut self, text: &str) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(text.as_bytes()).await;
        }
    }

    pub async fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.feed(&line).await;
    }

    /// Reads on until a line has these words in it, and gives that line.
    pub async fn until(&mut self, words: &str) -> String {
        loop {
            let line = timeout(PATIENCE, self.output.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("no '{words}' after:\n{}", self.out));
            let Some(line) = line.unwrap() else {
                panic!("it ended before '{words}':\n{}", self.out)
            };
            self.out.push_str(&line);
            self.out.push('\n');
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Says a command and gives the line with these words that comes of it.
    pub async fn ask(&mut self, line: &str, words: &str) -> String {
        self.say(line).await;
        // The command is repeated in the output; what comes of it stands below.
        self.until(&format!("layer> {line}")).await;
        self.until(words).await
    }

    /// Stops reading, and goes on saying things until nobody listens.
    pub async fn abandon(self) -> Run {
        let Self {
            child,
            input,
            output,
            out,
        } = self;
        drop(output);
        let mut input = input.unwrap();
        while input.write_all(b"whoami\n").await.is_ok() {}
        let ended = timeout(PATIENCE, child.wait_with_output()).await;
        let ended = ended.expect("it did not end").unwrap();
        Run {
            status: ended.status.code(),
            out,
            err: String::from_utf8(ended.stderr).unwrap(),
        }
    }

    /// Closes the input and waits for the end.
    pub async fn end(mut self) -> Run {
        self.input = None;
        self.wait().await
    }

    /// Waits for the end with the input still open.
    pub async fn wait(self) -> Run {
        let Self {
            child,
            input,
            mut output,
            mut out,
        } = self;
        let rest = async {
            while let Some(line) = output.next_line().await.unwrap() {
                out.push_str(&line);
                out.push('\n');
            }
            child.wait_with_output().await.unwrap()
        };
        let ended = timeout(PATIENCE, rest).await.expect("it did not end");
        drop(input);
        Run {
            status: ended.status.code(),
            out,
            err: String::from_utf8(ended.stderr).unwrap(),
        }
    }
}

/// A data centre, a folder, and the options that lead to it.
pub struct Place {
    pub server: Server,
    pub folder: TempDir,
    options: Vec<String>,
}

impl Place {
    pub async fn new() -> Self {
        let server = Server::builder().login_code("22222").start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("server.pem");
        std::fs::write(&key, server.public_key_pem()).unwrap();
        let mut place = Self {
            server,
            folder,
            options: vec!["--rsa-key".into(), text(&key)],
        };
        place.begin_at(1);
        place
    }

    /// Points the options at a data centre.
    pub fn begin_at(&mut self, dc: i32) {
        let address = self.server.address(dc).unwrap().to_string();
        let key = self.options[..2].to_vec();
        self.options = vec!["--server".into(), address, "--dc".into(), dc.to_string()];
        self.options.splice(0..0, key);
    }

    /// The options, and more.
    pub fn args<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let mut args: Vec<&str> = self.options.iter().map(String::as_str).collect();
        args.extend(more);
        args
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn ada(&self) -> UserHandle {
        self.server.add_user(NewUser::named(PHONE, "Ada"))
    }

    pub fn grace(&self) -> UserHandle {
        let mut grace = NewUser::named("+15550002", "Grace");
        grace.username = Some("grace".into());
        self.server.add_user(grace)
    }

    /// The program, signed in as Ada.
    pub async fn as_ada(&self) -> Program {
        let mut program = Program::start(&self.args(&["--phone", PHONE]));
        program.say("22222").await;
        program.until("Signed in as Ada").await;
        program
    }
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The id that stands at the beginning of a message's line.
#[track_caller]
pub fn id(line: &str) -> i32 {
    let word = line.split_whitespace().next();
    let id = word.and_then(|word| word.parse().ok());
    id.unwrap_or_else(|| panic!("no message: {line}"))
}
