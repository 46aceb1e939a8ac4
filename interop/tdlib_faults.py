"""TDLib and a user of layer-client talk while things go wrong on purpose, as faults.json lists them.

In the end both of TDLib's devices and layer-client have the same messages, none twice and none missing. How long it took until
everything was where it belongs is printed with each step.
"""

import json
import os
import pathlib
import threading
import time

from harness import LOGIN_CODE, Failure, expect
from tdlib import text_of
from tdlib_passage import ALICE, BORIS, FILE_BYTES, digest, document, download, history, random_file, signed_up

EACH_WAY = 30
PATIENCE = 90


def faults():
    listed = json.loads(pathlib.Path(__file__).with_name("faults.json").read_text())
    return [fault for fault in listed if os.environ.get("INTEROP_FAULT", "") in fault["name"]]


def told(account, texts):
    """What updates told of each text: the ids of its messages, and when. An own message counts when the data centre has it."""
    found = {text: {} for text in texts}
    for update in list(account.updates):
        told = update["@type"] == "updateNewMessage" and "sending_state" not in update["message"]
        if (told or update["@type"] == "updateMessageSendSucceeded") and text_of(update["message"]) in found:
            found[text_of(update["message"])].setdefault(update["message"]["id"], update["@time"])
    return found


def settled(accounts, peer, texts, began):
    """Waits until everybody was told everything; gives after how many seconds each was."""
    seconds = {}
    for account in accounts:
        account.wait(lambda account=account: all(told(account, texts).values()) or None,
                     lambda account=account: f"never told {[t for t, ids in told(account, texts).items() if not ids]}", PATIENCE)
        seconds[account.name] = max(at for ids in told(account, texts).values() for at in ids.values()) - began
    for text in texts:
        peer.event("new", None, None, None, text, timeout=PATIENCE)
    heard = [at for event, at in zip(peer.events, peer.times) if event[0] == "new" and event[4] in texts]
    return {**seconds, "layer-client": max(heard) - began}


def talk(server, account, peer, chat, name, rules):
    """Thirty messages each way at a time; a fault while each sixth of ours is on its way."""
    began = time.monotonic()
    ours = [f"{name}: TDLib's {n}" for n in range(EACH_WAY)]
    theirs = [f"{name}: layer-client's {n}" for n in range(EACH_WAY)]
    trouble, took = [], {}

    def answer():
        try:
            for text in theirs:
                try:
                    peer.call("send", "@alice_interop", text, timeout=PATIENCE)
                except Failure as failure:
                    if "RANDOM_ID_DUPLICATE" not in str(failure):  # there already, and the answer lost with its session
                        raise
        except Exception as error:
            trouble.append(error)
        took["layer-client sent"] = time.monotonic() - began

    other = threading.Thread(target=answer)
    other.start()
    for number, text in enumerate(ours):
        account.call("sendMessage", chat_id=chat, input_message_content={
            "@type": "inputMessageText", "text": {"@type": "formattedText", "text": text}})
        if number % 6 == 5:
            for rule in rules:
                server.command(rule)
            account.sent(text, PATIENCE)
    account.sent(ours[-1], PATIENCE)
    took["TDLib sent"] = time.monotonic() - began
    other.join()
    if trouble:
        raise trouble[0]
    return ours + theirs, began, took


def storm(report, directory, server, device, peer, pfs):
    first, second = device("first"), device("second")
    with report.step("signs up; a second device signs in", essential=True):
        signed_up(first, ALICE, "Alice")
        first.call("setUsername", username="alice_interop")
        second.start()
        second.request_code(ALICE)
        second.call("checkAuthenticationCode", code=LOGIN_CODE)
        second.until("Ready")
        peer.call("sign_up", BORIS, LOGIN_CODE, "Boris")
        peer.call("username", "boris_interop")
        chat = first.call("searchPublicChat", username="boris_interop")["id"]

    with report.step("5 MB up and down while connections are cut"):
        server.command("in method=upload.* chance=20% times=5: close")
        path = random_file(directory, "from-tdlib.bin")
        first.send(chat, document(path), timeout=PATIENCE)
        event = peer.event("new", None, None, "in", "", path.name, FILE_BYTES, timeout=PATIENCE)
        copy = pathlib.Path(directory) / "peer-copy.bin"
        peer.call("download", "@alice_interop", event[2], copy, timeout=PATIENCE)
        expect(digest(copy) == digest(path), "layer-client's copy differs")
        expect(digest(download(second, path.name)) == digest(path), "the second device's copy differs")
        path = random_file(directory, "from-layer-client.bin")
        peer.call("upload", "@alice_interop", path, timeout=PATIENCE)
        expect(digest(download(first, path.name)) == digest(path), "TDLib's copy differs")
        server.command("clear")

    everything = []
    for fault in faults():
        if "temporary" in fault["name"] and not pfs:
            continue
        with report.step(fault["name"]) as notes:
            for rule in fault.get("before", []):
                server.command(rule)
            try:
                texts, began, took = talk(server, first, peer, chat, fault["name"], fault.get("during", []))
                everything += texts
                for account in (first, second):  # one that says nothing hears of a lost session with its next ping
                    account.ask("getActiveSessions")
                took |= settled((first, second), peer, texts, began)
            finally:
                server.command("clear")
            notes += [f"{name} {seconds:.1f}" for name, seconds in took.items()]
            twice = {account.name: [t for t, ids in told(account, texts).items() if len(ids) > 1] for account in (first, second)}
            twice["layer-client"] = [t for t in texts if sum(e[0] == "new" and e[4] == t for e in peer.events) > 1]
            expect(not any(twice.values()), f"told twice: {twice}")

    with report.step("all devices have the same messages in the same order, none twice and none missing"):
        # TDLib may keep an own message that was refused as a duplicate as a failed one, beside the one that was taken.
        histories = {account.name: [text_of(message) for message in history(account, chat)
                                    if text_of(message) and "sending_state" not in message] for account in (first, second)}
        histories["layer-client"] = [t for t in peer.call("history", "@alice_interop", len(everything) + 50, timeout=60) if t]
        for name, texts in histories.items():
            expect(sorted(texts) == sorted(everything), f"{name}: {len(texts)} of {len(everything)} messages, "
                   f"missing {sorted(set(everything) - set(texts))}, twice {sorted({t for t in texts if texts.count(t) > 1})}")
            expect(texts == histories["first"], f"{name} has another order")
