"""SOCKS 4 and 5 and HTTP CONNECT, to reach the embedded data centre by the addresses that Telegram has.

TDLib has Telegram's addresses built in, and no call to change them. Behind this proxy they lead to the server under test; any
other address is refused, so that nothing can leave the machine. Started as a program it prints its port and serves all kinds
on it; what it does stands on standard error, a line a connection.
"""

import argparse
import asyncio
import base64
import ipaddress
import sys

# Where Telegram's data centres are, as its clients have it built in.
NETWORKS = {
    1: ["149.154.175.50/31", "149.154.175.52/30", "2001:b28:f23d:f001::/64"],
    2: ["149.154.167.35/32", "149.154.167.40/31", "149.154.167.50/31", "149.154.167.151/32", "149.154.167.220/30",
        "95.161.76.100/32", "2001:67c:4e8:f002::/64"],
    3: ["149.154.175.100/32", "149.154.175.102/32", "149.154.175.117/32", "2001:b28:f23d:f003::/64"],
    4: ["149.154.167.91/32", "149.154.167.92/32", "149.154.164.250/32", "149.154.165.0/24", "149.154.166.120/31",
        "2001:67c:4e8:f004::/64"],
    5: ["91.108.56.0/24", "149.154.171.5/32", "2001:b28:f23f:f005::/64"],
}


class Refused(Exception):
    """Not done, with what to tell the client in the proxy's own words."""

    def __init__(self, reason, answer):
        super().__init__(reason)
        self.answer = answer


class Proxy:
    def __init__(self, dcs, user, password):
        self.dcs, self.user, self.password = dcs, user, password
        self.networks = [(ipaddress.ip_network(net), dc) for dc, nets in NETWORKS.items() for net in nets]

    def place(self, host, port):
        """Where a client that wants this address is taken; None if nowhere."""
        if (host, port) in self.dcs.values():
            return host, port
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return None  # TDLib asks for names when it looks for addresses that are not blocked
        return next((self.dcs.get(dc) for net, dc in self.networks if address in net), None)

    async def serve(self, reader, writer):
        kind = "?"
        try:
            first = await reader.readexactly(1)
            kind, shake = {b"\x04": ("socks4", self.socks4), b"\x05": ("socks5", self.socks5)}.get(first, ("http", self.http))
            place, ready = await shake(reader, writer, first)
            there_reader, there_writer = await asyncio.open_connection(*place)
            writer.write(ready)
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
        except Refused as refused:
            print(f"{kind}: refused: {refused}", file=sys.stderr, flush=True)
            writer.write(refused.answer)
        except (OSError, EOFError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            print(f"{kind}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            writer.close()

    def lead(self, kind, host, port, refusal):
        place = self.place(host, port)
        if place is None:
            raise Refused(f"{host}:{port} is nowhere here", refusal)
        print(f"{kind}: {host}:{port} is {place[0]}:{place[1]}", file=sys.stderr, flush=True)
        return place

    async def socks4(self, reader, _writer, _first):
        """SOCKS 4 has a user's name and no password."""
        command, *rest = await reader.readexactly(7)
        port, host = int.from_bytes(rest[:2], "big"), str(ipaddress.ip_address(bytes(rest[2:])))
        user = (await reader.readuntil(b"\0"))[:-1].decode()
        if command != 1 or self.user not in (None, user):
            raise Refused(f"the command {command} of {user!r}", b"\0\x5b" + bytes(6))
        return self.lead("socks4", host, port, b"\0\x5b" + bytes(6)), b"\0\x5a" + bytes(6)

    async def socks5(self, reader, writer, _first):
        """RFC 1928, and 1929 for the password."""
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        wanted = 2 if self.user is not None else 0
        if wanted not in methods:
            raise Refused(f"it offers the methods {list(methods)}, not {wanted}", b"\x05\xff")
        writer.write(bytes([5, wanted]))
        if wanted == 2:
            await reader.readexactly(1)
            user = await reader.readexactly((await reader.readexactly(1))[0])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            if (user.decode(), password.decode()) != (self.user, self.password):
                raise Refused("a wrong password", b"\x01\x01")
            writer.write(b"\x01\x00")
        _, command, _, form = await reader.readexactly(4)
        if form == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly({1: 4, 4: 16}.get(form, 4))))
        port = int.from_bytes(await reader.readexactly(2), "big")
        tail = b"\x00\x01\x7f\x00\x00\x01\x00\x00"
        if command != 1:
            raise Refused(f"the command {command}", b"\x05\x07" + tail)
        return self.lead("socks5", host, port, b"\x05\x02" + tail), b"\x05\x00" + tail

    async def http(self, reader, _writer, first):
        """RFC 9110, 9.3.6."""
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, target, _ = request.split(" ", 2)
        if method != "CONNECT":
            raise Refused(f"the method {method}", b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
        if self.user is not None:
            right = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            if fields.get("proxy-authorization") != f"Basic {right}":
                answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"
                raise Refused("a wrong password", answer)
        host, _, port = target.rpartition(":")
        place = self.lead("http", host.strip("[]"), int(port), b"HTTP/1.1 403 Forbidden\r\n\r\n")
        return place, b"HTTP/1.1 200 Connection established\r\n\r\n"


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dc", action="append", default=[], metavar="ID=HOST:PORT")
    options.add_argument("--user")
    options.add_argument("--password", default="")
    arguments = options.parse_args()
    dcs = {}
    for dc in arguments.dc:
        number, _, address = dc.partition("=")
        host, _, port = address.rpartition(":")
        dcs[int(number)] = (host, int(port))
    proxy = Proxy(dcs, arguments.user, arguments.password)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # ends with whoever started it
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
