#!/usr/bin/env python3
"""Writes computed.json: sealed messages and a password check, computed without any code of this crate.

Needs the package `cryptography` (for the AES block cipher alone). The pages are named in the crate's docs.
"""
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def sha1(*parts):
    return hashlib.sha1(b"".join(parts)).digest()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def stream(label, length):
    """Bytes that look random and can be made again."""
    out = b""
    while len(out) < length:
        out += sha256(label.encode(), len(out).to_bytes(4, "big"))
    return out[:length]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def ige_encrypt(key, iv, data):
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    cipher, plain = iv[:16], iv[16:]
    out = b""
    for i in range(0, len(data), 16):
        chunk = data[i : i + 16]
        cipher = xor(block.update(xor(chunk, cipher)), plain)
        plain = chunk
        out += cipher
    return out


def seal(auth_key, plaintext, x):
    msg_key = sha256(auth_key[88 + x : 120 + x], plaintext)[8:24]
    a = sha256(msg_key, auth_key[x : x + 36])
    b = sha256(auth_key[40 + x : 76 + x], msg_key)
    key = a[:8] + b[8:24] + a[24:32]
    iv = b[:8] + a[8:24] + b[24:32]
    return sha1(auth_key)[12:] + msg_key + ige_encrypt(key, iv, plaintext)


def seal_v1(auth_key, plaintext, padding):
    msg_key = sha1(plaintext)[4:20]
    a = sha1(msg_key, auth_key[:32])
    b = sha1(auth_key[32:48], msg_key, auth_key[48:64])
    c = sha1(auth_key[64:96], msg_key)
    d = sha1(msg_key, auth_key[96:128])
    key = a[:8] + b[8:20] + c[4:16]
    iv = a[8:20] + b[:8] + c[16:20] + d[:8]
    return sha1(auth_key)[12:] + msg_key + ige_encrypt(key, iv, plaintext + padding)


def messages():
    auth_key = stream("auth key", 256)
    plaintext = stream("plaintext", 160)
    body = stream("body", 40)
    plaintext_v1 = stream("random", 16) + (7 << 32).to_bytes(8, "little") + bytes(4)
    plaintext_v1 += len(body).to_bytes(4, "little") + body
    padding = stream("padding", -len(plaintext_v1) % 16)
    return {
        "auth_key": auth_key.hex(),
        "auth_key_id": sha1(auth_key)[12:].hex(),
        "auth_key_aux_hash": sha1(auth_key)[:8].hex(),
        "plaintext": plaintext.hex(),
        "sealed_by_client": seal(auth_key, plaintext, 0).hex(),
        "sealed_by_server": seal(auth_key, plaintext, 8).hex(),
        "plaintext_v1": plaintext_v1.hex(),
        "padding_v1": padding.hex(),
        "sealed_v1": seal_v1(auth_key, plaintext_v1, padding).hex(),
    }


PRIME = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4db"
    "fa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64"
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b41"
    "0dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4"
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf"
    "6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)


def password():
    g, p = 3, PRIME
    secret = "ключ 🗝".encode()
    salt1, salt2 = stream("salt1", 40), stream("salt2", 16)
    a = int.from_bytes(stream("a", 256), "big")
    b = int.from_bytes(stream("b", 256), "big")

    def number(n):
        return n.to_bytes(256, "big")

    def salted(data, salt):
        return sha256(salt, data, salt)

    ph1 = salted(salted(secret, salt1), salt2)
    x_bytes = salted(hashlib.pbkdf2_hmac("sha512", ph1, salt1, 100000), salt2)
    x = int.from_bytes(x_bytes, "big")
    v = pow(g, x, p)
    k = int.from_bytes(sha256(number(p), number(g)), "big")
    g_a = pow(g, a, p)
    g_b = (k * v + pow(g, b, p)) % p
    u = int.from_bytes(sha256(number(g_a), number(g_b)), "big")
    s_a = pow((g_b - k * v) % p, a + u * x, p)
    s_b = pow(g_a * pow(v, u, p), b, p)
    assert s_a == s_b
    m1 = sha256(
        xor(sha256(number(p)), sha256(number(g))),
        sha256(salt1),
        sha256(salt2),
        number(g_a),
        number(g_b),
        sha256(number(s_a)),
    )
    return {
        "password": secret.hex(),
        "salt1": salt1.hex(),
        "salt2": salt2.hex(),
        "g": g,
        "p": number(p).hex(),
        "a": number(a).hex(),
        "b": number(b).hex(),
        "verifier": number(v).hex(),
        "g_a": number(g_a).hex(),
        "g_b": number(g_b).hex(),
        "m1": m1.hex(),
    }


path = pathlib.Path(__file__).with_name("computed.json")
path.write_text(json.dumps({"messages": messages(), "password": password()}, indent=1) + "\n")
