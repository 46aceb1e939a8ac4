//! Where a data centre can be reached: as configured, as the server said in its `dcOption`s, or as
//! built in; and which of it a connection can use.

use std::net::{IpAddr, SocketAddr};

use layer_mtproto::transport::ProxySecret;

use super::Role;
use super::dial::interleave;
#[cfg(feature = "websocket")]
use crate::client::Transport;
use crate::client::{Config, IpVersions};
use crate::proxy::{Address, Proxy};
use crate::session::DcOption;
use crate::tl;

const PRODUCTION: [(i32, &str, &str); 5] = [
    (1, "149.154.175.53:443", "[2001:b28:f23d:f001::a]:443"),
    (2, "149.154.167.51:443", "[2001:67c:4e8:f002::a]:443"),
    (3, "149.154.175.100:443", "[2001:b28:f23d:f003::a]:443"),
    (4, "149.154.167.91:443", "[2001:67c:4e8:f004::a]:443"),
    (5, "91.108.56.130:443", "[2001:b28:f23f:f005::a]:443"),
];

const TEST: [(i32, &str, &str); 3] = [
    (1, "149.154.175.10:443", "[2001:b28:f23d:f001::e]:443"),
    (2, "149.154.167.40:443", "[2001:67c:4e8:f002::e]:443"),
    (3, "149.154.175.117:443", "[2001:b28:f23d:f003::e]:443"),
];

/// What a WebSocket's host is called, from the first data centre on.
#[cfg(feature = "websocket")]
const NAMES: [&str; 5] = ["pluto", "venus", "aurora", "vesta", "flora"];

/// One way to a data centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: Address,
    /// What the server wants to be spoken to with.
    pub(super) secret: Option<ProxySecret>,
    /// It understands nothing that is not obfuscated.
    pub(super) obfuscated: bool,
    /// The server's clock minus ours in seconds, as far as is known: hellos of FakeTLS have the time.
    pub(crate) time_offset: i64,
}

impl From<Address> for Target {
    fn from(address: Address) -> Self {
        Self {
            address,
            secret: None,
            obfuscated: false,
            time_offset: 0,
        }
    }
}

impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Address::from(address).into()
    }
}

/// The ways to a data centre for a connection, in the order in which to try them, and whether they
/// lead to servers for files only.
pub(crate) fn targets(
    config: &Config,
    versions: IpVersions,
    known: &[DcOption],
    dc_id: i32,
    role: Role,
) -> (Vec<Target>, bool) {
    let own: Vec<Target> = config
        .dc_addresses
        .iter()
        .filter(|address| address.id == dc_id)
        .map(|address| address.addr.into())
        .collect();
    let (known, media) = if own.is_empty() {
        usable(known, role, config, versions)
    } else {
        (Vec::new(), false)
    };
    if let Some(Proxy::MtProxy { server, secret }) = &config.proxy {
        // It knows where the data centres are.
        let target = Target {
            secret: Some(secret.clone()),
            obfuscated: true,
            ..server.clone().into()
        };
        return (vec![target], media);
    }
    if !own.is_empty() {
        return (own, false);
    }
    #[cfg(feature = "websocket")]
    if let Transport::WebSocket(socket) = &config.transport
        && config.dc_addresses.is_empty()
    {
        return (named(dc_id, socket.is_secure()), false);
    }
    if known.is_empty() && config.dc_addresses.is_empty() {
        return (built_in(dc_id, config.test_mode, versions), false);
    }
    (known, media)
}

/// The host that has a data centre's WebSockets, test servers included.
#[cfg(feature = "websocket")]
fn named(dc_id: i32, secure: bool) -> Vec<Target> {
    usize::try_from(dc_id)
        .ok()
        .and_then(|dc_id| NAMES.get(dc_id.checked_sub(1)?))
        .map(|name| format!("{name}.web.telegram.org"))
        .and_then(|host| Address::new(&host, if secure { 443 } else { 80 }).ok())
        .map(Target::from)
        .into_iter()
        .collect()
}

/// The built-in addresses of a data centre.
fn built_in(dc_id: i32, test_mode: bool, versions: IpVersions) -> Vec<Target> {
    let table: &[_] = if test_mode { &TEST } else { &PRODUCTION };
    let addresses: Vec<SocketAddr> = table
        .iter()
        .filter(|(id, ..)| *id == dc_id)
        .flat_map(|(_, v4, v6)| [v4, v6])
        .filter_map(|address| address.parse().ok())
        .collect();
    interleave(addresses, versions, SocketAddr::is_ipv6)
        .into_iter()
        .map(Target::from)
        .collect()
}

