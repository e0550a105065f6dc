//! The key pair of a server without configured keys: generated at the first start, and stored.

use std::path::Path;
use std::{fs, io};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKey};
use aws_lc_rs::signature::KeyPair as _;

use crate::settings::Secret;

const PRIVATE_FILE: &str = "token-private.pem";
const PUBLIC_FILE: &str = "token-public.pem";

/// The pair in the data directory, generated if missing.
pub(super) fn pair(data_dir: &Path) -> Result<(Secret, Secret), String> {
    let (private_at, public_at) = (data_dir.join(PRIVATE_FILE), data_dir.join(PUBLIC_FILE));
    if let (Some(private), Some(public)) = (read(&private_at)?, read(&public_at)?) {
        return Ok((private.into(), public.into()));
    }
    let (private, public) = make().map_err(|_| "the token keys could not be generated")?;
    let write = |at: &Path, pem: &str| {
        write_private(at, pem)
            .map_err(|error| format!("{} cannot be written: {error}", at.display()))
    };
    write(&public_at, &public)?;
    write(&private_at, &private)?;
    Ok((private.into(), public.into()))
}

/// The public key in the data directory.
pub(super) fn public(data_dir: &Path) -> Result<Secret, String> {
    let at = data_dir.join(PUBLIC_FILE);
    let missing = || format!("there is no public key in {}", at.display());
    read(&at)?.map(Secret::from).ok_or_else(missing)
}

fn read(at: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(at) {
        Ok(pem) => Ok(Some(pem)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}", at.display())),
    }
}

/// Generates a pair in PEM: 2048 bits, the minimum of NIST SP 800-57 until 2030.
fn make() -> Result<(String, String), Unspecified> {
    let pair = KeyPair::generate(KeySize::Rsa2048)?;
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?;
    Ok((pem("PRIVATE KEY", private.as_ref()), public_pem(pair.public_key())?))
}

/// A public key in PEM (SubjectPublicKeyInfo, RFC 5280).
pub(super) fn public_pem(key: &PublicKey) -> Result<String, Unspecified> {
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(key)?;
    Ok(pem("PUBLIC KEY", der.as_ref()))
}

/// PEM (RFC 7468): base64 in lines of 64.
fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

/// Writes atomically, readable by the owner only.
fn write_private(at: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let beside = at.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, at)
}
