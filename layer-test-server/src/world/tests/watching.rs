//! Looking at a channel without being in it.

use layer_tl_types::{enums, functions};

use super::two;
use crate::world::ids::PeerId;

#[test]
fn whoever_keeps_asking_for_a_public_channel_is_pushed_what_happens_there() {
    let (mut stage, ann, bob) = two();
    stage
        .world
        .create_channel(ann.user, "News", "", true)
        .unwrap();
    let id = *stage.world.channels.keys().next_back().unwrap();
    let news = PeerId::Channel(id);
    stage
        .world
        .set_channel_username(ann.user, id, "the_news")
        .unwrap();
    stage.say(ann, news, "one");
    assert!(stage.pushed(bob.user).is_empty());
    let request = functions::updates::GetChannelDifference {
        force: false,
        channel: stage.input_channel(bob, id),
        filter: enums::ChannelMessagesFilter::Empty,
        pts: 1,
        limit: 10,
    };
    let answer = stage.call(bob, &request).unwrap();
    let enums::updates::ChannelDifference::Difference(difference) = answer else {
        panic!("{answer:?}")
    };
    let timeout = difference.timeout.unwrap();
    stage.now += timeout;
    stage.say(ann, news, "two");
    let pushed = stage.pushed(bob.user);
    let [enums::Updates::Updates(pushed)] = &pushed[..] else {
        panic!("{pushed:?}")
    };
    let [enums::Update::NewChannelMessage(update)] = &pushed.updates[..] else {
        panic!("{:?}", pushed.updates)
    };
    assert_eq!(update.pts, difference.pts + 1);
    stage.now += 1;
    stage.say(ann, news, "three");
    assert!(stage.pushed(bob.user).is_empty(), "he looks no more");
    stage.call(bob, &request).unwrap();
    stage.world.set_channel_username(ann.user, id, "").unwrap();
    stage.say(ann, news, "four");
    assert!(stage.pushed(bob.user).is_empty(), "it is private now");
}