/// What `help.getConfig` says of data centres, by their numbers, in its order; what has no address
/// that can be one is left out.
pub(crate) fn known(options: &[tl::enums::DcOption]) -> Vec<(i32, DcOption)> {
    let read = |option: &tl::enums::DcOption| {
        let tl::enums::DcOption::Option(option) = option;
        let ip: IpAddr = option.ip_address.parse().ok()?;
        let port = u16::try_from(option.port).ok().filter(|port| *port != 0)?;
        let mut known = DcOption::new(SocketAddr::new(ip, port));
        known.media_only = option.media_only;
        known.tcpo_only = option.tcpo_only;
        known.cdn = option.cdn;
        known.fixed = option.r#static;
        known.this_port_only = option.this_port_only;
        known.secret.clone_from(&option.secret);
        Some((option.id, known))
    };
    options.iter().filter_map(read).collect()
}

/// The ways that a connection can take among those that the server named, and whether they are for
/// files only. CDN servers are for what they have and for nothing else. Files go to the servers that are for
/// nothing else, if there are any. Servers that want obfuscation get it, with their secret if they
/// have one; they come last, unless all is obfuscated anyway. Through a proxy those come first
/// that the server wants to be used so (`static`).
fn usable(
    options: &[DcOption],
    role: Role,
    config: &Config,
    versions: IpVersions,
) -> (Vec<Target>, bool) {
    let cdn = role.is_cdn();
    let of = |media_only: bool| {
        let mut usable: Vec<_> = options
            .iter()
            .filter(|option| option.media_only == media_only && option.cdn == cdn)
            .filter_map(|option| Some((option, target(option)?)))
            .collect();
        if !config.transport.is_obfuscated() {
            usable.sort_by_key(|(_, target)| target.obfuscated);
        }
        if config.proxy.is_some() {
            usable.sort_by_key(|(option, _)| !option.fixed);
        }
        let is_v6 = |(option, _): &(&DcOption, Target)| option.address.is_ipv6();
        let ordered = interleave(usable, versions, is_v6).into_iter();
        ordered.map(|(_, target)| target).collect::<Vec<_>>()
    };
    let media = match role {
        Role::Media(_) => of(true),
        Role::Main | Role::Cdn(_) => Vec::new(),
    };
    if media.is_empty() {
        (of(false), false)
    } else {
        (media, true)
    }
}

