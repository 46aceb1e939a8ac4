//! The cryptography of MTProto 2.0: AES-IGE, RSA_PAD, key derivation, DH, PQ factorisation, SRP.
