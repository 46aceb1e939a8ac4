//! Where Telegram's data centres are before the server has told us better, and what of its
//! `dcOption`s we can use.

use std::net::{IpAddr, SocketAddr};

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

/// The built-in addresses of a data centre, IPv4 first.
pub(crate) fn built_in(dc_id: i32, test_mode: bool) -> Vec<SocketAddr> {
    let table: &[_] = if test_mode { &TEST } else { &PRODUCTION };
    table
        .iter()
        .filter(|(id, ..)| *id == dc_id)
        .flat_map(|(_, v4, v6)| [v4, v6])
        .filter_map(|address| address.parse().ok())
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

/// The addresses that a connection can use, and whether they are for files only. CDN servers are
/// not for ordinary requests; those with a secret, or for obfuscated connections only, would not
/// understand us. Files go to the servers that are for nothing else, if there are any.
pub(crate) fn usable(
    options: &[DcOption],
    files: bool,
    obfuscated: bool,
) -> (Vec<SocketAddr>, bool) {
    let of = |media_only: bool| {
        let usable = |option: &&DcOption| {
            option.media_only == media_only
                && !option.cdn
                && option.secret.is_none()
                && (obfuscated || !option.tcpo_only)
        };
        let usable = options.iter().filter(usable);
        usable.map(|option| option.address).collect::<Vec<_>>()
    };
    let media = if files { of(true) } else { Vec::new() };
    if media.is_empty() {
        (of(false), false)
    } else {
        (media, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_built_in_addresses_are_well_formed() {
        for (test_mode, count) in [(false, 5), (true, 3)] {
            for dc_id in 1..=count {
                let addresses = built_in(dc_id, test_mode);
                assert_eq!(addresses.len(), 2);
                assert!(addresses[0].is_ipv4() && addresses[1].is_ipv6());
            }
            assert!(built_in(count + 1, test_mode).is_empty());
        }
    }

    #[test]
    fn what_a_plain_connection_cannot_use_is_left_out() {
        let options: Vec<tl::enums::DcOption> = [
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
                tcpo_only: true,
                ..option(1, "1.2.3.7", 443)
            },
            tl::types::DcOption {
                secret: Some(vec![1]),
                ..option(1, "1.2.3.8", 443)
            },
            option(2, "not an address", 443),
            option(2, "1.2.3.9", 70000),
            option(2, "1.2.3.9", 0),
            option(2, "::1", 80),
        ]
        .map(Into::into)
        .into();
        let known = known(&options);
        assert_eq!(known.len(), 6);
        let options: Vec<_> = known.into_iter().map(|(_, option)| option).collect();
        let usable = |files, obfuscated| {
            let (addresses, media) = usable(&options, files, obfuscated);
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            (addresses.join(" "), media)
        };
        assert_eq!(
            usable(false, false),
            ("1.2.3.4:443 [::1]:80".to_owned(), false)
        );
        assert_eq!(
            usable(false, true),
            ("1.2.3.4:443 1.2.3.7:443 [::1]:80".to_owned(), false)
        );
        // Files go where only files go.
        assert_eq!(usable(true, false), ("1.2.3.5:443".to_owned(), true));
    }

    #[test]
    fn files_go_to_the_ordinary_servers_when_there_are_no_others() {
        let options = [DcOption::new("1.2.3.4:443".parse().unwrap())];
        let (addresses, media) = usable(&options, true, false);
        assert_eq!((addresses.len(), media), (1, false));
    }
}
