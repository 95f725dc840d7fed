//! `auth.token`, `upload.file`, `upload.complete` and the flow `upload.session`: inputs, calls, canonical outputs.

use flinks_auth::{AccessToken, TokenRequest};
use flinks_transport::{Endpoint, Error};
use flinks_types::{AggregationId, CompleteResponse, UploadResponse};
use flinks_upload::{
    Complete, Completed, FileLedger, OnUnknown, Paths, UploadClient, UploadError, UploadErrorKind,
    UploadFile,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::document::DocumentInput;
use super::{Codec, Outcome, Stack, call, described};
use crate::keys::Keys;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct TokenInput {
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

impl TokenInput {
    fn operation(&self, endpoint: &Endpoint, keys: &Keys) -> Result<TokenRequest, Error> {
        let mut keys = keys.clone();
        if let Some(id) = &self.client_id {
            keys.client_id.clone_from(id);
        }
        if let Some(secret) = &self.client_secret {
            keys.client_secret = secret.as_str().into();
        }
        if self.scope.is_some() {
            keys.scope.clone_from(&self.scope);
        }
        let url = endpoint.path(keys.paths.token())?;
        Ok(TokenRequest::new(url, keys.client()))
    }

    pub(super) fn codec(&self, endpoint: &Endpoint) -> Result<Box<dyn Codec>, Error> {
        described(self.operation(endpoint, &Keys::standard())?, token)
    }

    pub(super) async fn run(&self, stack: &Stack) -> Outcome {
        match self.operation(&stack.endpoint, &stack.keys) {
            Ok(operation) => call(&stack.transport, operation, token).await,
            Err(error) => Outcome::failed(error),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct FileInput {
    file: DocumentInput,
    #[serde(default)]
    aggregation_id: Option<AggregationId>,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    client_name: Option<String>,
    #[serde(default)]
    paths: Option<String>,
}

impl FileInput {
    fn operation(&self, endpoint: &Endpoint, keys: &Keys) -> Result<UploadFile, Error> {
        let url = endpoint.path(paths(self.paths.as_deref(), keys)?.upload())?;
        let document = self.file.open()?;
        let operation = match self.aggregation_id.clone() {
            None => UploadFile::first(url, document),
            Some(id) => UploadFile::next(url, document, id),
        };
        Ok(operation
            .tag(self.tag.clone())
            .client_name(self.client_name.clone()))
    }

    pub(super) fn content(&self) -> String {
        self.file.content_text()
    }

    pub(super) fn codec(&self, endpoint: &Endpoint) -> Result<Box<dyn Codec>, Error> {
        described(self.operation(endpoint, &Keys::standard())?, uploaded)
    }

    pub(super) async fn run(&self, stack: &Stack) -> Outcome {
        let transport = stack.with_credentials();
        let operation = self.operation(&stack.endpoint, &stack.keys);
        match transport.and_then(|transport| Ok((transport, operation?))) {
            Ok((transport, operation)) => call(&transport, operation, uploaded).await,
            Err(error) => Outcome::failed(error),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct CompleteInput {
    aggregation_id: AggregationId,
    #[serde(default)]
    paths: Option<String>,
}

impl CompleteInput {
    fn operation(&self, endpoint: &Endpoint, keys: &Keys) -> Result<Complete, Error> {
        let url = endpoint.path(paths(self.paths.as_deref(), keys)?.complete())?;
        Ok(Complete::new(url, self.aggregation_id.clone()))
    }

    pub(super) fn codec(&self, endpoint: &Endpoint) -> Result<Box<dyn Codec>, Error> {
        described(self.operation(endpoint, &Keys::standard())?, completed)
    }

    pub(super) async fn run(&self, stack: &Stack) -> Outcome {
        let transport = stack.with_credentials();
        let operation = self.operation(&stack.endpoint, &stack.keys);
        match transport.and_then(|transport| Ok((transport, operation?))) {
            Ok((transport, operation)) => call(&transport, operation, completed).await,
            Err(error) => Outcome::failed(error),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(crate) struct SessionInput {
    files: Vec<DocumentInput>,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    client_name: Option<String>,
    #[serde(default)]
    on_unknown: Policy,
    #[serde(default)]
    concurrency: Option<usize>,
    #[serde(default)]
    paths: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Policy {
    #[default]
    Restart,
    Stop,
    Resend,
}

impl SessionInput {
    pub(super) fn contents(&self) -> Vec<String> {
        self.files.iter().map(DocumentInput::content_text).collect()
    }

    pub(super) async fn run(&self, stack: &Stack) -> Outcome {
        let documents: Result<Vec<_>, _> = self.files.iter().map(DocumentInput::open).collect();
        let paths = paths(self.paths.as_deref(), &stack.keys);
        let client = paths.and_then(|paths| client(stack, paths));
        let (client, documents) = match (client, documents) {
            (Ok(client), Ok(documents)) => (client, documents),
            (Err(error), _) => return Outcome::failed(error),
            (_, Err(error)) => return Outcome::session_failed(&error),
        };
        let mut session = client.session().on_unknown(match self.on_unknown {
            Policy::Restart => OnUnknown::Restart,
            Policy::Stop => OnUnknown::Stop,
            Policy::Resend => OnUnknown::Resend,
        });
        if let Some(files) = self.concurrency {
            session = session.concurrency(files);
        }
        if let Some(tag) = &self.tag {
            session = session.tag(tag);
        }
        if let Some(name) = &self.client_name {
            session = session.client_name(name);
        }
        let (folder, ledger) = match ledger() {
            Ok(made) => made,
            Err(error) => return Outcome::session_failed(&error),
        };
        let path = ledger.path().to_owned();
        let outcome = match session.ledger(ledger).upload(documents).await {
            Ok(done) => Outcome::ok(session_done(&done), &done),
            Err(error) => Outcome::session_failed(&error),
        };
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        drop(folder);
        outcome.showing("the ledger", kept)
    }
}

/// A ledger in a folder of its own: every session of the corpus writes one, and it is searched for secrets.
fn ledger() -> Result<(TempDir, FileLedger), UploadError> {
    let folder = tempfile::tempdir().map_err(|error| {
        let message = "there is no place for a ledger";
        UploadError::new(UploadErrorKind::Ledger, message).with_source(error)
    })?;
    let ledger = FileLedger::create(folder.path().join("ledger"))?;
    Ok((folder, ledger))
}

/// The paths that the case asks for, or those of the host.
fn paths(preset: Option<&str>, keys: &Keys) -> Result<Paths, Error> {
    preset.map_or_else(|| Ok(keys.paths.clone()), str::parse)
}

/// The real client of the upload host.
pub(super) fn client(stack: &Stack, paths: Paths) -> Result<UploadClient, Error> {
    UploadClient::at(
        stack.transport.clone(),
        stack.keys.client(),
        stack.endpoint.clone(),
        paths,
    )
}

fn token(token: &AccessToken) -> Value {
    json!({ "lifetime_s": token.lifetime().map(|lifetime| lifetime.as_secs()) })
}

fn uploaded(answer: &UploadResponse) -> Value {
    json!({
        "http_status_code": answer.http_status_code,
        "aggregation_id": answer.aggregation_id.as_ref().map(AggregationId::as_str),
        "message": answer.message,
    })
}

fn completed(answer: &CompleteResponse) -> Value {
    json!({
        "http_status_code": answer.http_status_code,
        "aggregation_id": answer.aggregation_id.as_ref().map(AggregationId::as_str),
        "login_id": answer.login_id.as_ref().map(flinks_types::LoginId::as_str),
        "message": answer.message,
    })
}

fn session_done(done: &Completed) -> Value {
    let abandoned: Vec<_> = done.abandoned.iter().map(AggregationId::as_str).collect();
    let files: Vec<_> = done.files.iter().map(|file| &file.file_name).collect();
    json!({
        "aggregation_id": done.aggregation_id.as_str(),
        "login_id": done.login_id.as_str(),
        "files": files,
        "abandoned": abandoned,
        "abandoned_unnamed": done.abandoned_unnamed,
    })
}
