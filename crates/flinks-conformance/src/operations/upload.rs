//! `auth.token`, `upload.file`, `upload.complete` and the flow `upload.session`.

use flinks_auth::{AccessToken, TokenRequest};
use flinks_transport::{Endpoint, Error, Transport};
use flinks_types::{AggregationId, CompleteResponse, UploadResponse};
use flinks_upload::{
    Complete, Completed, FileLedger, OnUnknown, Paths, UploadClient, UploadError, UploadErrorKind,
    UploadFile,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::document::DocumentInput;
use super::{CaseCall, Host, Outcome, Running, Single, Stack, answer, set};
use crate::keys::Keys;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenInput {
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
}

impl Single for TokenInput {
    type Operation = TokenRequest;

    const HOST: Host = Host::Upload;
    const IS_TOKEN: bool = true;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<TokenRequest, Error> {
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

    fn transport(stack: &Stack) -> Result<Transport, Error> {
        Ok(stack.transport.clone())
    }

    fn canonical(token: &AccessToken) -> Value {
        json!({ "lifetime_s": token.lifetime().map(|lifetime| lifetime.as_secs()) })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileInput {
    file: DocumentInput,
    aggregation_id: Option<AggregationId>,
    tag: Option<String>,
    client_name: Option<String>,
    paths: Option<String>,
}

impl Single for FileInput {
    type Operation = UploadFile;

    const HOST: Host = Host::Upload;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<UploadFile, Error> {
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

    fn transport(stack: &Stack) -> Result<Transport, Error> {
        let client = client(stack, stack.keys.paths.clone())?;
        Ok(client.transport().clone())
    }

    fn canonical(uploaded: &UploadResponse) -> Value {
        answer(uploaded)
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.file.content_text()]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompleteInput {
    aggregation_id: AggregationId,
    paths: Option<String>,
}

impl Single for CompleteInput {
    type Operation = Complete;

    const HOST: Host = Host::Upload;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<Complete, Error> {
        let url = endpoint.path(paths(self.paths.as_deref(), keys)?.complete())?;
        Ok(Complete::new(url, self.aggregation_id.clone()))
    }

    fn transport(stack: &Stack) -> Result<Transport, Error> {
        FileInput::transport(stack)
    }

    fn canonical(completed: &CompleteResponse) -> Value {
        answer(completed)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionInput {
    files: Vec<DocumentInput>,
    tag: Option<String>,
    client_name: Option<String>,
    #[serde(default)]
    on_unknown: Policy,
    concurrency: Option<usize>,
    paths: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Policy {
    #[default]
    Restart,
    Stop,
    Resend,
}

impl CaseCall for SessionInput {
    fn host(&self) -> Host {
        Host::Upload
    }

    fn secrets(&self) -> Vec<String> {
        self.files.iter().map(DocumentInput::content_text).collect()
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(self.upload(stack))
    }
}

impl SessionInput {
    async fn upload(&self, stack: &Stack) -> Outcome {
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
        session = set(session, &self.concurrency, |session, files| {
            session.concurrency(files)
        });
        session = set(session, &self.tag, |session, tag| session.tag(tag));
        session = set(session, &self.client_name, |session, name| {
            session.client_name(name)
        });
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

/// The paths that the case requires, or those of the host.
fn paths(preset: Option<&str>, keys: &Keys) -> Result<Paths, Error> {
    preset.map_or_else(|| Ok(keys.paths.clone()), str::parse)
}

/// The real client of the upload host.
fn client(stack: &Stack, paths: Paths) -> Result<UploadClient, Error> {
    UploadClient::with_endpoint(
        stack.transport.clone(),
        stack.endpoint.clone(),
        paths,
        stack.keys.client(),
    )
}

fn session_done(done: &Completed) -> Value {
    let abandoned: Vec<_> = done.abandoned.iter().map(AggregationId::as_str).collect();
    let files: Vec<_> = done.files.iter().map(|file| &file.file_name).collect();
    json!({
        "aggregation_id": done.aggregation_id.as_str(),
        "login_id": done.login_id.as_str(),
        "files": files,
        "abandoned": abandoned,
        "abandoned_unnamed": done.abandoned_unknown,
    })
}