/// `None` if the server has a secret of a kind that is not known.
fn target(option: &DcOption) -> Option<Target> {
    let secret = match &option.secret {
        Some(bytes) => Some(ProxySecret::from_bytes(bytes).ok()?),
        None => None,
    };
    Some(Target {
        obfuscated: option.tcpo_only || secret.is_some(),
        secret,
        ..option.address.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::DcAddress;

    fn option(id: i32, ip: &str, port: i32) -> tl::types::DcOption {
        tl::types::DcOption {
            ipv6: false,
            media_only: false,
            tcpo_only: false,
            cdn: false,
            r#static: false,
            this_port_only: false,
            id,
            ip_address: ip.to_owned(),
            port,
            secret: None,
        }
    }

    fn options(options: impl IntoIterator<Item = tl::types::DcOption>) -> Vec<DcOption> {
        let options: Vec<tl::enums::DcOption> = options.into_iter().map(Into::into).collect();
        known(&options)
            .into_iter()
            .map(|(_, option)| option)
            .collect()
    }

    /// The addresses that would be tried, marked `!` for obfuscated and `*` for a secret.
    fn tried(config: &Config, known: &[DcOption], files: bool) -> (String, bool) {
        let role = if files { Role::Media(0) } else { Role::Main };
        let (targets, media) = targets(config, config.ip_versions, known, 1, role);
        let shown = targets.iter().map(|target| {
            let secret = if target.secret.is_some() { "*" } else { "" };
            let obfuscated = if target.obfuscated { "!" } else { "" };
            format!("{}{obfuscated}{secret}", target.address)
        });
        (shown.collect::<Vec<_>>().join(" "), media)
    }

    fn every_kind() -> Vec<DcOption> {
        options([
            tl::types::DcOption {
                tcpo_only: true,
                ..option(1, "1.2.3.1", 443)
            },
            tl::types::DcOption {
                secret: Some(vec![1; 16]),
                tcpo_only: true,
                ..option(1, "1.2.3.2", 443)
            },
            tl::types::DcOption {
                secret: Some(vec![1; 3]),
                ..option(1, "1.2.3.3", 443)
            },
            option(1, "1.2.3.4", 443),
            tl::types::DcOption {
                media_only: true,
                ..option(1, "1.2.3.5", 443)
            },
            tl::types::DcOption {
                cdn: true,
                ..option(1, "1.2.3.6", 443)
            },
            tl::types::DcOption {
                r#static: true,
                ..option(1, "1.2.3.7", 443)
            },
            option(2, "not an address", 443),
            option(2, "1.2.3.9", 70000),
            option(2, "1.2.3.9", 0),
            option(1, "::1", 80),
        ])
    }

    #[test]
    fn the_built_in_addresses_are_well_formed() {
        for (test_mode, count) in [(false, 5), (true, 3)] {
            for dc_id in 1..=count {
                let built_in = |versions| built_in(dc_id, test_mode, versions);
                let is_v6 = |target: &Target| target.address.socket_addr().unwrap().is_ipv6();
                let both: Vec<_> = built_in(IpVersions::PreferV4).iter().map(is_v6).collect();
                assert_eq!(both, [false, true]);
                assert!(is_v6(&built_in(IpVersions::PreferV6)[0]));
                assert!(built_in(IpVersions::OnlyV6).iter().all(is_v6));
            }
            assert!(built_in(count + 1, test_mode, IpVersions::PreferV4).is_empty());
        }
    }

    #[test]
    fn servers_are_used_as_their_flags_say() {
        let known = every_kind();
        assert_eq!(known.len(), 8, "what has no address is left out");
        let tried = |config: Config, files| tried(&config, &known, files);
        assert_eq!(
            tried(Config::default(), false),
            (
                "1.2.3.4:443 [::1]:80 1.2.3.7:443 1.2.3.1:443! 1.2.3.2:443!*".to_owned(),
                false
            )
        );
        // When all is obfuscated, those that demand it are as good as others.
        let obfuscated = Config {
            transport: "obfuscated".parse().unwrap(),
            ..Config::default()
        };
        assert_eq!(
            tried(obfuscated, false).0,
            "1.2.3.1:443! [::1]:80 1.2.3.2:443!* 1.2.3.4:443 1.2.3.7:443"
        );
        // Files go where only files go.
        let files = tried(Config::default(), true);
        assert_eq!(files, ("1.2.3.5:443".to_owned(), true));
        // A CDN is where it says that it is one, and nowhere else.
        let config = Config::default();
        let cdn = targets(&config, config.ip_versions, &known, 1, Role::Cdn(0)).0;
        let cdn: Vec<_> = cdn.iter().map(|cdn| cdn.address.to_string()).collect();
        assert_eq!(cdn, ["1.2.3.6:443"]);
        // Through a proxy the static ones are tried first.
        let proxied = Config {
            proxy: Some("socks5://localhost:1080".parse().unwrap()),
            ip_versions: IpVersions::OnlyV4,
            ..Config::default()
        };
        assert_eq!(
            tried(proxied, false).0,
            "1.2.3.7:443 1.2.3.4:443 1.2.3.1:443! 1.2.3.2:443!*"
        );
        let v6 = Config {
            ip_versions: IpVersions::OnlyV6,
            ..Config::default()
        };
        assert_eq!(tried(v6, false).0, "[::1]:80");
    }

    #[test]
    fn files_go_to_the_ordinary_servers_when_there_are_no_others() {
        let known = [DcOption::new("1.2.3.4:443".parse().unwrap())];
        let (addresses, media) = tried(&Config::default(), &known, true);
        assert_eq!((addresses.as_str(), media), ("1.2.3.4:443", false));
    }

    #[test]
    fn what_is_configured_goes_before_all_else() {
        let known = every_kind();
        let own = Config {
            dc_addresses: vec![DcAddress::new(1, "127.0.0.1:1".parse().unwrap())],
            ..Config::default()
        };
        assert_eq!(tried(&own, &known, true), ("127.0.0.1:1".to_owned(), false));
        // An MTProxy even before that, and it is told whether files are meant.
        let proxied = |own: Config| Config {
            proxy: Some(
                "tg://proxy?server=h&port=1&secret=00112233445566778899aabbccddeeff"
                    .parse()
                    .unwrap(),
            ),
            ..own
        };
        assert_eq!(
            tried(&proxied(own.clone()), &known, true),
            ("h:1!*".to_owned(), false)
        );
        let telegram = proxied(Config::default());
        assert_eq!(tried(&telegram, &known, true), ("h:1!*".to_owned(), true));
        // Who names some data centres has none at other numbers.
        assert_eq!(
            targets(&own, own.ip_versions, &[], 2, Role::Main),
            (Vec::new(), false)
        );
    }

    #[cfg(feature = "websocket")]
    #[test]
    fn telegrams_websockets_are_found_by_the_data_centres_number() {
        let config = |transport: &str| Config {
            transport: transport.parse().unwrap(),
            ..Config::default()
        };
        let known = every_kind();
        let at = |config: &Config, dc_id| {
            let targets = targets(config, config.ip_versions, &known, dc_id, Role::Media(0)).0;
            targets.first().map(|target| target.address.to_string())
        };
        for (dc_id, name) in (1..).zip(["pluto", "venus", "aurora", "vesta", "flora"]) {
            let host = format!("{name}.web.telegram.org");
            assert_eq!(at(&config("wss"), dc_id), Some(format!("{host}:443")));
            assert_eq!(at(&config("ws"), dc_id), Some(format!("{host}:80")));
        }
        assert_eq!((at(&config("ws"), 6), at(&config("ws"), 0)), (None, None));
        let own = Config {
            dc_addresses: vec![DcAddress::new(1, "127.0.0.1:1".parse().unwrap())],
            ..config("ws")
        };
        assert_eq!(at(&own, 1).as_deref(), Some("127.0.0.1:1"));
    }
}
