//! MTProto 2.0 without I/O: handshake, session and transports, for both sides.
