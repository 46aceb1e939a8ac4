"""The official TDLib against the embedded data centre, with a user of layer-client beside it.

`tdlib_scenario.py SITE [WAY …]`: SITE is where pip put tdjson; a way is one of WAYS, with or without `+pfs` behind it; without
names, those of ALL. The first ones go through everything, those with `+faults` through the storm of `tdlib_faults.py`, those with
`+files` through what can happen to files (`tdlib_files.py`), those with `+histories` through random histories
(`tdlib_histories.py`), the others through the passage of `tdlib_passage.py`.
"""

import contextlib
import os
import pathlib
import re
import secrets
import sys
import tempfile
import urllib.parse

from harness import LOGIN_CODE, Peer, Proxy, Report, Server, expect
from tdlib import Account, TdError, Tdlib, patched_library, text_of
from tdlib_faults import storm
from tdlib_files import files
from tdlib_histories import play, seeds
from tdlib_passage import ALICE, BORIS, FILE_BYTES, digest, document, download, history, passage, random_file, signed_up

PASSWORD = "correct horse"
DOMAIN = b"example.org".hex()


def mtproto(server, secret):
    host, port = server.address(1)
    return {"server": host, "port": port, "type": {"@type": "proxyTypeMtproto", "secret": secret}}


def link(leads):
    """The same for layer-client, which goes the same way."""
    kind = leads["type"]
    place = {"server": leads["server"], "port": leads["port"]}
    if "secret" in kind:
        return "tg://proxy?" + urllib.parse.urlencode({**place, "secret": kind["secret"]})
    user, password = (urllib.parse.quote(kind[name], safe="") for name in ("username", "password"))
    scheme = {"proxyTypeSocks5": "socks5", "proxyTypeHttp": "http"}[kind["@type"]]
    return f"{scheme}://{f'{user}:{password}@' if user else ''}{place['server']}:{place['port']}"


def through(proxy, kind):
    """By Telegram's own addresses, through our proxy."""
    secrets = {"username": proxy.user or "", "password": proxy.password}
    kinds = {"socks5": {"@type": "proxyTypeSocks5", **secrets}, "http": {"@type": "proxyTypeHttp", **secrets, "http_only": False}}
    return {"server": "127.0.0.1", "port": proxy.port, "type": kinds[kind]}


WAYS = ("plain", "dd", "ee", "socks5", "socks5-password", "http", "http-password")
FULL = ("plain", "dd+pfs")
STORM = ("dd+pfs+faults",)
HISTORIES = ("dd+histories",)
FILES = ("dd+pfs+files",)
ALL = (*FULL, *STORM, *FILES, *HISTORIES, "ee", "ee+pfs", "socks5", "socks5-password+pfs", "http+pfs", "http-password")


def run(report, site, name, verbosity, seed=None):
    way, *more = name.split("+")
    pfs, faults, of_files = "pfs" in more, "faults" in more, "files" in more
    kind, _, password = way.partition("-")
    secret = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="interop-") as directory, contextlib.ExitStack() as closing:
        # The CDN serves nothing until it is told to.
        cdn = ("--cdn", str(1 << 40)) if of_files else ()
        server = Server(directory, "--mtproxy-secret", secret, "--mtproxy-secret", f"ee{secret}{DOMAIN}", *cdn,
                        binary=None if seed is None else os.environ["LAYER_INTEROP_HISTORIES"])
        closing.callback(server.stop)
        logs = [server.diagnosis]
        if kind in ("socks5", "http"):
            proxy = Proxy(directory, server, *(("someone", "a secret: %") if password else ()))
            closing.callback(proxy.stop)
            logs.append(proxy.diagnosis)
            leads = through(proxy, kind)
        else:
            proxy = None
            leads = mtproto(server, {"dd": "dd", "ee": "ee"}.get(kind, "") + secret + (DOMAIN if kind == "ee" else ""))
        same_way = ("--proxy", link(leads), "--pfs", str(pfs).lower())
        peers = []

        def new_peer(name="user"):
            peers.append(Peer(directory, server, name, *same_way))
            closing.callback(peers[-1].stop)
            return peers[-1]

        tdlib = Tdlib(patched_library(site, directory, server.public_key), directory, verbosity)
        closing.callback(tdlib.stop)

        def device(name):
            return Account(tdlib, name, directory, leads, pfs)

        def peers_logs():
            return "\n".join(peer.diagnosis() for peer in peers)

        with report.scenario(name if seed is None else f"{name}, seed {seed}", *logs, peers_logs, tdlib.diagnosis):
            if seed is not None:
                play(report, server, device, new_peer, seed)
                return
            peer = new_peer()
            if faults:
                storm(report, directory, server, device, peer, pfs)
            elif of_files:
                files(report, directory, server, device, peer)
            elif name in FULL:
                scenario(report, directory, tdlib, device, peer, new_peer("bot"))
            else:
                passage(report, directory, device, peer)
            with report.step("went the way that it was told to"):
                if proxy:
                    expect(proxy.used(kind) > 0, "no connection through the proxy")
                bound = server.calls("auth.bindTempAuthKey")
                expect(bool(bound) == pfs, f"{bound} temporary keys were bound")
            if not faults:
                with report.step("finds nothing in the answers that it has to call faulty"):
                    faulty = tdlib.faults()
                    expect(not faulty, "\n".join(faulty))


