"""Files between TDLib and a user of layer-client, with what can happen to them on the way: parts that fail and get lost, waits, a
reference that expires in the middle, another data centre, a CDN, and the sizes of photos."""

import pathlib
import secrets
import struct
import time
import zlib

from harness import LOGIN_CODE, expect
from tdlib import TdError
from tdlib_passage import ALICE, BORIS, digest, document, signed_up

LARGE = 12_000_000
PATIENCE = 60


def random_file(directory, name, size=LARGE):
    path = pathlib.Path(directory) / name
    path.write_bytes(secrets.token_bytes(size))
    return path


def png(directory, name, width, height):
    """A real picture, of noise."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + secrets.token_bytes(width) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path = pathlib.Path(directory) / name
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines))
                     + chunk(b"IEND", b""))
    return path


def message_with(account, name):
    def matches(update):
        return update["message"]["content"].get("document", {}).get("file_name") == name

    return account.update("updateNewMessage", matches, timeout=PATIENCE)["message"]


def fetch(account, file):
    """Downloads a file anew; the path of TDLib's copy."""
    account.call("deleteFile", file_id=file)
    done = account.call("downloadFile", file_id=file, priority=32, offset=0, limit=0, synchronous=True, timeout=PATIENCE)
    expect(done["local"]["is_downloading_completed"], f"downloadFile: {done}")
    return done["local"]["path"]


