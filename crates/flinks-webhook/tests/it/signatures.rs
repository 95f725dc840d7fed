//! Vectors of the signature, and its properties.

use flinks_webhook::{
    FLINKS_AUTHENTICITY_KEY, Secret, SignatureErrorKind, Verifier, X_FLINKS_SIGNATURE, sign,
};
use http::HeaderMap;
use proptest::prelude::*;

fn verify(secret: &str, signature: http::HeaderValue, body: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert(FLINKS_AUTHENTICITY_KEY, signature);
    let verifier = Verifier::new(Secret::new(secret)).unwrap();
    verifier.verify(&headers, body).is_ok()
}

#[test]
fn vectors() {
    // RFC 4231, case 2, and one that Python's hmac made of texts outside of ASCII.
    for (secret, body, signature) in [
        (
            "Jefe",
            "what do ya want for nothing?",
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
        ),
        (
            "clé+/= x",
            r#"{"ResponseType":"KYC","Name":"Zoë"}"#,
            "XpV4Lr6FqCOlBbZP7ZrOGy+ao3gXT1rK7E7sC4peSRk=",
        ),
    ] {
        let made = sign(&Secret::new(secret), body.as_bytes());
        assert_eq!(made, signature);
        assert!(verify(secret, made, body.as_bytes()));
    }
}

#[test]
fn each_reason_has_its_kind() {
    let empty = Verifier::new(Secret::new("")).unwrap_err();
    assert_eq!(empty.kind(), SignatureErrorKind::EmptySecret);
    let verifier = Verifier::new(Secret::new("s")).unwrap();
    let kind = |name: &'static str, value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        verifier.verify(&headers, b"").unwrap_err().kind()
    };
    let hex = "0".repeat(64);
    let pay = format!("sha256={hex}");
    assert_eq!(kind("x-other", &hex), SignatureErrorKind::Missing);
    assert_eq!(
        kind("x-webhook-signature", &pay),
        SignatureErrorKind::PayScheme
    );
    assert_eq!(
        kind("flinks-authenticity-key", &pay),
        SignatureErrorKind::PayScheme
    );
    assert_eq!(
        kind("flinks-authenticity-key", &hex),
        SignatureErrorKind::Malformed
    );
    let other = sign(&Secret::new("t"), b"");
    assert_eq!(
        kind("x-flinks-signature", other.to_str().unwrap()),
        SignatureErrorKind::Mismatch
    );

    let only = Verifier::new(Secret::new("s"))
        .unwrap()
        .with_headers([X_FLINKS_SIGNATURE]);
    let mut headers = HeaderMap::new();
    headers.insert(FLINKS_AUTHENTICITY_KEY, sign(&Secret::new("s"), b""));
    let error = only.verify(&headers, b"").unwrap_err();
    assert_eq!(error.kind(), SignatureErrorKind::Missing);
}

proptest! {
    #[test]
    fn every_body_verifies_and_none_with_one_bit_flipped(
        secret in ".{1,80}",
        body in prop::collection::vec(any::<u8>(), 0..300),
        bit in any::<prop::sample::Index>(),
    ) {
        let signature = sign(&Secret::new(secret.as_str()), &body);
        prop_assert!(verify(&secret, signature.clone(), &body));
        let flip = |bytes: &[u8]| {
            let bit = bit.index(bytes.len() * 8);
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        };
        if !body.is_empty() {
            prop_assert!(!verify(&secret, signature.clone(), &flip(&body)));
        }
        if let Ok(other) = flip(signature.as_bytes()).try_into() {
            prop_assert!(!verify(&secret, other, &body));
        }
    }
}
