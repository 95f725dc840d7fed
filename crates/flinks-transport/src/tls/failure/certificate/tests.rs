//! Every reason for refusing a server's certificate, by both verifiers.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose as Purpose, GeneralSubtree, IsCa, KeyPair, NameConstraints,
    date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{OtherError, RootCertStore};

use super::*;
use crate::tls::provider;

const HOST: &str = "upload.test";

type Authority = CertifiedIssuer<'static, KeyPair>;
type Change = fn(&mut CertificateParams);

fn unchanged(_: &mut CertificateParams) {}

fn authority(change: Change) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "ca");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut parameters);
    parameters
}

fn root(change: Change) -> Authority {
    CertifiedIssuer::self_signed(authority(change), KeyPair::generate().unwrap()).unwrap()
}

fn leaf(root: &Authority, change: Change) -> CertificateDer<'static> {
    let mut parameters = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    change(&mut parameters);
    let key = KeyPair::generate().unwrap();
    parameters.signed_by(&key, root).unwrap().der().clone()
}

/// What is said of `leaf` where `root` is trusted, by rustls's verifier and the platform's.
fn refusals(root: &CertificateDer<'static>, leaf: &CertificateDer<'_>) -> Vec<String> {
    let provider = provider(None).unwrap();
    let mut store = RootCertStore::empty();
    store.add(root.clone()).unwrap();
    let ours = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider));
    #[cfg_attr(
        not(all(feature = "platform-roots", target_os = "linux")),
        expect(unused_mut, reason = "one verifier")
    )]
    let mut verifiers: Vec<Arc<dyn ServerCertVerifier>> = vec![ours.build().unwrap()];
    #[cfg(all(feature = "platform-roots", target_os = "linux"))]
    verifiers.push(Arc::new(
        rustls_platform_verifier::Verifier::new_with_extra_roots([root.clone()], provider).unwrap(),
    ));
    let name = ServerName::try_from(HOST).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_900_000_000));
    let refuse = |verifier: Arc<dyn ServerCertVerifier>| match verifier.verify_server_cert(
        leaf,
        &[],
        &name,
        &[],
        now,
    ) {
        Err(TlsError::InvalidCertificate(reason)) => explain(&reason).into_owned(),
        other => panic!("{other:?}"),
    };
    verifiers.into_iter().map(refuse).collect()
}

#[test]
fn every_reason_has_its_sentence() {
    let critical: Change = |parameters| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        parameters.custom_extensions.push(extension);
    };
    let constrained: Change = |parameters| {
        parameters.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("other.test".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    };
    let cases: &[(&str, Change, Change, &str)] = &[
        (
            "CA",
            unchanged,
            |p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            "of an authority (CA) as its own",
        ),
        ("constraints", constrained, unchanged, "name constraints"),
        ("critical", unchanged, critical, "marked as critical"),
        (
            "purpose",
            unchanged,
            |p| p.extended_key_usages = vec![Purpose::ClientAuth],
            "serverAuth",
        ),
        (
            "no name",
            unchanged,
            |p| p.subject_alt_names.clear(),
            "names no host",
        ),
        (
            "other names",
            unchanged,
            |p| {
                *p = CertificateParams::new(
                    ["*.a.test", "10.0.0.1", "c.test", "d.test"].map(str::to_owned),
                )
                .unwrap()
            },
            "not for `upload.test` but for `*.a.test`, `10.0.0.1`, `c.test` and 1 more",
        ),
        (
            "expired",
            unchanged,
            |p| p.not_after = date_time_ymd(2001, 2, 3),
            "expired on 2001-02-03 00:00:00 UTC",
        ),
        (
            "early",
            unchanged,
            |p| p.not_before = date_time_ymd(2050, 2, 3),
            "until 2050-02-03 00:00:00 UTC",
        ),
    ];
    for (case, of_root, of_leaf, says) in cases {
        let root = root(*of_root);
        for message in refusals(root.der(), &leaf(&root, *of_leaf)) {
            assert!(message.contains(says), "{case}: {message}");
        }
    }
}

#[test]
fn other_issuers_and_other_keys_are_told_apart() {
    let (ours, forged) = (root(unchanged), root(unchanged));
    for message in refusals(ours.der(), &leaf(&forged, unchanged)) {
        assert!(message.contains("with another key"), "{message}");
    }
    let stranger = root(|p| p.distinguished_name.push(DnType::CommonName, "stranger"));
    for message in refusals(ours.der(), &leaf(&stranger, unchanged)) {
        assert!(
            message.contains("does not lead to a trusted root"),
            "{message}"
        );
    }
}

#[test]
fn old_versions_and_garbage_are_named() {
    let root = root(unchanged);
    let mut der = leaf(&root, unchanged).to_vec();
    // The version stands at the start of the body: [0] { INTEGER 2 }.
    let version = der
        .windows(5)
        .position(|bytes| bytes == [0xa0, 3, 2, 1, 2])
        .unwrap();
    der[version + 4] = 0;
    for message in refusals(root.der(), &der.into()) {
        assert!(message.contains("X.509 version 1"), "{message}");
    }
    for message in refusals(root.der(), &vec![0x30, 3, 2, 1, 1].into()) {
        assert!(message.contains("malformed"), "{message}");
    }
}

#[test]
fn errors_of_a_platform_are_unwrapped_and_shown_safely() {
    let other = |error: Arc<dyn StdError + Send + Sync>| explain(&Reason::Other(OtherError(error)));
    let wrapped = TlsError::InvalidCertificate(Reason::UnknownIssuer);
    assert!(other(Arc::new(wrapped)).contains("does not lead to a trusted root"));
    assert!(other(Arc::new(PathError::PathLenConstraintViolated)).contains("path length"));
    let text = format!("“x” is\u{1b}[31m `bad`\n{}", "x".repeat(500));
    let message = other(Arc::from(Box::<dyn StdError + Send + Sync>::from(text)));
    assert!(
        message.contains("by this system: ?x? is?[31m 'bad'?xxx"),
        "{message}"
    );
    assert!(
        message.len() < 300 && !message.contains('\u{1b}'),
        "{message}"
    );
}

#[test]
fn no_sentence_shows_a_name_of_rust() {
    use PathError as P;

    for error in [
        P::BadDer,
        P::CaUsedAsEndEntity,
        P::CertDistrusted,
        P::EmptyEkuExtension,
        P::EndEntityUsedAsCa,
        P::ExtensionValueInvalid,
        P::InvalidNetworkMaskConstraint,
        P::InvalidSerialNumber,
        P::IssuerNotCrlSigner,
        P::MalformedDnsIdentifier,
        P::MalformedExtensions,
        P::MalformedNameConstraint,
        P::MaximumNameConstraintComparisonsExceeded,
        P::MaximumPathBuildCallsExceeded,
        P::MaximumPathDepthExceeded,
        P::MaximumSignatureChecksExceeded,
        P::NameConstraintViolation,
        P::PathLenConstraintViolated,
        P::SignatureAlgorithmMismatch,
        P::UnsupportedCertVersion,
        P::UnsupportedCriticalExtension,
        P::UnsupportedDeltaCrl,
        P::UnsupportedNameType,
    ] {
        let message = of_path(&error);
        assert!(
            !message.contains(&format!("{error:?}")) && message.contains("certificate"),
            "{message}"
        );
    }
}

#[test]
fn an_address_that_is_named_as_a_host_is_explained() {
    let said = of_name("127.0.0.1", &["DnsName(\"127.0.0.1\")".to_owned()]);
    assert!(said.contains("type IP"), "{said}");
}
