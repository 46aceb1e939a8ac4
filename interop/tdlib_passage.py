"""What TDLib and a user of layer-client do to show that a way carries everything: a shorter form of the whole conversation."""

import hashlib
import pathlib
import secrets

from harness import LOGIN_CODE, expect

FILE_BYTES = 5_000_000
ALICE, BORIS = "+15550100001", "+15550100002"


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def random_file(directory, name):
    path = pathlib.Path(directory) / name
    path.write_bytes(secrets.token_bytes(FILE_BYTES))
    return path


def signed_up(account, phone, first_name, last_name=""):
    account.start()
    account.request_code(phone)
    account.call("checkAuthenticationCode", code=LOGIN_CODE)
    account.until("WaitRegistration")
    account.call("registerUser", first_name=first_name, last_name=last_name)
    account.until("Ready")
    return account.call("getMe")


def passage(report, directory, device, peer):
    first = device("first")
    with report.step("signs up", essential=True):
        signed_up(first, ALICE, "Alice")
        first.call("setUsername", username="alice_interop")

    with report.step("finds layer-client's user", essential=True):
        boris = int(peer.call("sign_up", BORIS, LOGIN_CODE, "Boris")[0])
        peer.call("username", "boris_interop")
        chat = first.call("searchPublicChat", username="boris_interop")["id"]
        expect(chat == boris, f"chat {chat} for user {boris}")

    with report.step("sends a text to layer-client, and receives one"):
        first.send(chat, "hello from TDLib")
        peer.event("new", None, None, "in", "hello from TDLib")
        peer.call("send", "@alice_interop", "hello from layer-client")
        first.received("hello from layer-client", chat)

    with report.step("uploads 5 MB; layer-client downloads them"):
        path = random_file(directory, "from-tdlib.bin")
        first.send(chat, document(path), timeout=60)
        event = peer.event("new", None, None, "in", "", path.name, FILE_BYTES)
        copy = pathlib.Path(directory) / "peer-copy.bin"
        peer.call("download", "@alice_interop", event[2], copy, timeout=60)
        expect(digest(copy) == digest(path), "layer-client's copy differs")

    with report.step("downloads 5 MB that layer-client uploaded"):
        path = random_file(directory, "from-layer-client.bin")
        peer.call("upload", "@alice_interop", path, timeout=60)
        expect(digest(download(first, path.name)) == digest(path), "TDLib's copy differs")

    with report.step("comes back the same way and catches up with what happened meanwhile"):
        first.close()
        peer.call("send", "@alice_interop", "while you were away")
        first = first.reopened()
        first.start()
        first.until("Ready")
        first.received("while you were away", chat)


def document(path):
    return {"@type": "inputMessageDocument", "disable_content_type_detection": True,
            "document": {"@type": "inputFileLocal", "path": str(path)}}


def download(account, name):
    """Downloads the document that came under this name; gives the path of TDLib's copy."""
    def matches(update):
        return update["message"]["content"].get("document", {}).get("file_name") == name

    message = account.update("updateNewMessage", matches)["message"]
    file = message["content"]["document"]["document"]["id"]
    done = account.call("downloadFile", file_id=file, priority=32, offset=0, limit=0, synchronous=True, timeout=60)
    expect(done["local"]["is_downloading_completed"], f"downloadFile: {done}")
    return done["local"]["path"]


def history(account, chat):
    """The newest messages. TDLib gives few at a time, and at first only what it holds."""
    messages = []
    while True:
        page = account.call("getChatHistory", chat_id=chat, from_message_id=messages[-1]["id"] if messages else 0,
                            offset=0, limit=100, only_local=False)["messages"]
        if not page:
            return messages
        messages += page
