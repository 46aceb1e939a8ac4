"""What the scenarios share: steps with deadlines, the server under test, a user of layer-client beside it."""

import contextlib
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time

DEADLINE = float(os.environ.get("INTEROP_DEADLINE", "20"))
LOGIN_CODE = "22222"


class Failure(Exception):
    """A step found something other than what it expects."""


def expect(condition, message):
    if not condition:
        raise Failure(message)


class Report:
    """Counts steps. A step that later ones stand on ends its scenario when it fails."""

    def __init__(self, suite):
        self.suite = suite
        self.passed = 0
        self.failed = 0

    @contextlib.contextmanager
    def scenario(self, name, *logs):
        """Runs a scenario; `logs` are callables that give text worth reading after a failure."""
        self.name = f"{self.suite} [{name}]"
        began, failed_before = time.monotonic(), self.failed
        try:
            yield
        except Abandoned:
            pass
        except Exception as error:  # outside of any step: the scenario's own set-up
            self.failed += 1
            print(f"FAIL {self.name}: {type(error).__name__}: {error}", flush=True)
        if self.failed != failed_before:
            for log in logs:
                print(log(), flush=True)
        print(f"     {self.name}: {time.monotonic() - began:.1f} s", flush=True)

    @contextlib.contextmanager
    def step(self, what, essential=False):
        """What is put into the list that it gives is printed with the step."""
        began, notes = time.monotonic(), []
        try:
            yield notes
        except Exception as error:
            self.failed += 1
            print(f"FAIL {self.name}: {what}: {type(error).__name__}: {error}", flush=True)
            if essential:
                raise Abandoned from error
        else:
            self.passed += 1
            took = ", ".join([f"{time.monotonic() - began:.2f} s", *notes])
            print(f"ok   {self.name}: {what} ({took})", flush=True)

    def finish(self):
        print(f"{self.suite}: {self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


class Abandoned(Exception):
    """The rest of the scenario has nothing to stand on."""


def tail(path, lines):
    try:
        text = pathlib.Path(path).read_text(errors="replace").splitlines()
    except OSError as error:
        return f"(no log: {error})"
    return "\n".join(line[:2000] for line in text[-lines:])


class Server:
    """The embedded data centre, started as its users start it: the binary; or another program that is one."""

    def __init__(self, directory, *arguments, binary=None):
        binary = binary or os.environ["LAYER_TEST_SERVER"]
        self.log = pathlib.Path(directory) / "server.log"
        command = [binary, "--listen", "127.0.0.1:0", "--login-code", LOGIN_CODE, "-v", "--control", *arguments]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.PIPE)
        self.lines = queue.Queue()
        threading.Thread(target=self._drain, daemon=True).start()
        try:
            line = self.lines.get(timeout=DEADLINE)
        except queue.Empty:
            self.stop()
            raise Failure(f"the server printed nothing within {DEADLINE:.0f} s") from None
        try:
            self.ready = json.loads(line)
        except ValueError:
            self.stop()
            raise Failure(f"the server's first line is not JSON: {line!r}; its log: {tail(self.log, 20)}") from None
        self.dcs = {dc["id"]: dc["address"] for dc in self.ready["dcs"] if not (dc.get("cdn") or dc.get("media_only"))}
        self.public_key = self.ready["public_key"].strip()
        self.key_file = pathlib.Path(directory) / "server.pem"
        self.key_file.write_text(self.public_key + "\n")

    def _drain(self):
        for line in self.process.stdout:
            self.lines.put(line.decode())
        self.lines.put("")

    def command(self, text, timeout=DEADLINE):
        """A rule that lets something go wrong from now on, or another command of --control; its answer."""
        self.process.stdin.write(f"{text}\n".encode())
        self.process.stdin.flush()
        answer = json.loads(self.lines.get(timeout=timeout))
        expect("error" not in answer, f"{text}: {answer}")
        return answer

    def address(self, dc):
        host, port = self.dcs[dc].rsplit(":", 1)
        return host, int(port)

    def calls(self, method):
        """How often a method was called so far."""
        return sum(method in line for line in self.log.read_text(errors="replace").splitlines())

    def diagnosis(self):
        return f"--- server's log ---\n{tail(self.log, 40)}\n---"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Proxy:
    """proxy.py before a server: SOCKS and HTTP CONNECT by Telegram's addresses."""

    def __init__(self, directory, server, user=None, password=""):
        self.user, self.password = user, password
        self.log = pathlib.Path(directory) / "proxy.log"
        command = [sys.executable, str(pathlib.Path(__file__).with_name("proxy.py"))]
        for dc, address in server.dcs.items():
            command += ["--dc", f"{dc}={address}"]
        if user is not None:
            command += ["--user", user, "--password", password]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline()  # it ends at once or prints its port
        if not line:
            raise Failure(f"the proxy ended: {tail(self.log, 20)}")
        self.port = int(line)

    def used(self, kind):
        """How many connections of this kind led somewhere."""
        lines = self.log.read_text(errors="replace").splitlines()
        return sum(line.startswith(f"{kind}: ") and " is " in line for line in lines)

    def diagnosis(self):
        return f"--- proxy's log ---\n{tail(self.log, 20)}\n---"

    def stop(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()


class Peer:
    """A user of layer-client, or a bot: the example `interop_peer`, driven by tab-separated lines."""

    def __init__(self, directory, server, name, *arguments, first_dc=2):
        self.name = name
        self.log = pathlib.Path(directory) / f"{name}.log"
        self.events, self.times = [], []
        self.changed = threading.Condition()
        self.replies = queue.Queue()
        command = [os.environ["LAYER_INTEROP_PEER"], "--rsa-key", str(server.key_file),
                   "--session", str(pathlib.Path(directory) / f"{name}.session"), *arguments]
        for dc in sorted(server.dcs, key=lambda dc: dc != first_dc):
            command += ["--dc", f"{dc}={server.dcs[dc]}"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            kind, *rest = line.decode().rstrip("\n").split("\t")
            if kind == "event":
                with self.changed:
                    self.events.append(rest)
                    self.times.append(time.monotonic())
                    self.changed.notify_all()
            else:
                self.replies.put((kind, rest))
        self.replies.put(("error", ["layer-client's process ended"]))

    def call(self, *words, timeout=None):
        timeout = timeout or DEADLINE
        self.process.stdin.write(("\t".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()
        try:
            kind, rest = self.replies.get(timeout=timeout)
        except queue.Empty:
            raise Failure(f"layer-client: no answer to {words[0]} within {timeout:.0f} s") from None
        expect(kind == "ok", f"layer-client: {words[0]}: {' '.join(rest)}")
        return rest

    def event(self, *words, timeout=None):
        """Waits for the event that begins with `words` (None stands for any) and gives all of it."""
        deadline = time.monotonic() + (timeout or DEADLINE)

        def found():
            for event in self.events:
                if len(event) >= len(words) and all(w is None or str(w) == e for w, e in zip(words, event)):
                    return event
            return None

        with self.changed:
            while (event := found()) is None:
                left = deadline - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    raise Failure(f"layer-client saw no {words}; it saw {self.events[-8:]}")
        return event

    def diagnosis(self):
        return f"--- log of layer-client's {self.name} ---\n{tail(self.log, 30)}\n---"

    def stop(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
