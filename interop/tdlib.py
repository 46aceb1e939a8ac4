"""A small driver of the official TDLib: its JSON interface by ctypes, and a copy of it that trusts another key."""

import contextlib
import ctypes
import itertools
import json
import pathlib
import re
import threading
import time

from harness import DEADLINE, Failure, expect, tail

KEY = re.compile(rb"-----BEGIN RSA PUBLIC KEY-----\n[^-]+-----END RSA PUBLIC KEY-----")
KEY_LENGTH = 425  # a 2048-bit modulus and e = 65537, in PKCS#1 PEM without a final newline
KEYS = 2  # the one for production and the one for test servers


def find_library(site):
    """The shared object that the wheel carries beside its Python extension."""
    found = sorted(pathlib.Path(site).glob("tdjson.libs/libtdjson*.so*"))
    expect(len(found) == 1, f"expected one libtdjson below {site}, found {found}")
    return found[0]


def patched_library(site, directory, public_key):
    """Copies the library with the keys of Telegram's data centres replaced; the original stays as it is."""
    key = public_key.encode()
    expect(len(key) == KEY_LENGTH and KEY.fullmatch(key), f"the server's key has {len(key)} bytes, TDLib's have {KEY_LENGTH}")
    code = bytearray(find_library(site).read_bytes())
    places = [m.start() for m in KEY.finditer(code) if len(m.group()) == KEY_LENGTH]
    expect(len(places) == KEYS, f"expected {KEYS} keys of {KEY_LENGTH} bytes in TDLib, found {len(places)}")
    for place in places:
        code[place : place + KEY_LENGTH] = key
    copy = pathlib.Path(directory) / "libtdjson.so"
    copy.write_bytes(code)
    return copy


class TdError(Exception):
    def __init__(self, method, error):
        super().__init__(f"{method}: {error.get('code')} {error.get('message')}")
        self.message = error.get("message", "")


