//! Adds the public half to elliptic-curve keys that lack it.
//!
//! Java writes such keys, and `ring` does not accept them. The public half comes from the
//! certificate; loading the key verifies that the two match.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::ber::encode;
use super::der::{
    BIT_STRING, CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE,
};

/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
const CONTEXT_1: u8 = 0xa1;

/// Returns `key` with the public half of a SubjectPublicKeyInfo. `None` if `key` has another type
/// or curve, or already has its public half.
pub(super) fn completed(
    key: &PrivateKeyDer<'_>,
    public_key: &[u8],
) -> Option<Zeroizing<PrivateKeyDer<'static>>> {
    let mut public_key = Reader(public_key).enter(SEQUENCE)?;
    let algorithm = public_key.expect(SEQUENCE)?;
    let point = public_key.expect(BIT_STRING)?;
    let mut names = Reader(algorithm.content);
    names
        .expect(OBJECT_IDENTIFIER)
        .filter(|id| id.content == EC_PUBLIC_KEY)?;
    let curve = names.expect(OBJECT_IDENTIFIER)?.whole;

    let scalar = match key {
        PrivateKeyDer::Pkcs8(der) => {
            let mut info = Reader(der.secret_pkcs8_der()).enter(SEQUENCE)?;
            info.expect(INTEGER)?;
            info.expect(SEQUENCE)
                .filter(|own| own.whole == algorithm.whole)?;
            scalar(info.expect(OCTET_STRING)?.content, curve)?
        }
        PrivateKeyDer::Sec1(der) => scalar(der.secret_sec1_der(), curve)?,
        PrivateKeyDer::Pkcs1(_) | _ => return None,
    };
    let point = encode(CONTEXT_1, point.whole);
    let private = [b"\x02\x01\x01", &**encode(OCTET_STRING, scalar), &**point].concat();
    let private = encode(SEQUENCE, &Zeroizing::new(private));
    let octets = encode(OCTET_STRING, &private);
    let info = Zeroizing::new([b"\x02\x01\x00", algorithm.whole, &**octets].concat());
    let der = encode(SEQUENCE, &info).to_vec();
    Some(Zeroizing::new(PrivatePkcs8KeyDer::from(der).into()))
}

/// The private half in an ECPrivateKey ::= SEQUENCE { 1, OCTET STRING, \[0\] curve, \[1\] public half },
/// if it lacks the last and does not name another curve.
fn scalar<'a>(der: &'a [u8], curve: &[u8]) -> Option<&'a [u8]> {
    let mut key = Reader(der).enter(SEQUENCE)?;
    key.expect(INTEGER)?;
    let scalar = key.expect(OCTET_STRING)?.content;
    match key.next() {
        None => Some(scalar),
        Some(own) if own.tag == CONTEXT_0 && own.content == curve => {
            key.next().is_none().then_some(scalar)
        }
        Some(_) => None,
    }
}
