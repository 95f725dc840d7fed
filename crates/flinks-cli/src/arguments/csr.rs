//! The options of `flinks csr`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::help::examples_of;
use crate::commands::csr::KeyType;

#[derive(Args, Debug, Default)]
#[command(after_help = after_help())]
pub(crate) struct Csr {
    /// Write client.key and client.csr to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Type of the new private key [default: ec, or as in the renewed certificate]
    #[arg(long, value_name = "TYPE")]
    pub(crate) key: Option<KeyType>,
    /// Take names and key type from this certificate, with a new key [default: FLINKS_CERT]
    #[arg(long, value_name = "CERT", num_args = 0..=1)]
    pub(crate) renew: Option<Option<PathBuf>>,
    /// Name of your organization or application (CN)
    #[arg(long, value_name = "NAME", required_unless_present = "renew")]
    pub(crate) common_name: Option<String>,
    /// Organization (O)
    #[arg(long, value_name = "NAME")]
    pub(crate) organization: Option<String>,
    /// Organizational unit (OU)
    #[arg(long, value_name = "NAME")]
    pub(crate) organizational_unit: Option<String>,
    /// Two-letter country code (C)
    #[arg(long, value_name = "CODE")]
    pub(crate) country: Option<String>,
    /// State or province (ST)
    #[arg(long, value_name = "NAME")]
    pub(crate) state: Option<String>,
    /// City (L)
    #[arg(long, value_name = "NAME")]
    pub(crate) locality: Option<String>,
}

fn after_help() -> String {
    let examples = examples_of(&[
        "flinks csr --out certificate --common-name lender.example --country CA",
        "flinks csr --out renewed --renew client.pem",
    ]);
    format!("{FURTHER_HELP}\n\n{examples}")
}

const FURTHER_HELP: &str = "\
--renew reads FLINKS_CERT, and FLINKS_CERT_PASSWORD if that file is encrypted. docs/certificates.md in \
the repository of flinks-rs describes how to get, install, renew and revoke the client certificate.";
