//! Values stay small: large structs are boxed in their enums.
#![cfg(feature = "tl-api")]

use layer_tl_types::{enums, types};

#[test]
fn a_message_fits_in_528_bytes_and_an_update_in_56() {
    println!("types::Message {}", size_of::<types::Message>());
    println!("enums::Update {}", size_of::<enums::Update>());
    println!("types::User {}", size_of::<types::User>());
    println!("types::ChannelFull {}", size_of::<types::ChannelFull>());
    assert!(size_of::<types::Message>() <= 528);
    assert!(size_of::<enums::Update>() <= 56);
}
