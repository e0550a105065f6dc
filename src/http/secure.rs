//! Whether the cookies of an answer are `Secure`. Browsers drop `Secure` cookies over plain HTTP, which would make
//! games on a local network impossible.
//!
//! The request decides, without weakening public sites: a page of another site can neither choose the `Host` that a
//! browser sends, nor add headers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use salvo::extract::Metadata;
use salvo::http::uri::Authority;
use salvo::http::{HeaderMap, header};
use salvo::oapi::{Components, EndpointArgRegister, Operation};
use salvo::{Depot, Extractible, Request};

use super::extract::{cx_of, no_metadata};
use crate::Error;
use crate::auth::SetCookies;
use crate::settings::SecureCookies;

/// The cookies that an endpoint sets, `Secure` or not as the request requires.
impl<'ex> Extractible<'ex> for SetCookies {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, Error> {
        let setting = cx_of(depot)?.settings().cookies.secure;
        Ok(Self::of(are_secure(setting, req.headers())))
    }
}

impl EndpointArgRegister for SetCookies {
    fn register(_: &mut Components, _: &mut Operation, _: &str) {}
}

fn are_secure(setting: SecureCookies, headers: &HeaderMap) -> bool {
    match setting {
        SecureCookies::Always => true,
        SecureCookies::Never => false,
        SecureCookies::Auto => came_by_https(headers) || !is_local(host(headers)),
    }
}

/// Whether a proxy or the browser indicates HTTPS. Clients can be trusted here: a client that lies only loses its own
/// cookies. Browsers send Fetch Metadata only to sites with trustworthy transport (W3C Fetch Metadata, section 2); that
/// also works behind a proxy that sets no header and changes the `Host`.
fn came_by_https(headers: &HeaderMap) -> bool {
    let protocol = headers.get("x-forwarded-proto").and_then(|it| it.to_str().ok());
    // Each proxy appends its own: the first is the one that the browser used.
    let first = protocol.and_then(|it| it.split(',').next()).unwrap_or_default();
    first.trim().eq_ignore_ascii_case("https") || headers.contains_key("sec-fetch-site")
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// Whether a host cannot have a public certificate: a private address, or a name without meaning outside its network.
/// Not `localhost`, which most browsers trust without a certificate.
fn is_local(host: &str) -> bool {
    let Ok(authority) = Authority::try_from(host) else { return false };
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    match host.trim_matches(['[', ']']).parse().map(|ip: IpAddr| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => is_local_v4(ip),
        Ok(IpAddr::V6(ip)) => is_local_v6(ip),
        Err(_) => is_local_name(&host),
    }
}

/// RFC 1918, RFC 3927, RFC 6598 (carrier-grade NAT, and some VPNs), and `0.0.0.0`, which some browsers open.
fn is_local_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let is_shared = first == 100 && second & 0b1100_0000 == 64;
    ip.is_private() || ip.is_link_local() || ip.is_unspecified() || is_shared
}

/// RFC 4193, RFC 4291.
fn is_local_v6(ip: Ipv6Addr) -> bool {
    ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified()
}

/// RFC 6762, RFC 8375, and common names of local networks; or a name without a dot.
fn is_local_name(name: &str) -> bool {
    let has_one_part = !name.contains('.') && !name.is_empty() && name != "localhost";
    has_one_part
        || [".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain", ".fritz.box"]
            .iter()
            .any(|it| name.ends_with(it))
}

#[cfg(test)]
mod tests {
    use salvo::http::{HeaderName, HeaderValue};

    use super::*;

    /// Whether cookies are `Secure` for a request with these headers.
    fn secure(headers: &[(&'static str, &'static str)]) -> bool {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        are_secure(SecureCookies::Auto, &headers.iter().map(header).collect())
    }

    #[test]
    fn a_host_without_a_public_certificate_gets_cookies_that_it_can_keep() {
        for host in [
            "192.168.1.20:8080",
            "10.0.0.1",
            "172.31.255.1",
            "169.254.3.4:80",
            "100.64.0.1",
            "100.127.255.254:8080",
            "0.0.0.0:8080",
            "[fd12:3456::1]:8080",
            "[fe80::1]",
            "[::ffff:192.168.1.20]:8080",
            "annas-laptop:8080",
            "Annas-Laptop.local:8080",
            "pc.fritz.LAN.",
            "race.home.arpa",
            "race.internal",
        ] {
            assert!(!secure(&[("host", host)]), "{host}");
        }
    }

    #[test]
    fn any_other_host_gets_secure_ones() {
        for host in [
            "race.example.org",
            "race.example.org:8080",
            "localhost:8080",
            "race.localhost",
            "127.0.0.1:8080",
            "[::1]:8080",
            "203.0.113.7",
            "172.32.0.1",
            "100.128.0.1",
            "[2001:db8::1]:8080",
            "notlocal.example",
            "local.example.org",
            "",
            "a b",
        ] {
            assert!(secure(&[("host", host)]), "{host}");
        }
        assert!(secure(&[]));
    }

    #[test]
    fn a_request_by_https_gets_secure_ones_anywhere() {
        let local = ("host", "backend:8080");
        for (header, value, is_https) in [
            ("x-forwarded-proto", "https", true),
            ("x-forwarded-proto", " HTTPS , http", true),
            ("x-forwarded-proto", "http", false),
            ("x-forwarded-proto", "http, https", false),
            ("sec-fetch-site", "same-origin", true),
            ("x-forwarded-for", "203.0.113.7", false),
        ] {
            assert_eq!(secure(&[local, (header, value)]), is_https, "{header}: {value}");
        }
    }

    #[test]
    fn an_operator_may_decide() {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("10.0.0.1"))]);
        assert!(are_secure(SecureCookies::Always, &headers));
        assert!(!are_secure(SecureCookies::Never, &HeaderMap::new()));
    }
}
