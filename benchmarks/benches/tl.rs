//! layer-tl-types against grammers-tl-types and ferogram-tl-types: a `messages.messages` of 100 messages.

use layer_benchmarks::payload::{OURS, THEIRS, messages};
use layer_benchmarks::{compare, head, row, took};

fn main() {
    let (ours, theirs) = (messages(&OURS), messages(&THEIRS));
    println!(
        "\nA `messages.messages` of 100 messages, 2 channels and 40 users, {} bytes.\n",
        ours.len()
    );
    head("peer");
    macro_rules! against {
        ($peer:ident, $name:literal, $read:literal, $write:literal) => {{
            use layer_tl_types::{Deserializable as _, Serializable as _};
            let read = || layer_tl_types::enums::messages::Messages::from_bytes(&ours).unwrap();
            let their_read = || {
                use $peer::Deserializable as _;
                $peer::enums::messages::Messages::from_bytes(&theirs).unwrap()
            };
            let (value, their_value) = (read(), their_read());
            let (mut out, mut their_out) = (Vec::new(), Vec::new());
            let mut write = || {
                out.clear();
                value.serialize(&mut out);
                out.len()
            };
            let mut their_write = || {
                use $peer::Serializable as _;
                their_out.clear();
                their_value.serialize(&mut their_out);
                their_out.len()
            };
            assert_eq!((write(), their_write()), (ours.len(), theirs.len()));
            let pair = compare(read, their_read);
            let what = concat!("deserialise, ", $name);
            row(
                what,
                &took(pair.ours),
                &took(pair.theirs),
                pair.ratio,
                $read,
            );
            let pair = compare(write, their_write);
            let what = concat!("serialise into a reused buffer, ", $name);
            row(
                what,
                &took(pair.ours),
                &took(pair.theirs),
                pair.ratio,
                $write,
            );
            assert!(
                out == ours && their_out == theirs,
                "what was read is not what was written"
            );
        }};
    }
    against!(grammers_tl_types, "grammers-tl-types 0.11", "1.8×", "1.2×");
    against!(ferogram_tl_types, "ferogram-tl-types 0.6.6", "1.8×", "1.2×");
}
