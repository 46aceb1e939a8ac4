"""Runs each client in turn against the embedded data centre, several rounds, and prints tables. run.sh builds what it needs."""

import argparse
import filecmp
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import builds
from table import say, summary, table

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE / "target"
TICK = os.sysconf("SC_CLK_TCK")
DEADLINE = 1800

RUST = ["layer", "grammers", "ferogram"]
COMMANDS = {name: [str(TARGET / "release" / name)] for name in RUST} | {
    "mtcute": ["node", "--no-warnings", str(TARGET / "node" / "mtcute_client.mjs")],
    "telethon": [sys.executable, str(HERE / "telethon_client.py")],
    "tdlib": [sys.executable, str(HERE / "tdlib_client.py")],
}
# TDLib comes to another address than Telegram's by a proxy only, and the data centre is one to those who know this.
MTPROXY_SECRET = "00112233445566778899aabbccddeeff"


class Refused(Exception):
    """A client did not do what it was told; the text goes into the table."""


def processor_time(pid):
    """Seconds of user and system time of a process, ended threads included; by the tick of 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid, field):
    """Bytes: VmRSS is now, VmHWM the most there was."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


class Server:
    """The embedded data centre, as its users start it, and accounts that are signed in at it."""

    def __init__(self, scratch, accounts=1, file=None):
        self.process = subprocess.Popen(
            [TARGET / "server" / "release" / "layer-test-server",
             "--listen", "127.0.0.1:0", "--dcs", "1", "--login-code", "22222", "--quiet",
             "--mtproxy-secret", MTPROXY_SECRET],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(scratch)})
        try:
            ready = json.loads(self.process.stdout.readline())
            key = scratch / "key.pem"
            key.write_text(ready["public_key"].strip() + "\n")
            self.world = scratch / "world.json"
            command = [TARGET / "release" / "prepare", ready["dcs"][0]["address"], key, str(accounts)]
            with open(self.world, "w") as world:
                subprocess.run([*command, *([file] if file else [])], stdout=world, check=True, timeout=DEADLINE)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def measure(self, name, what, *words, settle=0.0):
        """What one client takes between saying that it is connected and saying that it is done."""
        environment = os.environ | {
            "PYTHONPATH": str(TARGET / "python"), "BENCHMARK_MTPROXY_SECRET": MTPROXY_SECRET}
        command = [*COMMANDS[name], str(self.world), what, *map(str, words)]
        with tempfile.TemporaryFile("w+") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
            late = threading.Timer(DEADLINE, child.kill)
            late.start()
            try:
                self.reach(child, "ready", log)
                time.sleep(settle)
                before = memory(child.pid, "VmRSS")
                computed, served = processor_time(child.pid), processor_time(self.process.pid)
                began = time.perf_counter()
                child.stdin.write("go\n")
                child.stdin.flush()
                self.reach(child, "done", log)
                seconds = time.perf_counter() - began
                found = {
                    "seconds": seconds,
                    "cpu": processor_time(child.pid) - computed,
                    "server": (processor_time(self.process.pid) - served) / seconds,
                    "peak": memory(child.pid, "VmHWM"),
                }
                time.sleep(settle)
                found["grown"] = memory(child.pid, "VmRSS") - before
                child.stdin.write("end\n")
                child.stdin.close()
                # What a client does to close down is no part of this, and may take long or fail.
                try:
                    child.wait(30)
                except subprocess.TimeoutExpired:
                    pass
                return found
            finally:
                late.cancel()
                child.kill()
                child.wait()

    @staticmethod
    def reach(child, point, log):
        line = child.stdout.readline().strip()
        if line == point:
            return
        child.kill()
        child.wait()
        log.seek(0)
        lines = [each.strip() for each in log.read().splitlines() if each.strip()]
        raise Refused(f"{line} {lines[-1] if lines else 'no word'}".strip()[:200])


def rounds(options, once):
    """Each client in turn, so many times; `once(name)` gives what was measured. The results by client, and what was refused."""
    found, refused = {}, {}
    for number in range(options.rounds):
        for name in options.clients:
            if name in refused:
                continue
            say(f"round {number + 1} of {options.rounds}: {name}")
            try:
                found.setdefault(name, []).append(once(name))
            except Exception as error:
                say(f"{name}: {error}")
                refused[name] = str(error) or type(error).__name__
                found.pop(name, None)
    return found, refused


def requests(options, scratch):
    rows = []
    for in_flight in (1, 1000):
        say(f"help.getNearestDc, {in_flight} in flight")

        def once(name):
            # Long enough for counters that go by 10 ms, and no longer than a minute.
            count = options.requests * (1 if in_flight == 1 else 20) // (1 if name in RUST else 10)
            result = server.measure(name, "requests", count, in_flight)
            return result | {"count": count}

        with Server(scratch) as server:
            found, refused = rounds(options, once)
        table(f"`help.getNearestDc`, {in_flight} in flight", found, refused, [
            ("a second", lambda r: r["count"] / r["seconds"], "{:,.0f}"),
            ("µs of processor each", lambda r: r["cpu"] / r["count"] * 1e6, "{:.1f}"),
            ("cores of the client", lambda r: r["cpu"] / r["seconds"], "{:.2f}"),
            ("cores of the server", lambda r: r["server"], "{:.2f}"),
        ])
        rows += [
            (f"requests a second, {in_flight:,} in flight", found, lambda r: r["count"] / r["seconds"], "{:,.0f}", True, "1×"),
            (f"processor for each, {in_flight:,} in flight", found, lambda r: r["cpu"] / r["count"] * 1e6, "{:.1f} µs", False, "1×"),
        ]
    return rows


