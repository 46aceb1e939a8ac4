"""How long a hello-world takes to build from nothing, and how much memory; and again after an edit."""

import os
import pathlib
import shutil
import subprocess
import threading
import time

from table import say, table

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

MANIFEST = """[workspace]

[package]
name = "hello"
version = "0.0.0"
edition = "2024"

[dependencies]
tokio = {{ version = "1", features = ["macros", "rt-multi-thread"] }}
{dependencies}
"""

LAYER = """
use layer_client::{Client, Config};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config { session_path: "hello.session".into(), api_id: 1, api_hash: "hash".into(), ..Config::default() };
    let client = Client::connect(config).await?;
    client.send_message("me", "Hello").await?;
    Ok(())
}
"""

GRAMMERS = """
use std::sync::Arc;
use grammers_client::{Client, message::InputMessage};
use grammers_mtsender::SenderPool;
use grammers_session::storages::SESSION;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let session = Arc::new(OPEN);
    let pool = SenderPool::new(session, 1);
    let client = Client::new(pool.handle);
    tokio::spawn(pool.runner.run());
    let me = client.get_me().await?;
    if let Some(me) = me.to_ref().await? {
        client.send_message(me, InputMessage::new().text("Hello")).await?;
    }
    Ok(())
}
"""

MEMORY = GRAMMERS.replace("SESSION", "MemorySession").replace("OPEN", "MemorySession::default()")
SQLITE = GRAMMERS.replace("SESSION", "SqliteSession").replace("OPEN", 'SqliteSession::open("hello.session").await?')

PROGRAMS = {
    "layer": (f'layer-client = {{ path = "{ROOT / "layer-client"}" }}', LAYER),
    "grammers": ('grammers-client = "=0.11.0"\ngrammers-mtsender = "=0.11.0"\n'
                 'grammers-session = { version = "=0.11.0", default-features = false }', MEMORY),
    "grammers with SQLite": ('grammers-client = "=0.11.0"\ngrammers-mtsender = "=0.11.0"\ngrammers-session = "=0.11.0"', SQLITE),
}
EDITS = 3


class Memory(threading.Thread):
    """The most memory that the processes below one had together, and the largest of them alone."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.together, self.largest, self.over = pid, 0, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            parents, sizes = {}, {}
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    try:
                        with open(f"/proc/{entry.name}/stat") as file:
                            fields = file.read().rpartition(")")[2].split()
                    except OSError:
                        continue  # it has ended
                    parents[int(entry.name)] = int(fields[1])
                    sizes[int(entry.name)] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
            ours = [size for pid, size in sizes.items() if self.below(pid, parents)]
            self.together = max(self.together, sum(ours))
            self.largest = max([self.largest, *ours])

    def below(self, pid, parents):
        while pid and pid != self.pid:
            pid = parents.get(pid)
        return pid == self.pid


def build(project, *options):
    """Seconds, seconds of processor, and bytes of memory."""
    before = os.times()
    began = time.perf_counter()
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("CARGO_TARGET_DIR", "RUSTFLAGS", "RUSTC_WRAPPER")}
    # What comes from a registry is never built piece by piece. Ours is named by a path, and would be, at a cost.
    environment["CARGO_INCREMENTAL"] = "0"
    child = subprocess.Popen(
        ["cargo", "build", "--quiet", "--offline", "--locked", *options], cwd=project,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    memory = Memory(child.pid)
    memory.start()
    output, _ = child.communicate()
    seconds = time.perf_counter() - began
    memory.over.set()
    memory.join()
    if child.returncode:
        raise RuntimeError("; ".join(line for line in output.splitlines() if line.startswith("error"))[:200])
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": seconds, "cpu": cpu, "together": memory.together, "largest": memory.largest}


def run(options, _scratch):
    rounds = options.build_rounds
    found = {kind: {} for kind in ("debug", "release", "edit")}
    refused = {}
    place = HERE / "target" / "builds"
    shutil.rmtree(place, ignore_errors=True)
    projects = {}
    for name, (dependencies, program) in PROGRAMS.items():
        project = projects[name] = place / name.replace(" ", "-")
        (project / "src").mkdir(parents=True)
        (project / "Cargo.toml").write_text(MANIFEST.format(dependencies=dependencies))
        (project / "src" / "main.rs").write_text(program)
        # Everything is fetched before the clock runs.
        subprocess.run(["cargo", "fetch", "--quiet"], cwd=project, check=True)
    for number in range(rounds):
        for name, project in projects.items():
            if name in refused:
                continue
            say(f"round {number + 1} of {rounds}: {name} is built from nothing")
            try:
                found["debug"].setdefault(name, []).append(build(project))
                shutil.rmtree(project / "target")
                found["release"].setdefault(name, []).append(build(project, "--release"))
                for _ in range(EDITS):
                    os.utime(project / "src" / "main.rs")
                    found["edit"].setdefault(name, []).append(build(project, "--release"))
            except Exception as error:
                say(f"{name}: {error}")
                refused[name] = str(error)
            shutil.rmtree(project / "target", ignore_errors=True)
    columns = [
        ("s", lambda r: r["seconds"], "{:.2f}"),
        ("processor s", lambda r: r["cpu"], "{:.1f}"),
        ("MB, all processes", lambda r: r["together"] / 1e6, "{:,.0f}"),
        ("MB, largest process", lambda r: r["largest"] / 1e6, "{:,.0f}"),
    ]
    # A build stands or falls as a whole.
    for kind, results in found.items():
        found[kind] = {name: each for name, each in results.items() if name not in refused}
    table("A hello-world from nothing, debug", found["debug"], refused, columns)
    table("A hello-world from nothing, release", found["release"], refused, columns)
    table("The same after an edit, release", found["edit"], refused, columns)
    rows = []
    for kind in ("debug", "release"):
        rows += [
            (f"cold build, {kind}", found[kind], columns[0][1], "{:.1f} s", False, "2×"),
            (f"memory of it, {kind}", found[kind], columns[2][1], "{:,.0f} MB", False, "2×"),
        ]
    return [*rows, ("build after an edit, release", found["edit"], columns[0][1], "{:.2f} s", False, "under 1 s")]
