//! `flinks csr`: creates a private key and a certificate signing request.

use std::path::Path;

use rcgen::string::PrintableString;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, PKCS_ECDSA_P256_SHA256,
};
use serde_json::json;

use crate::arguments::Csr;
use crate::output::Output;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::text::shown_path;
use crate::state::files::{self, Existing};

/// Creates both files, or neither.
pub(crate) fn run(arguments: &Csr, output: Output) -> Result<Exit, CliError> {
    let (key_path, csr_path) = (
        arguments.out.join("client.key"),
        arguments.out.join("client.csr"),
    );
    for path in [&key_path, &csr_path] {
        if path.symlink_metadata().is_ok() {
            return Err(CliError::settings(format!(
                "{} exists in the folder of --out, and is never overwritten, because a certificate is \
                 useless without its key: choose another folder",
                path.file_name().unwrap_or_default().display()
            )));
        }
    }
    let subject = subject(arguments)?;
    let (key, csr) = make(subject)
        .map_err(|error| CliError::settings(format!("the request cannot be created: {error}")))?;

    files::make_folder(&arguments.out)
        .map_err(|error| CliError::disk("the folder (--out)", &error))?;
    files::write(&key_path, key.as_bytes(), Existing::Keep)
        .map_err(|error| CliError::disk("the private key in the folder of --out", &error))?;
    if let Err(error) = files::write(&csr_path, csr.as_bytes(), Existing::Keep) {
        drop(std::fs::remove_file(&key_path));
        return Err(CliError::disk(
            "the certificate request in the folder of --out",
            &error,
        ));
    }
    output.text(&text(&key_path, &csr_path, output))?;
    output.object(&json!({
        "key": key_path.to_string_lossy(),
        "csr": csr_path.to_string_lossy(),
        "common_name": arguments.common_name,
    }))?;
    Ok(Exit::Done)
}

fn text(key: &Path, csr: &Path, output: Output) -> String {
    let shown = |path: &Path| shown_path(path);
    let (key, csr) = (shown(key), shown(csr));
    format!(
        "{}  {key}   (P-256, only you can read it)\n{}  {csr}\n\n\
         Send the request to Flinks (help-integration@flinks.com). Keep the key on this machine.\n\
         When Flinks returns the certificate, set\n  \
         FLINKS_CERT=<the certificate>  FLINKS_KEY={key}\n\
         and check both with: flinks doctor\n",
        output.bold("private key        "),
        output.bold("certificate request"),
    )
}

/// Returns the private key (PKCS#8) and the request, both as PEM.
fn make(subject: DistinguishedName) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = subject;
    let csr = parameters.serialize_request(&key)?.pem()?;
    Ok((key.serialize_pem(), csr))
}

fn subject(arguments: &Csr) -> Result<DistinguishedName, CliError> {
    let mut subject = DistinguishedName::new();
    if let Some(country) = &arguments.country {
        let code = country.to_ascii_uppercase();
        let valid = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        let printable = PrintableString::try_from(code).ok().filter(|_| valid);
        let code = printable.ok_or_else(|| {
            CliError::settings("--country takes a two-letter code, such as CA or US")
        })?;
        subject.push(DnType::CountryName, DnValue::PrintableString(code));
    }
    let names = [
        (
            DnType::StateOrProvinceName,
            "--state",
            arguments.state.as_ref(),
            128,
        ),
        (
            DnType::LocalityName,
            "--locality",
            arguments.locality.as_ref(),
            128,
        ),
        (
            DnType::OrganizationName,
            "--organization",
            arguments.organization.as_ref(),
            64,
        ),
        (
            DnType::OrganizationalUnitName,
            "--organizational-unit",
            arguments.organizational_unit.as_ref(),
            64,
        ),
        (
            DnType::CommonName,
            "--common-name",
            Some(&arguments.common_name),
            64,
        ),
    ];
    for (kind, flag, value, limit) in names {
        let Some(value) = value else { continue };
        // The upper bounds of RFC 5280: CAs refuse longer names.
        let length = value.chars().count();
        if value.trim().is_empty() || length > limit || value.chars().any(char::is_control) {
            return Err(CliError::settings(format!(
                "{flag} takes 1 to {limit} characters without control characters"
            )));
        }
        subject.push(kind, value.as_str());
    }
    Ok(subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(country: &str, organization: &str) -> Csr {
        Csr {
            out: "unused".into(),
            common_name: "lender.example".to_owned(),
            organization: Some(organization.to_owned()),
            organizational_unit: None,
            country: Some(country.to_owned()),
            state: None,
            locality: None,
        }
    }

    #[test]
    fn names_that_no_authority_takes_are_refused() {
        assert!(subject(&arguments("ca", "Zoë's Loans")).is_ok());
        for country in ["", "C", "CAN", "1A", "é"] {
            assert!(subject(&arguments(country, "Loans")).is_err(), "{country}");
        }
        for organization in ["", "  ", "a\nb", &"x".repeat(65)] {
            assert!(
                subject(&arguments("CA", organization)).is_err(),
                "{organization:?}"
            );
        }
    }
}
