//! An interactive terminal client that shows what layer can do.

fn main() {}
