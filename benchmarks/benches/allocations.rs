//! How many allocations it takes to deserialise a `messages.messages` of 100 messages. Apart from the times, which counting
//! would spoil.

use allocation_counter::measure;
use layer_benchmarks::head;
use layer_benchmarks::payload::{OURS, THEIRS, messages};

fn main() {
    let (ours, theirs) = (messages(&OURS), messages(&THEIRS));
    let count = |read: &dyn Fn()| measure(read).count_total;
    let ours = count(&|| {
        use layer_tl_types::Deserializable as _;
        drop(layer_tl_types::enums::messages::Messages::from_bytes(&ours).unwrap());
    });
    let grammers = count(&|| {
        use grammers_tl_types::Deserializable as _;
        drop(grammers_tl_types::enums::messages::Messages::from_bytes(&theirs).unwrap());
    });
    let ferogram = count(&|| {
        use ferogram_tl_types::Deserializable as _;
        drop(ferogram_tl_types::enums::messages::Messages::from_bytes(&theirs).unwrap());
    });
    head("peer");
    for (name, count) in [
        ("grammers-tl-types 0.11", grammers),
        ("ferogram-tl-types 0.6.6", ferogram),
    ] {
        let ratio = ours as f64 / count as f64;
        println!(
            "| allocations to deserialise, {name} | {count} | {ours} | {ratio:.2} of them | half of them |"
        );
    }
}
