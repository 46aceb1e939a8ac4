//! What a person types or a link holds: peers, and proxies' secrets.

use std::net::{Ipv4Addr, SocketAddr};

use layer_client::{MtProxy, PeerId, PeerRef};

pub(crate) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let _ = format!("{:?}", PeerRef::from(text.as_ref()));
    for word in text.split_whitespace() {
        let _ = format!("{:?}", PeerRef::from(word));
        if let Ok(id) = word.parse::<i64>()
            && let Some(peer) = PeerId::from_marked(id)
        {
            assert_eq!(peer.marked(), id);
        }
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 443));
        match MtProxy::new(nowhere, word) {
            Ok(proxy) => assert!(!format!("{proxy:?}").contains(word)),
            Err(error) => _ = error.to_string(),
        }
    }
}
