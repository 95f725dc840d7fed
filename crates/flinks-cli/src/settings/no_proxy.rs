//! `NO_PROXY`: the hosts that are reached without a proxy, as curl reads the list.

use std::net::IpAddr;

/// Returns whether the list exempts a host from the proxy.
///
/// Its entries, separated by commas or spaces, are: a name, which stands for itself and the names
/// below it, with or without a leading dot; an IP address or a network such as `10.0.0.0/8`; `*` for
/// every host. With `:port` an entry is for that port only. Names are not resolved.
pub(super) fn exempts(list: &str, host: &str, port: u16) -> bool {
    let host = without_brackets(host).trim_end_matches('.');
    list.split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry == "*" || matches(entry, host, port))
}

fn matches(entry: &str, host: &str, port: u16) -> bool {
    let (entry, only_port) = split_port(entry);
    if only_port.is_some_and(|only| only.parse() != Ok(port)) {
        return false;
    }
    match host.parse::<IpAddr>() {
        Ok(address) => contains(entry, address) || contains(entry, address.to_canonical()),
        Err(_) => is_or_is_below(host, entry),
    }
}

/// Splits `host:port` and `[address]:port`; an IPv6 address without brackets has no port.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((address, rest)) = entry.split_once(']') {
        return (without_brackets(address), rest.strip_prefix(':'));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        Some(_) | None => (entry, None),
    }
}

fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Returns whether a network, or a single address, contains an address.
fn contains(network: &str, address: IpAddr) -> bool {
    let (network, bits) = match network.split_once('/') {
        Some((network, bits)) => (network, Some(bits)),
        None => (network, None),
    };
    // An IPv4 address is compared in the upper bits.
    let (network, address, width) = match (network.parse(), address) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(address)) => (
            u128::from(network.to_bits()) << 96,
            u128::from(address.to_bits()) << 96,
            u32::BITS,
        ),
        (Ok(IpAddr::V6(network)), IpAddr::V6(address)) => {
            (network.to_bits(), address.to_bits(), u128::BITS)
        }
        (Ok(_) | Err(_), _) => return false,
    };
    let bits = bits.map_or(Ok(width), str::parse);
    let Some(bits) = bits.ok().filter(|bits| *bits <= width) else {
        return false;
    };
    let mask = u128::MAX.checked_shl(u128::BITS - bits).unwrap_or(0);
    (network ^ address) & mask == 0
}

/// Returns whether a host is this name or a name below it.
fn is_or_is_below(host: &str, name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name).trim_end_matches('.');
    let Some(at) = host.len().checked_sub(name.len()) else {
        return false;
    };
    let Some((above, tail)) = host.split_at_checked(at) else {
        return false;
    };
    !name.is_empty()
        && tail.eq_ignore_ascii_case(name)
        && (above.is_empty() || above.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_are_read_as_curl_reads_them() {
        let rows = [
            ("", "a.test", false),
            ("*", "a.test", true),
            ("b.test,*", "a.test", true),
            ("a.test", "a.test", true),
            ("A.Test", "a.tEST", true),
            (".a.test", "a.test", true),
            ("a.test.", "a.test", true),
            ("a.test", "a.test.", true),
            ("a.test", "up.a.test", true),
            (".a.test", "up.a.test", true),
            ("a.test", "nota.test", false),
            ("up.a.test", "a.test", false),
            ("*.a.test", "up.a.test", false),
            ("b.test, a.test", "a.test", true),
            ("b.test a.test", "a.test", true),
            (",,b.test,,", "a.test", false),
            (".", "a.test", false),
            ("a.test:8443", "a.test", true),
            ("a.test:443", "a.test", false),
            ("a.test:x", "a.test", false),
            ("é.test", "a.test", false),
            ("localhost", "localhost", true),
            ("127.0.0.1", "localhost", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1:8443", "127.0.0.1", true),
            ("127.0.0.1:1", "127.0.0.1", false),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("192.168.1.0/25", "192.168.1.127", true),
            ("192.168.1.0/25", "192.168.1.128", false),
            ("10.0.0.1/32", "10.0.0.1", true),
            ("10.0.0.1/33", "10.0.0.1", false),
            ("10.0.0.1/128", "10.0.0.1", false),
            ("10.0.0.1/x", "10.0.0.1", false),
            ("0.0.0.0/0", "10.0.0.1", true),
            ("10.0.0.0/8", "a.test", false),
            ("::1", "[::1]", true),
            ("[::1]", "[::1]", true),
            ("[::1]:8443", "[::1]", true),
            ("[::1]:1", "[::1]", false),
            ("0:0:0:0:0:0:0:1", "[::1]", true),
            ("fe80::/10", "[fe90::1]", true),
            ("fe80::/10", "[fec0::1]", false),
            ("10.0.0.0/8", "[::ffff:10.0.0.1]", true),
            ("10.0.0.0/8", "[::1]", false),
        ];
        for (list, host, expected) in rows {
            assert_eq!(exempts(list, host, 8443), expected, "{list} for {host}");
        }
    }

    proptest! {
        #[test]
        fn no_list_panics(list in ".*", entry in r"[\[\]:./0-9a-fé*]{0,20}", host in ".*", port: u16) {
            for list in [&list, &entry] {
                for host in [&host, "[::1]", "10.0.0.1", "a.test"] {
                    exempts(list, host, port);
                }
            }
        }

        #[test]
        fn a_network_contains_what_shares_its_first_bits(address: u32, bits in 0_u32..=32, flipped in 0_u32..32) {
            let host = std::net::Ipv4Addr::from(address ^ (1 << flipped)).to_string();
            let network = format!("{}/{bits}", std::net::Ipv4Addr::from(address));
            prop_assert_eq!(exempts(&network, &host, 1), 32 - flipped > bits);
        }
    }
}
