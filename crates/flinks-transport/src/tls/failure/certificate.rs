//! What is wrong with a server's certificate, one sentence for each reason.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{CertificateError as Reason, Error as TlsError};
use webpki::Error as PathError;

use crate::identity::shown_date;

/// What is wrong, and what to do.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls adds variants at will"
)]
pub(super) fn explain(reason: &Reason) -> Cow<'static, str> {
    Cow::Borrowed(match reason {
        Reason::ExpiredContext { not_after, .. } => {
            return format!(
                "the server's certificate, or one that it leads to, has expired on {}; check the \
                 clock of this machine, else tell those who run the server",
                date(*not_after)
            )
            .into();
        }
        Reason::Expired => {
            "the server's certificate, or one that it leads to, has expired, or its dates \
             contradict each other; check the clock of this machine, else tell those who run the \
             server"
        }
        Reason::NotValidYetContext { not_before, .. } => {
            return format!(
                "the server's certificate, or one that it leads to, is not valid yet, but from {}; \
                 check the clock of this machine",
                date(*not_before)
            )
            .into();
        }
        Reason::NotValidYet => {
            "the server's certificate is not valid yet; check the clock of this machine"
        }
        Reason::Revoked => "the server's certificate is revoked; do not go on",
        Reason::UnknownIssuer => {
            "the server's certificate does not lead to a root certificate that is trusted here: \
             check the host, and the root certificates (a private server or an inspecting proxy \
             needs its own)"
        }
        Reason::BadSignature => {
            "the signature on the server's certificate, or of the server in the handshake, is \
             wrong: an authority of the same name but with another key made it, or it was altered; \
             check the host, and the root certificates"
        }
        Reason::NotValidForName => {
            "the server's certificate is for another host name; check the base URL"
        }
        Reason::NotValidForNameContext {
            expected,
            presented,
        } => return of_name(&expected.to_str(), presented).into(),
        Reason::InvalidPurpose | Reason::InvalidPurposeContext { .. } => NOT_FOR_SERVERS,
        Reason::BadEncoding => MALFORMED,
        Reason::UnhandledCriticalExtension => CRITICAL_EXTENSION,
        #[expect(deprecated, reason = "other verifiers may still use it")]
        Reason::UnsupportedSignatureAlgorithm => SIGNATURE_ALGORITHM,
        Reason::UnsupportedSignatureAlgorithmContext { .. } => SIGNATURE_ALGORITHM,
        Reason::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "a key in the chain of the server's certificate is of a type or size that is not \
             accepted, or does not go with its signature; tell those who run the server"
        }
        Reason::UnknownRevocationStatus
        | Reason::ExpiredRevocationList
        | Reason::ExpiredRevocationListContext { .. }
        | Reason::InvalidOcspResponse => {
            "whether the server's certificate is revoked cannot be found out"
        }
        Reason::Other(other) => return of_other(&*other.0),
        _ => "the server's certificate is refused by this system",
    })
}

const NOT_FOR_SERVERS: &str = "the server's certificate is not meant for servers (its extended key \
     usage lacks serverAuth); check the host";

const MALFORMED: &str = "the server's certificate, or one that it leads to, is malformed; check the \
     host, and tell those who run the server";

const CRITICAL_EXTENSION: &str = "the server's certificate, or one that it leads to, has an \
     extension marked as critical that is not known here; tell those who run the server";

const SIGNATURE_ALGORITHM: &str = "the server's certificate, or one that it leads to, is signed with \
     an algorithm that is not accepted, such as SHA-1; tell those who run the server";

