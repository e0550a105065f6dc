//! Parsing of settings that are lists: names, origins, addresses.
//!
//! Used by serde through `deserialize_with`, like the single values in `values`.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;

use super::values::{misfit, shown};

/// A list of names.
pub(super) fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let list = r#"a list of names such as ["chat"]"#;
    read(from, list, "text", |name| Some(name.to_owned()))
}

/// A list of ids of accounts.
pub(super) fn ids<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let list = r#"a list of account ids such as ["local-42"]"#;
    let id = |id: &str| Some(id.trim().to_owned()).filter(|id| !id.is_empty());
    read(from, list, "the id of an account", id)
}

/// A list of origins, as browsers send them.
pub(super) fn origins<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let list = r#"a list of origins such as ["https://play.example.org"]"#;
    let item = "an origin (scheme://host or scheme://host:port)";
    read(from, list, item, origin)
}

/// A list of IP addresses and networks.
pub(super) fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let list = r#"a list of IP addresses and networks such as ["10.0.0.1", "192.168.0.0/16"]"#;
    read(from, list, "an IP address or network (10.0.0.1, 192.168.0.0/16)", network)
}

/// An address is a network of one. IPv4-mapped IPv6 (`::ffff:10.0.0.1`) becomes IPv4, like client addresses.
fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let network = text.parse().ok().or_else(|| Some(IpNet::from(text.parse::<IpAddr>().ok()?)))?;
    let IpNet::V6(long) = network else { return Some(network.trunc()) };
    let short = long.addr().to_ipv4_mapped().zip(long.prefix_len().checked_sub(96));
    let mapped = short.and_then(|(address, bits)| Ipv4Net::new(address, bits).ok());
    Some(mapped.map_or(network, IpNet::V4).trunc())
}

fn read<'de, D: Deserializer<'de>, T>(
    from: D,
    list: &str,
    item: &str,
    normalise: fn(&str) -> Option<T>,
) -> Result<Vec<T>, D::Error> {
    let value = Value::deserialize(from)?;
    let Value::Array(entries) = &value else {
        return Err(misfit(&value, list));
    };
    let read_entry = |entry: &Value| {
        let read = entry.as_str().and_then(normalise);
        read.ok_or_else(|| {
            D::Error::custom(format!("contains {}, which is not {item}", shown(entry)))
        })
    };
    entries.iter().map(read_entry).collect()
}

/// The origin as in a browser's `Origin` header: lower case, without trailing slash, without the scheme's default port.
/// `None` for invalid origins: a path, a user, or the wildcard `*` (which browsers refuse together with cookies, which
/// this API needs).
fn origin(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (scheme, authority) = text.strip_suffix('/').unwrap_or(&text).split_once("://")?;
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if !scheme_fits {
        return None;
    }
    let (host, port) = split_port(authority)?;
    let host = canonical_host(host)?;
    match (scheme, port) {
        (_, None) | ("http", Some(80)) | ("https", Some(443)) => Some(format!("{scheme}://{host}")),
        (_, Some(port)) => Some(format!("{scheme}://{host}:{port}")),
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    match authority.rsplit_once(':') {
        // The colons of an IPv6 address end in its bracket.
        Some((host, port)) if !port.ends_with(']') => {
            let digits = port.chars().all(|c| c.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port != 0)?;
            Some((host, Some(port)))
        }
        _ => Some((authority, None)),
    }
}

fn canonical_host(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    (!host.is_empty() && host.chars().all(fits)).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_brought_into_the_form_that_browsers_send() {
        for (written, read) in [
            ("http://localhost:9090", "http://localhost:9090"),
            ("https://Play.Example.org:443/", "https://play.example.org"),
            ("http://10.0.0.1:80", "http://10.0.0.1"),
            ("http://[0:0::1]:3000/", "http://[::1]:3000"),
            ("https://[::1]", "https://[::1]"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(origin(written).as_deref(), Some(read), "{written}");
        }
    }

    #[test]
    fn a_network_is_read_in_any_of_its_forms() {
        for (written, read) in [
            ("10.0.0.1", "10.0.0.1/32"),
            (" 10.1.2.3/8 ", "10.0.0.0/8"),
            ("::1", "::1/128"),
            ("fd00:1::/32", "fd00:1::/32"),
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(
                network(written).map(|it| it.to_string()).as_deref(),
                Some(read),
                "{written}"
            );
        }
        for written in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "host", "10.0.0.1-10.0.0.9"] {
            assert_eq!(network(written), None, "{written}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for written in [
            "*",
            "null",
            "localhost:9090",
            "http://",
            "http:///",
            "http://host/path",
            "http://user@host",
            "http://host:",
            "http://host:+80",
            "http://host:70000",
            "http://host:0",
            "http://*.example.org",
            "http://[::1",
            "1http://host",
        ] {
            assert_eq!(origin(written), None, "{written}");
        }
    }
}
