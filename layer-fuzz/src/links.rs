//! What a person types or a link holds: peers, and proxies' secrets.

use std::net::{Ipv4Addr, SocketAddr};

use layer_client::{MtProxy, PeerId, PeerRef};
use layer_mtproto::transport::ProxySecret;

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
        if let Ok(secret) = word.parse::<ProxySecret>() {
            assert_eq!(secret.expose().parse().as_ref(), Ok(&secret));
            assert!(!format!("{secret:?}").contains(word));
        }
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 443));
        match MtProxy::new(nowhere, word) {
            Ok(proxy) => assert!(!format!("{proxy:?}").contains(word)),
            Err(error) => _ = error.to_string(),
        }
    }
}