/// Errors that rustls has no name for, and those of the platform.
fn of_other(error: &(dyn StdError + Send + Sync + 'static)) -> Cow<'static, str> {
    if let Some(error) = error.downcast_ref::<PathError>() {
        return of_path(error);
    }
    if let Some(TlsError::InvalidCertificate(reason)) = error.downcast_ref::<TlsError>() {
        return explain(reason);
    }
    let text = error.to_string();
    // The type of this error of the platform's verifier is not public.
    if text == "certificate had invalid extensions" {
        return NOT_FOR_SERVERS.into();
    }
    format!(
        "the server's certificate is refused by this system: {}",
        printable(&text, 200)
    )
    .into()
}

/// Errors on the path from the server's certificate to a root.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "webpki adds variants at will; most others are about revocation lists"
)]
fn of_path(error: &PathError) -> Cow<'static, str> {
    Cow::Borrowed(match error {
        PathError::CaUsedAsEndEntity => {
            "the server presents the certificate of an authority (CA) as its own, as is one that \
             was self-signed without basicConstraints=CA:FALSE; it needs a certificate of its own"
        }
        PathError::EndEntityUsedAsCa => {
            "the server's certificate was issued by one that is not of an authority (CA): it lacks \
             basicConstraints=CA:TRUE; give the authority's own certificate as a root"
        }
        PathError::IssuerNotCrlSigner => {
            "whether the server's certificate is revoked cannot be found out"
        }
        PathError::CertDistrusted => "the server's certificate is distrusted here; do not go on",
        PathError::NameConstraintViolation => {
            "the server's certificate has a name that its issuer must not certify (name \
             constraints); tell those who run the server"
        }
        PathError::PathLenConstraintViolated => {
            "there are more authorities between the server's certificate and its root than one of \
             them allows (path length); tell those who run the server"
        }
        PathError::UnsupportedCertVersion => {
            "the server's certificate is of X.509 version 1, and version 3 is needed, which has \
             extensions such as subjectAltName; tell those who run the server"
        }
        PathError::UnsupportedCriticalExtension => CRITICAL_EXTENSION,
        PathError::EmptyEkuExtension | PathError::RequiredEkuNotFoundContext(_) => NOT_FOR_SERVERS,
        PathError::SignatureAlgorithmMismatch => {
            "the server's certificate, or one that it leads to, names two different algorithms for \
             its signature; tell those who run the server"
        }
        PathError::MaximumNameConstraintComparisonsExceeded
        | PathError::MaximumPathBuildCallsExceeded
        | PathError::MaximumPathDepthExceeded
        | PathError::MaximumSignatureChecksExceeded => {
            "the server presents too many or too deeply nested certificates; tell those who run the \
             server"
        }
        PathError::ExtensionValueInvalid
        | PathError::InvalidNetworkMaskConstraint
        | PathError::InvalidSerialNumber
        | PathError::MalformedDnsIdentifier
        | PathError::MalformedExtensions
        | PathError::MalformedNameConstraint => MALFORMED,
        _ => "the server's certificate cannot be verified; tell those who run the server",
    })
}

/// The names are public. They come as `DnsName("…")`, `IpAddress(…)`, and kinds that name no host.
fn of_name(expected: &str, presented: &[String]) -> String {
    const MOST: usize = 3;

    let names: Vec<&str> = presented
        .iter()
        .filter_map(|name| {
            let dns = name
                .strip_prefix("DnsName(\"")
                .and_then(|name| name.strip_suffix("\")"));
            let address = || name.strip_prefix("IpAddress(")?.strip_suffix(')');
            dns.or_else(address)
        })
        .collect();
    if names.is_empty() {
        return format!(
            "the server's certificate names no host at all (it has no subjectAltName, and a common \
             name does not count), so it is not for `{expected}`; tell those who run the server"
        );
    }
    // The comparison of an address with a host name fails, however alike they look.
    if names.contains(&expected) {
        return format!(
            "the server's certificate names `{expected}` as a host name, and for an address \
             subjectAltName needs an entry of the kind IP; tell those who run the server, or use \
             its host name"
        );
    }
    let mut shown = String::new();
    for name in names.iter().take(MOST) {
        let separator = if shown.is_empty() { "" } else { ", " };
        let _infallible = write!(shown, "{separator}`{}`", printable(name, 80));
    }
    if names.len() > MOST {
        let _infallible = write!(shown, " and {} more", names.len() - MOST);
    }
    format!("the server's certificate is not for `{expected}` but for {shown}; check the base URL")
}

/// At most `most` characters, none of which can be mistaken for ours or act on a terminal.
fn printable(text: &str, most: usize) -> String {
    let safe = |c: char| match c {
        '`' => '\'',
        ' '..='~' => c,
        _ => '?',
    };
    let mut shown: String = text.chars().take(most).map(safe).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

fn date(time: UnixTime) -> String {
    UNIX_EPOCH
        .checked_add(Duration::from_secs(time.as_secs()))
        .map_or_else(|| "an unknown date".to_owned(), shown_date)
}
