"""A random history happens to an account on which TDLib and layer-client are signed in beside each other, while things go wrong.

In the end both have the same messages in every chat as the data centre, with what was edited and without what was deleted. Of
layer-client that is what it was told, applied in order; of TDLib what it gives when asked for the chat. Half way through,
layer-client is killed and TDLib closed, and both come back.
"""

import os
import time

from harness import LOGIN_CODE, expect
from tdlib import TdError, text_of
from tdlib_passage import history

STEPS = int(os.environ.get("INTEROP_HISTORY_STEPS", "150"))
CHATS = int(os.environ.get("INTEROP_HISTORY_CHATS", "16"))
PATIENCE = 30
SERVICE = "(service)"


def seeds():
    return [int(seed) for seed in os.environ.get("INTEROP_HISTORY_SEEDS", "1,2,3").split(",")]


class Mirror:
    """The chats as layer-client was told of them."""

    def __init__(self):
        self.chats, self.place = {}, {}

    def listen(self, peer):
        self.peer, self.taken, self.told = peer, 0, set()

    def catch_up(self):
        while self.taken < len(self.peer.events):
            kind, *words = self.peer.events[self.taken]
            self.taken += 1
            if kind in ("new", "edited"):
                chat, id, text = int(words[0]), int(words[1]), words[3] or SERVICE
                if kind == "new":
                    expect((chat, id) not in self.told, f"layer-client was told of message {id} of {chat} twice")
                    self.told.add((chat, id))
                self.put(chat, id, text)
            elif kind == "deleted":
                id = int(words[0])
                chat = int(words[1]) or self.place.get(id)
                self.chats.get(chat, {}).pop(id, None)
            elif kind == "whole":
                chat = int(words[0])
                self.chats[chat] = {}
                for id, text in zip(words[1::2], words[2::2]):
                    self.put(chat, int(id), text or SERVICE)

    def put(self, chat, id, text):
        if not is_channel(chat):
            self.place[id] = chat
        self.chats.setdefault(chat, {})[id] = text


def is_channel(chat):
    return chat < -1_000_000_000_000


def from_tdlib(account, chat):
    """What TDLib has in a chat. It multiplies ids of messages by 2 to the 20th."""
    return {message["id"] >> 20: text_of(message) or SERVICE for message in history(account, chat)}


def lacks(name, there, here):
    """How two lists of one chat differ, if they do. A channel begins with what was told of first."""
    for chat, messages in there.items():
        has = here(chat)
        if is_channel(chat) and messages:
            begin = min((id for id in has if id >= min(messages)), default=min(messages))
            messages = {id: text for id, text in messages.items() if id >= begin}
            has = {id: text for id, text in has.items() if id >= begin}
        if has != messages:
            missing = {id: text for id, text in messages.items() if has.get(id) != text}
            extra = {id: text for id, text in has.items() if messages.get(id) != text}
            return f"{name} in {chat}: lacks {missing}, has {extra} besides"
    return None


def settled(server, mirror, account):
    """Waits until both have what the data centre has; gives after how many seconds each did."""
    began, took = time.monotonic(), {}
    there = {int(chat): {int(id): text for id, text in messages.items()}
             for chat, messages in server.command("chats").items()}

    def wait(name, here):
        while (wrong := lacks(name, there, here)) is not None:
            expect(time.monotonic() - began < PATIENCE, wrong)
            time.sleep(0.1)
        took[name] = time.monotonic() - began

    def ours(chat):
        mirror.catch_up()
        return mirror.chats.get(chat, {})

    def theirs(chat):
        try:
            return from_tdlib(account, chat)
        except TdError:
            return {}  # it has yet to hear of the chat

    wait("layer-client", ours)
    wait("TDLib", theirs)
    return there, [f"{name} {seconds:.1f}" for name, seconds in took.items()]


def play(report, server, device, new_peer, seed):
    phone, mirror = server.ready["phone"], Mirror()
    with report.step("both sign in", essential=True):
        account = device("first")
        account.start()
        account.request_code(phone)
        account.call("checkAuthenticationCode", code=LOGIN_CODE)
        account.until("Ready")
        peer = new_peer()
        mirror.listen(peer)
        peer.call("sign_in", phone, LOGIN_CODE)

    with report.step(f"{CHATS // 2} chats", essential=True) as notes:
        server.command(f"begin {seed} {CHATS}")
        notes += settled(server, mirror, account)[1]

    with report.step(f"{STEPS} steps of a history; half way layer-client is killed and TDLib closed", essential=True):
        server.command(f"play {STEPS // 2}", timeout=PATIENCE)
        peer.process.kill()
        peer.process.wait()
        mirror.catch_up()
        account.close()
        server.command(f"play {STEPS // 10}", timeout=PATIENCE)
        account = account.reopened()
        account.start()
        account.until("Ready")
        peer = new_peer()
        mirror.listen(peer)
        server.command(f"play {STEPS - STEPS // 2 - STEPS // 10}", timeout=PATIENCE)

    with report.step("both have the same messages in every chat as the data centre") as notes:
        for text in ("nearly the end", "the end"):
            server.command(f"say {text}")
            there, took = settled(server, mirror, account)
        notes += [f"{len(there)} chats", f"{sum(map(len, there.values()))} messages", *took]
