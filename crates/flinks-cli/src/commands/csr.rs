//! `flinks csr`: creates a private key and a certificate signing request, new or for a renewal.

mod der;
mod key_type;
mod request;
mod subject;

use std::path::Path;

use serde_json::json;

pub(crate) use key_type::KeyType;

use self::request::Request;
use crate::arguments::{Csr, Flags};
use crate::context::Context;
use crate::output::Output;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::text::{shown_path, wrapped};
use crate::settings::{Given, certificate_in, not_set, table};
use crate::state::files::{self, Existing};

/// Creates both files, or neither.
pub(crate) fn run(arguments: &Csr, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
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
    let (request, key_type) = request(arguments, context)?;
    let Some(key) = key_type.generate() else {
        return Err(CliError::settings(format!(
            "this build of flinks makes no RSA keys; this command makes the key and the request: {}",
            key_type.openssl_command(&request, &arguments.out)
        )));
    };
    let signed = key.and_then(|key| Ok((key.serialize_pem(), request.sign(&key, key_type)?)));
    let (key, csr) = signed
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
    output.text(&text(&key_path, &csr_path, key_type, output))?;
    output.object(&json!({
        "key": key_path.to_string_lossy(),
        "csr": csr_path.to_string_lossy(),
        "common_name": request.subject.common_name(),
        "key_type": key_type.name(),
    }))?;
    Ok(Exit::Done)
}

/// Returns what to request, and for which type of key.
fn request(arguments: &Csr, context: &Context) -> Result<(Request, KeyType), CliError> {
    let Some(renewed) = &arguments.renew else {
        let request = Request {
            subject: subject::Subject::default().with_options(arguments)?,
            alternative_names: None,
        };
        return Ok((request, arguments.key.unwrap_or_default()));
    };
    let source = context.source()?;
    let given = match renewed {
        Some(path) => Some(Given::new("--renew", path.clone())),
        None => source.path(&table::CERT, &Flags::default())?,
    };
    let given = given.ok_or_else(|| not_set(&["FLINKS_CERT"]))?;
    let certificate = certificate_in(&given, source.secret(&table::CERT_PASSWORD)?.as_ref())?;
    let renewal = Request::renewal(&certificate);
    let (request, key_type) = renewal.ok_or_else(|| given.invalid("its subject cannot be read"))?;
    let key_type = arguments.key.or(key_type).ok_or_else(|| {
        given.invalid("keys of its type cannot be made: choose another type with --key")
    })?;
    let request = Request {
        subject: request.subject.with_options(arguments)?,
        ..request
    };
    Ok((request, key_type))
}

fn text(key: &Path, csr: &Path, key_type: KeyType, output: Output) -> String {
    let (key, csr) = (shown_path(key), shown_path(csr));
    let columns = output.columns().unwrap_or(usize::MAX);
    let next = "Send the request to Flinks (help-integration@flinks.com). Keep the key on this machine.\n\
                When Flinks returns the certificate, set";
    format!(
        "{}  {key}   ({}, only you can read it)\n{}  {csr}\n\n{}  \
         FLINKS_CERT=<the certificate>  FLINKS_KEY={key}\n\
         and check both with: flinks doctor\n",
        output.bold("private key        "),
        key_type.name(),
        output.bold("certificate request"),
        wrapped(next, 0, columns),
    )
}
