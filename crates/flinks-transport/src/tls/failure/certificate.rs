//! Messages for a server certificate that is rejected, one for each reason.

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

/// Describes the problem and the fix.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls adds variants at will"
)]
pub(super) fn explain(reason: &Reason) -> Cow<'static, str> {
    Cow::Borrowed(match reason {
        Reason::ExpiredContext { not_after, .. } => {
            return format!(
                "the server's certificate, or one that it leads to, expired on {}; check this \
                 machine's clock, or contact the server's operator",
                date(*not_after)
            )
            .into();
        }
        Reason::Expired => {
            "the server's certificate, or one that it leads to, has expired, or its dates \
             contradict each other; check this machine's clock, or contact the server's operator"
        }
        Reason::NotValidYetContext { not_before, .. } => {
            return format!(
                "the server's certificate, or one that it leads to, is not valid until {}; \
                 check this machine's clock",
                date(*not_before)
            )
            .into();
        }
        Reason::NotValidYet => {
            "the server's certificate is not valid yet; check this machine's clock"
        }
        Reason::Revoked => "the server's certificate is revoked; do not use this server",
        Reason::UnknownIssuer => {
            "the server's certificate does not lead to a trusted root certificate: check the host \
             and the root certificates (a private server or an inspecting proxy needs its own)"
        }
        Reason::BadSignature => {
            "the signature on the server's certificate or on the handshake is not valid: an \
             authority of the same name but with another key made it, or it was altered; check the \
             host and the root certificates"
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
            "a key in the server's certificate chain has a type or size that is not accepted, or \
             does not match its signature; contact the server's operator"
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
     host, and contact the server's operator";

const CRITICAL_EXTENSION: &str = "the server's certificate, or one that it leads to, has an \
     unknown extension marked as critical; contact the server's operator";

const SIGNATURE_ALGORITHM: &str = "the server's certificate, or one that it leads to, is signed with \
     an algorithm that is not accepted, such as SHA-1; contact the server's operator";

/// Describes errors that have no rustls variant, and those of the platform.
fn of_other(error: &(dyn StdError + Send + Sync + 'static)) -> Cow<'static, str> {
    if let Some(error) = error.downcast_ref::<PathError>() {
        return of_path(error);
    }
    if let Some(TlsError::InvalidCertificate(reason)) = error.downcast_ref::<TlsError>() {
        return explain(reason);
    }
    let text = error.to_string();
    // The platform verifier's type for this error is not public.
    if text == "certificate had invalid extensions" {
        return NOT_FOR_SERVERS.into();
    }
    format!(
        "the server's certificate is refused by this system: {}",
        printable(&text, 200)
    )
    .into()
}

/// Describes errors on the path from the server's certificate to a root.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "webpki adds variants at will; most others are about revocation lists"
)]
fn of_path(error: &PathError) -> Cow<'static, str> {
    Cow::Borrowed(match error {
        PathError::CaUsedAsEndEntity => {
            "the server presents the certificate of an authority (CA) as its own (a self-signed one \
             without basicConstraints=CA:FALSE counts as such); it needs a server certificate"
        }
        PathError::EndEntityUsedAsCa => {
            "the issuer of the server's certificate is not an authority (CA): it lacks \
             basicConstraints=CA:TRUE; use the authority's own certificate as a root"
        }
        PathError::IssuerNotCrlSigner => {
            "whether the server's certificate is revoked cannot be found out"
        }
        PathError::CertDistrusted => {
            "this system distrusts the server's certificate; do not use this server"
        }
        PathError::NameConstraintViolation => {
            "the server's certificate has a name that its issuer may not certify (name \
             constraints); contact the server's operator"
        }
        PathError::PathLenConstraintViolated => {
            "the server's certificate chain is longer than one of its authorities allows (path \
             length); contact the server's operator"
        }
        PathError::UnsupportedCertVersion => {
            "the server's certificate is X.509 version 1; version 3, with extensions such as \
             subjectAltName, is required; contact the server's operator"
        }
        PathError::UnsupportedCriticalExtension => CRITICAL_EXTENSION,
        PathError::EmptyEkuExtension | PathError::RequiredEkuNotFoundContext(_) => NOT_FOR_SERVERS,
        PathError::SignatureAlgorithmMismatch => {
            "the server's certificate, or one that it leads to, names two different algorithms for \
             its signature; contact the server's operator"
        }
        PathError::MaximumNameConstraintComparisonsExceeded
        | PathError::MaximumPathBuildCallsExceeded
        | PathError::MaximumPathDepthExceeded
        | PathError::MaximumSignatureChecksExceeded => {
            "the server presents too many or too deeply nested certificates; contact the \
             server's operator"
        }
        PathError::ExtensionValueInvalid
        | PathError::InvalidNetworkMaskConstraint
        | PathError::InvalidSerialNumber
        | PathError::MalformedDnsIdentifier
        | PathError::MalformedExtensions
        | PathError::MalformedNameConstraint => MALFORMED,
        _ => "the server's certificate cannot be verified; contact the server's operator",
    })
}

/// Describes a certificate for another host. Its names are public, and have the form
/// `DnsName("…")` or `IpAddress(…)`; other kinds do not name a host.
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
            "the server's certificate names no host (it has no subjectAltName, and the common \
             name is ignored), so it is not for `{expected}`; contact the server's operator"
        );
    }
    // An address never matches a host name, even with the same text.
    if names.contains(&expected) {
        return format!(
            "the server's certificate names `{expected}` as a host name, but an address requires \
             a subjectAltName entry of type IP; contact the server's operator, or use its host \
             name"
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

/// Returns at most `most` characters, without backquotes and control characters.
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
