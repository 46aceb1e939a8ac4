"""The official TDLib, through its JSON interface. It takes over no key: it signs in, with the code that the server takes, through
the MTProxy that the server is too, and as a copy of the library that trusts the server's key. The command line is that of
src/lib.rs."""

import json
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# The driver that the tests of other clients have.
sys.path.insert(0, str(HERE.parent.parent / "interop"))

from harness import DEADLINE, LOGIN_CODE  # noqa: E402
from tdlib import Account, Tdlib, patched_library  # noqa: E402

LONG = 1800


def mark(point):
    print(point, flush=True)
    if not sys.stdin.readline():
        raise SystemExit("the driver is gone")


def signed_in(tdlib, world, directory):
    host, port = world["address"].rsplit(":", 1)
    secret = {"@type": "proxyTypeMtproto", "secret": os.environ["BENCHMARK_MTPROXY_SECRET"]}
    account = Account(tdlib, "one", directory, {"server": host, "port": int(port), "type": secret})
    account.start({"use_message_database": False, "use_chat_info_database": False})
    account.request_code(world["accounts"][0]["phone"])
    account.call("checkAuthenticationCode", code=LOGIN_CODE)
    account.until("Ready")
    return account


def stored(account, world):
    """The file that was sent to the saved messages."""
    chat = account.call("createPrivateChat", user_id=world["accounts"][0]["user_id"], force=False)["id"]
    history = account.call(
        "getChatHistory", chat_id=chat, from_message_id=0, offset=0, limit=10, only_local=False)
    files = [message["content"].get("document", {}).get("document") for message in history["messages"]]
    return next(file["id"] for file in files if file)


def requests(account, count, in_flight):
    asked = [account.ask("getCountryCode") for _ in range(min(in_flight, count))]
    begun = len(asked)
    for _ in range(count):
        account.answer(asked.pop(0), "getCountryCode", DEADLINE)
        if begun < count:
            asked.append(account.ask("getCountryCode"))
            begun += 1


def download(account, file, path):
    done = account.call(
        "downloadFile", file_id=file, priority=32, offset=0, limit=0, synchronous=True, timeout=LONG)
    os.rename(done["local"]["path"], path)


def upload(account, path):
    file = account.call(
        "preliminaryUploadFile", file={"@type": "inputFileLocal", "path": path},
        file_type={"@type": "fileTypeDocument"}, priority=32)["id"]

    def there(update):
        remote = update["file"]["remote"]
        return (update["file"]["id"] == file and not remote["is_uploading_active"]
                and remote["uploaded_size"] == update["file"]["size"])

    account.update("updateFile", there, timeout=LONG)


def main(path, what, *words):
    path = pathlib.Path(path)
    world = json.loads(path.read_text())
    if what == "idle":
        raise SystemExit("1,000 accounts of TDLib are 1,000 databases on disk, and are no measure of memory")
    public_key = path.with_name("key.pem").read_text().strip()
    with tempfile.TemporaryDirectory(prefix="tdlib-", dir=path.parent) as directory:
        site = HERE / "target" / "tdlib"
        tdlib = Tdlib(patched_library(site, directory, public_key), directory, verbosity=1)
        account = signed_in(tdlib, world, directory)
        file = stored(account, world) if what == "download" else None
        mark("ready")
        if what == "requests":
            requests(account, *map(int, words))
        elif what == "download":
            download(account, file, words[0])
        elif what == "upload":
            upload(account, words[0])
        mark("done")
        tdlib.stop()


main(*sys.argv[1:])
