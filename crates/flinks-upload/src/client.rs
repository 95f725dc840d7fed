//! The upload host: where it is, whose it is, and what it accepts.

use std::sync::Arc;

use flinks_auth::{AuthLayer, ClientCredentials, OAuth};
use flinks_transport::{Call, Endpoint, Error, Transport};
use flinks_types::AggregationId;
use http::Uri;

use crate::document::Document;
use crate::error::UploadError;
use crate::ledger::{Ledger, LedgerEntry, checksum};
use crate::limits::Limits;
use crate::operation::{Complete, UploadFile};
use crate::paths::Paths;
use crate::session::UploadSession;

/// Upload guide, "Base URL".
const HOST: &str = "upload-mtls.flinksapp.com";

/// Uploads documents for one OAuth client.
///
/// Cheap to clone; clones share the connections and the token.
#[derive(Clone, Debug)]
pub struct UploadClient(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    bare: Transport,
    transport: Transport,
    credentials: ClientCredentials,
    endpoint: Endpoint,
    paths: Paths,
    upload: Uri,
    complete: Uri,
    limits: Limits,
}

impl UploadClient {
    /// A client of `upload-mtls.flinksapp.com`. `transport` must present the client certificate.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](flinks_transport::ErrorKind::Config): the credentials cannot be sent.
    pub fn new(transport: Transport, credentials: ClientCredentials) -> Result<Self, Error> {
        Self::at(
            transport,
            credentials,
            Endpoint::from_static_host(HOST),
            Paths::default(),
        )
    }

    /// A client of another host or other paths: a sandbox, or a host that Flinks named to you.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](flinks_transport::ErrorKind::Config): a path is none, or the
    /// credentials cannot be sent.
    pub fn at(
        transport: Transport,
        credentials: ClientCredentials,
        endpoint: Endpoint,
        paths: Paths,
    ) -> Result<Self, Error> {
        let token = endpoint.path(&paths.token)?;
        let (upload, complete) = (
            endpoint.path(&paths.upload)?,
            endpoint.path(&paths.complete)?,
        );
        let layer = AuthLayer::new(OAuth::new(&transport, token, credentials.clone())?);
        Ok(Self(Arc::new(Inner {
            transport: transport.with_credentials(layer),
            bare: transport,
            credentials,
            endpoint,
            paths,
            upload,
            complete,
            limits: Limits::default(),
        })))
    }

    /// The same client with other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        Arc::make_mut(&mut self.0).limits = limits;
        self
    }

    /// Begins a session; nothing is sent until a document is added.
    pub fn session(&self) -> UploadSession {
        UploadSession::new(self.clone())
    }

    /// Goes on where the upload behind a ledger stopped; nothing is sent until it is awaited.
    ///
    /// The documents are opened again by their paths; a file that changed starts the session over.
    ///
    /// # Errors
    /// [`UploadErrorKind::Ledger`](crate::UploadErrorKind::Ledger): the ledger belongs to another
    /// host or client, or a document did not come from a file.
    /// [`UploadErrorKind::File`](crate::UploadErrorKind::File): a document is gone.
    pub fn resume(
        &self,
        ledger: impl Ledger + 'static,
        entries: &[LedgerEntry],
    ) -> Result<UploadSession, UploadError> {
        UploadSession::resume(self.clone(), Box::new(ledger), entries)
    }

    /// One file as a bare call, for those who keep the session's rules themselves.
    pub fn upload_file(
        &self,
        document: Document,
        aggregation_id: Option<AggregationId>,
    ) -> Call<UploadFile> {
        let url = self.0.upload.clone();
        self.0.transport.call(match aggregation_id {
            None => UploadFile::first(url, document),
            Some(id) => UploadFile::next(url, document, id),
        })
    }

    /// *complete* as a bare call, for those who keep the session's rules themselves.
    pub fn complete(&self, aggregation_id: AggregationId) -> Call<Complete> {
        self.0
            .transport
            .call(Complete::new(self.0.complete.clone(), aggregation_id))
    }

    /// Fetches a token as a bare call, apart from the cache: to check a set-up.
    pub fn token(&self) -> Call<flinks_auth::TokenRequest> {
        let url = self
            .0
            .endpoint
            .path(&self.0.paths.token)
            .unwrap_or_default();
        self.0.bare.call(flinks_auth::TokenRequest::new(
            url,
            self.0.credentials.clone(),
        ))
    }

    /// The transport that adds the token to each request, for operations of one's own.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.0.transport
    }

    pub(crate) fn send(&self, operation: UploadFile) -> Call<UploadFile> {
        self.0.transport.call(operation)
    }

    pub(crate) fn upload_url(&self) -> Uri {
        self.0.upload.clone()
    }

    pub(crate) fn check(&self) -> &Limits {
        &self.0.limits
    }

    /// What a ledger is recognised by: host, paths, and a checksum of the client id.
    pub(crate) fn identity(&self) -> (String, String, String) {
        let client = checksum(self.0.credentials.client_id().as_bytes());
        (self.0.endpoint.to_string(), self.0.paths.to_text(), client)
    }
}