def files(report, directory, server, device, peer):
    first, second = device("first"), device("second")
    with report.step("signs up, with a second device, and finds layer-client's user of another data centre", essential=True):
        signed_up(first, ALICE, "Alice")
        first.call("setUsername", username="alice_interop")
        boris = int(peer.call("sign_up", BORIS, LOGIN_CODE, "Boris")[0])
        peer.call("username", "boris_interop")
        chat = first.call("searchPublicChat", username="boris_interop")["id"]
        expect(chat == boris, f"chat {chat} for user {boris}")
        second.start()
        second.request_code(ALICE)
        second.call("checkAuthenticationCode", code=LOGIN_CODE)
        second.until("Ready")

    def during(*rules):
        """Rules for a step, and a check that each of them took hold."""
        class During:
            def __enter__(self):
                self.numbers = [server.command(rule)["fault"] for rule in rules]

            def __exit__(self, kind, *_):
                fired = {fault["fault"]: fault for fault in server.command("list")["faults"]}
                server.command("clear")
                if kind is None:
                    idle = [fired[n]["rule"] for n in self.numbers if not fired[n]["fired"]]
                    expect(not idle, f"these never happened: {idle}")
        return During()

    def peer_downloads(name, path):
        event = peer.event("new", None, None, "in", "", name, path.stat().st_size, timeout=PATIENCE)
        copy = pathlib.Path(directory) / f"peer-copy-{name}"
        peer.call("download", "@alice_interop", event[2], copy, timeout=PATIENCE)
        expect(digest(copy) == digest(path), "layer-client's copy differs")

    # Up
    sent = random_file(directory, "from-tdlib.bin")
    with report.step("uploads 12 MB while parts fail and have to wait; layer-client downloads them"):
        with during("method=upload.save* part=3 times=1: error -503 Timeout",
                    "method=upload.save* part=5 times=2: error 500 RPC_CALL_FAIL",
                    "method=upload.save* part=9 times=1: flood-premium-wait 1"):
            first.send(chat, document(sent), timeout=PATIENCE)
            peer_downloads(sent.name, sent)

    with report.step("uploads 12 MB of which a part gets lost, and saves that part again"):
        lost = random_file(directory, "lost-by-tdlib.bin")
        with during("method=upload.save* part=11 times=1: lose-part"):
            first.send(chat, document(lost), timeout=PATIENCE)
            peer_downloads(lost.name, lost)

    # Down
    theirs = random_file(directory, "from-layer-client.bin")
    with report.step("downloads 12 MB that layer-client uploaded, from another data centre"):
        peer.call("upload", "@alice_interop", theirs, timeout=PATIENCE)
        file = message_with(first, theirs.name)["content"]["document"]["document"]["id"]
        before = server.calls("DC 2: upload.getFile")
        expect(digest(fetch(first, file)) == digest(theirs), "TDLib's copy differs")
        expect(server.calls("DC 2: upload.getFile") > before, "nothing was asked of DC 2")

    with report.step("waits in the middle, and gets the reference again that expires there"):
        with during("method=upload.getFile offset=3MiB times=1: flood-premium-wait 1",
                    "method=upload.getFile offset=5MiB times=1: error -503 Timeout",
                    "method=upload.getFile offset=7MiB times=1: expire-references"):
            expect(digest(fetch(first, file)) == digest(theirs), "TDLib's copy differs")

    with report.step("downloads from a connection that is slow"):
        with during("method=upload.getFile: bandwidth 4MiB"):
            expect(digest(fetch(first, file)) == digest(theirs), "TDLib's copy differs")

    # By the CDN
    def by_cdn(account, file, path):
        before = server.calls("DC 203: upload.getCdnFile")
        expect(digest(fetch(account, file)) == digest(path), "TDLib's copy differs")
        expect(server.calls("DC 203: upload.getCdnFile") > before, "nothing was asked of the CDN")

    server.command("cdn 1000000")
    with report.step("downloads from the CDN, where the file has to be brought first"):
        by_cdn(first, file, theirs)
        expect(server.calls("upload.reuploadCdnFile") > 0, "nobody brought it there")

    with report.step("layer-client downloads from the CDN what TDLib sent"):
        before = server.calls("DC 203: upload.getCdnFile")
        peer_downloads(sent.name, sent)
        expect(server.calls("DC 203: upload.getCdnFile") > before, "nothing was asked of the CDN")

    with report.step("downloads from a CDN that forgets the file in the middle"):
        with during("method=upload.getCdnFile offset=6MiB times=1: cdn-forgets"):
            by_cdn(first, file, theirs)

    with report.step("downloads though the CDN's tokens expire in the middle"):
        with during("method=upload.getCdnFile offset=6MiB times=1: expire-tokens"):
            by_cdn(first, file, theirs)

    with report.step("downloads though the CDN's keys are forgotten in the middle"):
        with during("method=upload.getCdnFile dc=203 offset=6MiB times=1: transport-error -404"):
            by_cdn(first, file, theirs)

    with report.step("takes no wrong bytes of a CDN"):
        with during("method=upload.getCdnFile offset=6MiB: wrong-bytes"):
            try:
                path = fetch(first, file)
            except TdError as error:
                print(f"     TDLib says: {error}")
            else:
                expect(digest(path) == digest(theirs), "TDLib kept what the CDN made of it")
    server.command("cdn nothing")

    with report.step("its second device downloads what the first sent"):
        mine = message_with(second, sent.name)["content"]["document"]["document"]["id"]
        expect(digest(fetch(second, mine)) == digest(sent), "the second device's copy differs")

    # Photos
    with report.step("sends a photo; every size of it comes back, and layer-client has it whole"):
        picture = png(directory, "picture.png", 1600, 1200)
        first.send(chat, {"@type": "inputMessagePhoto", "width": 1600, "height": 1200,
                          "photo": {"@type": "inputFileLocal", "path": str(picture)}}, timeout=PATIENCE)
        message = second.update("updateNewMessage", lambda u: "photo" in u["message"]["content"], timeout=PATIENCE)["message"]
        photo = message["content"]["photo"]
        sizes = {size["type"]: size for size in photo["sizes"]}
        expect({(t, s["width"], s["height"]) for t, s in sizes.items()}
               == {("m", 320, 240), ("x", 800, 600), ("y", 1280, 960), ("w", 1600, 1200)}, f"sizes: {sizes}")
        small = photo.get("minithumbnail")
        expect(small and (small["width"], small["height"]) == (40, 30), f"minithumbnail: {small}")
        expect(digest(fetch(second, sizes["w"]["photo"]["id"])) == digest(picture), "the largest is not what was sent")
        for letter in "mxy":
            data = pathlib.Path(fetch(second, sizes[letter]["photo"]["id"])).read_bytes()
            expect(data[:3] == b"\xff\xd8\xff" and data[-2:] == b"\xff\xd9", f"{letter} is no JPEG")
        event = peer.event("new", None, None, "in", "", None, picture.stat().st_size, timeout=PATIENCE)
        copy = pathlib.Path(directory) / "peer-picture.png"
        peer.call("download", "@alice_interop", event[2], copy, timeout=PATIENCE)
        expect(digest(copy) == digest(picture), "layer-client's picture differs")

    with report.step("receives a photo that layer-client sends"):
        picture = png(directory, "other.png", 1000, 500)
        peer.call("photo", "@alice_interop", picture, timeout=PATIENCE)
        message = first.update("updateNewMessage", lambda u: "photo" in u["message"]["content"]
                               and not u["message"]["is_outgoing"], timeout=PATIENCE)["message"]
        largest = max(message["content"]["photo"]["sizes"], key=lambda size: size["width"])
        expect(digest(fetch(first, largest["photo"]["id"])) == digest(picture), "TDLib's picture differs")

    with report.step("has a profile photo, and the second device sees it"):
        portrait = png(directory, "portrait.png", 640, 640)
        me = first.call("getMe")["id"]
        first.call("setProfilePhoto", photo={"@type": "inputChatPhotoStatic",
                   "photo": {"@type": "inputFileLocal", "path": str(portrait)}}, is_public=False, timeout=PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while not (photos := second.call("getUserProfilePhotos", user_id=me, offset=0, limit=10))["photos"]:
            expect(time.monotonic() < deadline, f"no photo: {photos}")
            time.sleep(0.2)
        shown = {size["type"]: size for size in photos["photos"][0]["sizes"]}
        expect(digest(fetch(second, shown["c"]["photo"]["id"])) == digest(portrait), "the profile photo differs")