def scenario(report, directory, tdlib, device, peer, bot):
    # Signing up and in
    first, second, third = device("first"), device("second"), device("third")
    with report.step("signs up", essential=True):
        first.start()
        first.request_code(ALICE)
        try:
            first.call("checkAuthenticationCode", code="11111")
        except TdError as error:
            expect("PHONE_CODE_INVALID" in error.message, str(error))
        else:
            raise AssertionError("a wrong code was taken")
        first.call("checkAuthenticationCode", code=LOGIN_CODE)
        first.until("WaitRegistration")
        first.call("registerUser", first_name="Alice", last_name="Anders")
        first.until("Ready")
        me = first.call("getMe")
        expect(me["first_name"] == "Alice" and me["phone_number"] == ALICE[1:], f"getMe: {me}")

    with report.step("signs in with a code on a second device", essential=True):
        second.start()
        second.request_code(ALICE)
        second.call("checkAuthenticationCode", code=LOGIN_CODE)
        second.until("Ready")
        expect(second.call("getMe")["id"] == me["id"], "another account on the second device")

    with report.step("sets a 2FA password"):
        state = first.call("setPassword", old_password="", new_password=PASSWORD, new_hint="a horse",
                           set_recovery_email_address=False)
        expect(state["has_password"] and state["password_hint"] == "a horse", f"passwordState: {state}")

    with report.step("is asked for the password on a third device; a wrong one is refused"):
        third.start()
        third.request_code(ALICE)
        third.call("checkAuthenticationCode", code=LOGIN_CODE)
        third.until("WaitPassword")
        try:
            third.call("checkAuthenticationPassword", password="wrong horse")
        except TdError as error:
            expect("PASSWORD_HASH_INVALID" in error.message, str(error))
        else:
            raise AssertionError("a wrong password was taken")

    with report.step("signs in with the password"):
        third.call("checkAuthenticationPassword", password=PASSWORD)
        third.until("Ready")
        sessions = first.call("getActiveSessions")["sessions"]
        expect(len(sessions) == 3, f"{len(sessions)} sessions of three")

    # Talking with layer-client
    with report.step("layer-client signs up beside it", essential=True):
        boris = int(peer.call("sign_up", BORIS, LOGIN_CODE, "Boris")[0])
        peer.call("username", "boris_interop")

    with report.step("finds layer-client's user by name and by phone number", essential=True):
        chat = first.call("searchPublicChat", username="boris_interop")["id"]
        expect(chat == boris, f"chat {chat} for user {boris}")
        expect(first.call("searchUserByPhoneNumber", phone_number=BORIS)["id"] == boris, "another user by phone number")
        first.call("setUsername", username="alice_interop")

    with report.step("sends a text to layer-client"):
        sent = first.send(chat, "hello from TDLib")
        peer_id = peer.event("new", None, None, "in", "hello from TDLib")[2]

    with report.step("the other devices see what was sent"):
        for other in (second, third):
            seen = other.received("hello from TDLib")
            expect(seen["is_outgoing"], "seen as incoming")

    with report.step("receives a text from layer-client, on every device"):
        peer_sent = peer.call("send", "@alice_interop", "hello from layer-client")[0]
        for each in (first, second, third):
            message = each.received("hello from layer-client", chat)
            expect(not message["is_outgoing"] and message["sender_id"]["user_id"] == boris, f"{message}")

    with report.step("lists its chats"):
        for each in (first, third):
            with contextlib.suppress(TdError):  # 404: all are loaded already
                each.call("loadChats", limit=100)
            chats = each.call("getChats", limit=100)["chat_ids"]
            expect(chat in chats, f"chats: {chats}")
        expect(first.call("getChat", chat_id=chat)["title"] == "Boris", "the chat's title")

    with report.step("reads the history"):
        texts = [text_of(m) for m in history(second, chat)]
        expect(texts[:2] == ["hello from layer-client", "hello from TDLib"], f"history: {texts}")

    with report.step("edits a message; layer-client sees it"):
        first.call("editMessageText", chat_id=chat, message_id=sent["id"], input_message_content={
            "@type": "inputMessageText", "text": {"@type": "formattedText", "text": "edited by TDLib"}})
        peer.event("edited", None, peer_id, None, "edited by TDLib")

    with report.step("sees a message that layer-client edits"):
        peer.call("edit", "@alice_interop", peer_sent, "edited by layer-client")
        first.update("updateMessageContent",
                     lambda u: u["new_content"].get("text", {}).get("text") == "edited by layer-client")

    with report.step("reads messages; the unread count falls to 0 everywhere"):
        message = first.received("hello from layer-client", chat)
        first.call("openChat", chat_id=chat)
        first.call("viewMessages", chat_id=chat, message_ids=[message["id"]], force_read=True)
        for each in (first, second):
            each.update("updateChatReadInbox", lambda u: u["chat_id"] == chat and u["unread_count"] == 0)

    with report.step("deletes a message; layer-client and the second device see it"):
        first.call("deleteMessages", chat_id=chat, message_ids=[sent["id"]], revoke=True)
        peer.event("deleted", peer_id)
        second.update("updateDeleteMessages", lambda u: u["chat_id"] == chat and u["is_permanent"])

    with report.step("sees layer-client delete a message"):
        doomed = peer.call("send", "@alice_interop", "soon gone")[0]
        gone = first.received("soon gone", chat)["id"]
        peer.call("delete", "@alice_interop", doomed)
        first.update("updateDeleteMessages", lambda u: gone in u["message_ids"] and u["is_permanent"])

    # Files
    with report.step("uploads a file of 5 MB; layer-client downloads it"):
        path = random_file(directory, "from-tdlib.bin")
        first.send(chat, document(path), timeout=60)
        event = peer.event("new", None, None, "in", "", path.name, FILE_BYTES)
        copy = pathlib.Path(directory) / "peer-copy.bin"
        peer.call("download", "@alice_interop", event[2], copy, timeout=60)
        expect(digest(copy) == digest(path), "layer-client's copy differs")

    with report.step("downloads the same file on the second device"):
        expect(digest(download(second, path.name)) == digest(path), "the second device's copy differs")

    with report.step("downloads a file of 5 MB that layer-client uploaded"):
        path = random_file(directory, "from-layer-client.bin")
        peer.call("upload", "@alice_interop", path, timeout=60)
        expect(digest(download(first, path.name)) == digest(path), "TDLib's copy differs")

    # Chats of more than two
    with report.step("makes a group with layer-client and talks there"):
        group = first.call("createNewBasicGroupChat", user_ids=[boris], title="A group")["chat_id"]
        first.send(group, "hello, group")
        place = peer.event("new", None, None, "in", "hello, group")[1]
        peer.call("send", place, "hello from the group")
        first.received("hello from the group", group)
        second.received("hello from the group", group)

    with report.step("makes a channel, invites layer-client and posts there"):
        channel = first.call("createNewSupergroupChat", title="A channel", is_channel=True, description="")["id"]
        first.call("addChatMembers", chat_id=channel, user_ids=[boris])
        first.send(channel, "a post")
        peer.event("new", None, None, None, "a post")
        second.update("updateNewMessage", lambda u: text_of(u["message"]) == "a post")

    with report.step("makes a supergroup with layer-client and talks there"):
        supergroup = first.call("createNewSupergroupChat", title="A supergroup", is_channel=False, description="")["id"]
        first.call("addChatMembers", chat_id=supergroup, user_ids=[boris])
        first.send(supergroup, "hello, supergroup")
        place = peer.event("new", None, None, "in", "hello, supergroup")[1]
        peer.call("send", place, "hello from the supergroup")
        first.received("hello from the supergroup", supergroup)

    # Away and back
    with report.step("catches up with what happened while it was closed"):
        texts = [f"while you were away {n}" for n in range(30)]
        second.close()
        for text in texts:
            peer.call("send", "@alice_interop", text)
        second = second.reopened()
        second.start()
        second.until("Ready")
        for text in texts:
            second.received(text, chat)

    with report.step("follows an account to the data centre where it lives"):
        other = device("other")
        other.start()
        other.request_code(BORIS)  # asked of DC 1, which sends it to DC 2
        other.call("checkAuthenticationCode", code=LOGIN_CODE)
        other.until("Ready")
        expect(other.call("getMe")["id"] == boris, "another account")
        with contextlib.suppress(TdError):  # what comes before it has its chats comes with them, and not as an update
            other.call("loadChats", limit=100)
        first.send(chat, "hello to two")
        expect(not other.received("hello to two")["is_outgoing"], "seen as outgoing")
        texts = [text_of(m) for m in history(other, me["id"])]
        expect(texts[0] == "hello to two" and "while you were away 0" in texts, f"history: {texts}")

    # Bots
    with report.step("makes a bot with @BotFather, which layer-client runs"):
        father = first.call("searchPublicChat", username="BotFather")["id"]
        for text in ("/newbot", "Interop"):
            answer_to(first, father, text)
        done = text_of(answer_to(first, father, "interop_test_bot"))
        token = re.search(r"\d+:[\w-]{30,}", done)
        expect(token, f"no token in {done!r}")
        bot_id = int(bot.call("bot_sign_in", token.group())[0])
        found = first.call("searchPublicChat", username="interop_test_bot")["id"]
        expect(found == bot_id, f"the bot is {bot_id}, its name leads to {found}")

    with report.step("presses a button of that bot"):
        first.send(bot_id, "/start")
        place = bot.event("new", None, None, "in", "/start")[1]
        bot.call("keyboard", place, "Press it", "Yes", "yes")
        message = first.received("Press it", bot_id)
        button = message["reply_markup"]["rows"][0][0]["type"]
        pressed = first.ask("getCallbackQueryAnswer", chat_id=bot_id, message_id=message["id"], payload={
            "@type": "callbackQueryPayloadData", "data": button["data"]})
        query = bot.event("callback", None, "yes")[1]
        bot.call("answer", query, "you chose yes")
        answer = first.answer(pressed, "getCallbackQueryAnswer")
        expect(answer["text"] == "you chose yes", f"the answer: {answer}")

    with report.step("signs in again with the password after logging out"):
        third.call("logOut")
        third.until("Closed")
        third = device("fourth")
        third.start()
        third.request_code(ALICE)
        third.call("checkAuthenticationCode", code=LOGIN_CODE)
        third.until("WaitPassword")
        third.call("checkAuthenticationPassword", password=PASSWORD)
        third.until("Ready")
        sessions = first.call("getActiveSessions")["sessions"]
        expect(len(sessions) == 3, f"{len(sessions)} sessions of three")


def answer_to(account, bot, text):
    """What a bot says to this."""
    sent = account.send(bot, text)
    return account.update("updateNewMessage", lambda u: u["message"]["chat_id"] == bot and not u["message"]["is_outgoing"]
                          and u["message"]["id"] > sent["id"])["message"]


def main():
    site, *kinds = sys.argv[1:]
    for kind in kinds:
        way, *more = kind.split("+")
        expect(way in WAYS and {*more} <= {"pfs", "faults", "files", "histories"},
               f"{kind} is none of {', '.join(WAYS)}, with or without +pfs, +faults, +files or +histories")
    report = Report("TDLib 1.8.62")
    for kind in kinds or ALL:
        for seed in seeds() if kind.endswith("+histories") else [None]:
            run(report, site, kind, int(os.environ.get("INTEROP_TDLIB_VERBOSITY", "2")), seed)
    return report.finish()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the library may abort while the interpreter ends, after everything is told
