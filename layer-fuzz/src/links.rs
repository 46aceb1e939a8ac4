//! What a person types or a link holds: peers, proxies and their secrets, transports.

use layer_client::{PeerId, PeerRef, Proxy, Transport};
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
        match word.parse::<Proxy>() {
            Ok(proxy) => {
                assert_eq!(proxy.to_link().parse().as_ref(), Ok(&proxy));
                let _ = format!("{proxy:?} {proxy}");
            }
            Err(error) => _ = error.to_string(),
        }
        if let Ok(transport) = word.parse::<Transport>() {
            assert_eq!(transport.to_string().parse().as_ref(), Ok(&transport));
        }
    }
}
