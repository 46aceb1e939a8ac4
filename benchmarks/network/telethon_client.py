"""Telethon, with cryptg as its own documentation recommends. The command line is that of src/lib.rs."""

import asyncio
import json
import sys

from telethon import TelegramClient
from telethon.sessions import StringSession
from telethon.tl.functions.help import GetNearestDcRequest
from telethon.tl.types import InputDocumentFileLocation


class Client(TelegramClient):
    async def get_me(self, input_peer=False):
        """It asks who it is each time it connects, and cannot read the answer, which is of another layer."""


async def connect(account):
    client = Client(StringSession(account["telethon"]), 1, "hash")
    await client.connect()
    await client(GetNearestDcRequest())
    return client


async def mark(point):
    print(point, flush=True)
    if not await asyncio.to_thread(sys.stdin.readline):
        raise SystemExit("the driver is gone")


async def main(path, what, *words):
    with open(path) as file:
        world = json.load(file)
    first, *others = world["accounts"]
    client = await connect(first)
    await mark("ready")
    if what == "requests":
        count, in_flight = map(int, words)
        left = iter(range(count))

        async def worker():
            for _ in left:
                await client(GetNearestDcRequest())

        await asyncio.gather(*(worker() for _ in range(in_flight)))
    elif what == "download":
        document = world["document"]
        location = InputDocumentFileLocation(
            int(document["id"]), int(document["access_hash"]), bytes.fromhex(document["file_reference"]), "")
        await client.download_file(location, words[0], file_size=document["size"], dc_id=world["dc_id"])
    elif what == "upload":
        await client.upload_file(words[0])
    elif what == "idle":
        idle = [await connect(account) for account in others[:int(words[0])]]
    await mark("done")


asyncio.run(main(*sys.argv[1:]))