class Tdlib:
    """The library, with one thread that receives for all accounts."""

    def __init__(self, library, directory, verbosity):
        self.log = pathlib.Path(directory) / "tdlib.log"
        self.lib = ctypes.CDLL(str(library))
        self.lib.td_create_client_id.restype = ctypes.c_int
        self.lib.td_send.argtypes = [ctypes.c_int, ctypes.c_char_p]
        self.lib.td_receive.argtypes = [ctypes.c_double]
        self.lib.td_receive.restype = ctypes.c_char_p
        self.lib.td_execute.argtypes = [ctypes.c_char_p]
        self.lib.td_execute.restype = ctypes.c_char_p
        self._execute({"@type": "setLogStream", "log_stream": {
            "@type": "logStreamFile", "path": str(self.log), "max_file_size": 1 << 28, "redirect_stderr": False}})
        self._execute({"@type": "setLogVerbosityLevel", "new_verbosity_level": verbosity})
        self.accounts = {}
        self.numbers = itertools.count(1)
        self.running = True
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()

    def _execute(self, query):
        answer = json.loads(self.lib.td_execute(json.dumps(query).encode()))
        expect(answer["@type"] == "ok", f"{query['@type']}: {answer}")

    def _receive(self):
        while self.running:
            raw = self.lib.td_receive(0.5)
            if raw:
                event = json.loads(raw)
                account = self.accounts.get(event.get("@client_id"))
                if account:
                    account._take(event)

    def faults(self):
        """What the log has at the levels of fatal errors and errors: answers that TDLib does not expect of Telegram."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if re.match(r"\[ [01]\]", line)]

    def diagnosis(self):
        return f"--- TDLib's log ---\n{tail(self.log, 60)}\n---"

    def stop(self):
        for account in list(self.accounts.values()):
            with contextlib.suppress(Exception):
                account.close()
        self.running = False
        self.thread.join(timeout=5)


class Account:
    """One TDLib database: a device, as the data centre sees it. `proxy` is what addProxy takes."""

    def __init__(self, tdlib, name, directory, proxy, pfs=False):
        self.tdlib, self.name, self.proxy, self.pfs = tdlib, name, proxy, pfs
        self.directory = pathlib.Path(directory) / name
        self.updates, self.answers = [], {}
        self.state = None
        self.changed = threading.Condition()
        self.id = tdlib.lib.td_create_client_id()
        tdlib.accounts[self.id] = self

    def _take(self, event):
        event["@time"] = time.monotonic()
        with self.changed:
            if "@extra" in event:
                self.answers[event["@extra"]] = event
            else:
                self.updates.append(event)
                if event["@type"] == "updateAuthorizationState":
                    self.state = event["authorization_state"]["@type"]
            self.changed.notify_all()

    def wait(self, find, what, timeout):
        timeout = timeout or DEADLINE
        deadline = time.monotonic() + timeout
        with self.changed:
            while (found := find()) is None:
                left = deadline - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    raise Failure(f"{self.name}: {what()} within {timeout:.0f} s")
        return found

    def ask(self, method, **arguments):
        number = next(self.tdlib.numbers)
        query = {"@type": method, "@extra": number, **arguments}
        self.tdlib.lib.td_send(self.id, json.dumps(query).encode())
        return number

    def call(self, method, timeout=None, **arguments):
        return self.answer(self.ask(method, **arguments), method, timeout)

    def answer(self, number, method, timeout=None):
        answer = self.wait(lambda: self.answers.pop(number, None), lambda: f"no answer to {method}", timeout)
        if answer["@type"] == "error":
            raise TdError(method, answer)
        return answer

    def update(self, kind, matches=lambda update: True, timeout=None, since=0):
        """The first update of this kind that matches, whether it came already or is still to come."""
        position = since

        def find():
            nonlocal position
            while position < len(self.updates):
                update = self.updates[position]
                position += 1
                if update["@type"] == kind and matches(update):
                    return update
            return None

        def what():
            last = [u["@type"] for u in self.updates[-8:]]
            return f"no {kind} that fits (last updates: {last})"

        return self.wait(find, what, timeout)

    def until(self, *states, timeout=None):
        names = ["authorizationState" + state for state in states]
        return self.wait(
            lambda: self.state if self.state in names else None,
            lambda: f"not in {names} but in {self.state}", timeout)

    def start(self, parameters=None):
        """To the point where TDLib wants a phone number, or is signed in from before."""
        self.call("getAuthorizationState")  # TDLib makes the account at its first request
        self.until("WaitTdlibParameters")
        # Answered after the parameters only, but asked before: no connection goes anywhere else.
        pfs = self.ask("setOption", name="use_pfs", value={"@type": "optionValueBoolean", "value": self.pfs})
        proxy = self.ask("addProxy", enable=True, proxy={"@type": "proxy", **self.proxy})
        self.call("setTdlibParameters", **{
            "use_test_dc": False, "database_directory": str(self.directory), "files_directory": "",
            "use_file_database": True, "use_chat_info_database": True, "use_message_database": True,
            "use_secret_chats": False, "api_id": 12345, "api_hash": "0123456789abcdef0123456789abcdef",
            "system_language_code": "en", "device_model": "interop", "application_version": "1",
            **(parameters or {})})
        self.answer(pfs, "setOption")
        self.answer(proxy, "addProxy")
        return self.until("WaitPhoneNumber", "Ready")

    def request_code(self, phone):
        self.call("setAuthenticationPhoneNumber", phone_number=phone)
        return self.until("WaitCode")

    def close(self):
        if self.state != "authorizationStateClosed":
            self.call("close")
            self.until("Closed", timeout=10)
        self.tdlib.accounts.pop(self.id, None)

    def reopened(self):
        """The same database after a restart."""
        self.close()
        return Account(self.tdlib, self.name, self.directory.parent, self.proxy, self.pfs)

    def send(self, chat, content, timeout=None):
        """Sends and waits until the data centre has taken the message; gives it with its final id."""
        if isinstance(content, str):
            content = {"@type": "inputMessageText", "text": {"@type": "formattedText", "text": content}}
        pending = self.call("sendMessage", chat_id=chat, input_message_content=content)["id"]

        def find():
            for update in self.updates:
                if update.get("old_message_id") == pending:
                    return update
            return None

        update = self.wait(find, lambda: "a message was neither sent nor refused", timeout)
        expect(update["@type"] == "updateMessageSendSucceeded", f"sending failed: {update.get('error')}")
        return update["message"]

    def sent(self, text, timeout=None):
        """Waits until the data centre has taken the own message with this text."""
        return self.update("updateMessageSendSucceeded", lambda u: text_of(u["message"]) == text, timeout)

    def received(self, text, chat=None, timeout=None):
        """The incoming message with this text."""
        return self.update(
            "updateNewMessage",
            lambda u: text_of(u["message"]) == text and chat in (None, u["message"]["chat_id"]),
            timeout)["message"]


def text_of(message):
    return message["content"].get("text", {}).get("text")
