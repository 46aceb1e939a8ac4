//! Shows each step of an MTProto key exchange, against a real or an embedded data centre.

fn main() {}