def files(options, scratch):
    gigabytes = options.size / 1e9
    source = scratch / "source"
    with open(source, "wb") as file:
        generator = random.Random(1)
        for at in range(0, options.size, 1 << 20):
            file.write(generator.randbytes(min(1 << 20, options.size - at)))
    columns = [
        ("MB/s", lambda r: options.size / r["seconds"] / 1e6, "{:,.0f}"),
        ("processor s per GB", lambda r: r["cpu"] / gigabytes, "{:.2f}"),
        ("most memory, MB", lambda r: r["peak"] / 1e6, "{:,.1f}"),
        ("cores of the client", lambda r: r["cpu"] / r["seconds"], "{:.2f}"),
        ("cores of the server", lambda r: r["server"], "{:.2f}"),
    ]
    rows = []

    def download(name):
        place = scratch / "downloaded"
        place.unlink(missing_ok=True)
        result = server.measure(name, "download", place)
        if not filecmp.cmp(source, place, shallow=False):
            raise Refused("it is not the file")
        place.unlink()
        return result

    def upload(name):
        # One server for each: what was uploaded stays with it.
        with Server(scratch) as server:
            return server.measure(name, "upload", source)

    with Server(scratch, file=source) as server:
        say(f"{options.size / 1e6:,.0f} MB down")
        down = rounds(options, download)
    say(f"{options.size / 1e6:,.0f} MB up")
    up = rounds(options, upload)
    source.unlink()
    for way, (found, refused) in (("down", down), ("up", up)):
        table(f"{options.size / 1e6:,.0f} MB {way}", found, refused, columns)
        rows += [
            (f"{way}", found, columns[0][1], "{:,.0f} MB/s", True, "2×"),
            (f"processor, {way}", found, columns[1][1], "{:.2f} s/GB", False, "2×"),
            (f"most memory, {way}", found, columns[2][1], "{:,.1f} MB", False, "flat"),
        ]
    return rows


def idle(options, scratch):
    count = options.idle
    with Server(scratch, accounts=count + 1) as server:
        say(f"{count} clients in one process, each of another account")
        found, refused = rounds(options, lambda name: server.measure(name, "idle", count, settle=3.0))
    table(f"{count:,} idle clients in one process", found, refused, [
        ("KiB each", lambda r: r["grown"] / count / 1024, "{:,.1f}"),
        ("ms of processor to connect each", lambda r: r["cpu"] / count * 1e3, "{:.2f}"),
    ])
    return [("an idle client", found, lambda r: r["grown"] / count / 1024, "{:,.1f} KiB", False, "2×; 64 KB")]


def size(text):
    units = {"K": 10**3, "M": 10**6, "G": 10**9}
    unit = units.get(text[-1:].upper())
    return int(text) if unit is None else int(float(text[:-1]) * unit)


def main():
    parts = {"requests": requests, "files": files, "idle": idle, "builds": builds.run}
    parser = argparse.ArgumentParser(prog="run.sh", description="Measures the whole client against its peers.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; all of them if none is named")
    parser.add_argument("--clients", default=",".join(COMMANDS), help="which, with commas between (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, in turn (%(default)s)")
    parser.add_argument("--size", type=size, default=size("1G"), help="of the files: 64M, 1G (1G)")
    parser.add_argument("--requests", type=int, default=20_000,
                        help="how many one after the other; 20 times as many 1,000 at a time, and a tenth of both for "
                             "what is not Rust (%(default)s)")
    parser.add_argument("--idle", type=int, default=1000, help="how many idle clients (%(default)s)")
    parser.add_argument("--build-rounds", type=int, default=1, help="how often each is built from nothing (%(default)s)")
    parser.add_argument("--runtime", choices=["multi", "single"], default="multi", help="tokio's, of the Rust clients")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(parts):
        parser.error(f"no part {', '.join(unknown)}")
    options.clients = options.clients.split(",")
    if unknown := set(options.clients) - set(COMMANDS):
        parser.error(f"no client {', '.join(unknown)}")
    os.environ["BENCHMARK_RUNTIME"] = options.runtime

    # In memory where there is enough, so that no disk is measured.
    shared = pathlib.Path("/dev/shm")
    enough = shared.is_dir() and shutil.disk_usage(shared).free > 6 * options.size
    rows = []
    with tempfile.TemporaryDirectory(prefix="layer-benchmark-", dir=shared if enough else TARGET) as scratch:
        for name in options.parts or parts:
            rows += parts[name](options, pathlib.Path(scratch))
    summary(rows)


if __name__ == "__main__":
    main()
