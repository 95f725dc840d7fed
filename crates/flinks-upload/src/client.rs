//! The client of the upload host: its endpoint, paths, credentials and limits.

use std::sync::Arc;

use flinks_auth::{AuthLayer, ClientCredentials, OAuth, TokenRequest};
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

/// Uploads documents for one OAuth client.
///
/// Cheap to clone; clones share the connections and the token.
///
/// ```
/// use flinks_upload::{ClientCredentials, Limits, Transport, UploadClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A real transport also needs the client certificate: `.identity(…)`.
/// let transport = Transport::builder().build()?;
/// let credentials = ClientCredentials::new("client-id", "client-secret");
/// let uploads = UploadClient::new(transport, credentials)?
///     .with_limits(Limits::default().with_max_file_bytes(10 << 20));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct UploadClient(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    /// Adds the token to each request.
    transport: Transport,
    /// Adds no credentials: for the token request.
    token_transport: Transport,
    credentials: ClientCredentials,
    endpoint: Endpoint,
    paths: Paths,
    urls: Urls,
    limits: Limits,
}

#[derive(Clone, Debug)]
struct Urls {
    token: Uri,
    upload: Uri,
    complete: Uri,
}

/// What a ledger must agree with before its upload is resumed.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct LedgerOwner {
    pub(crate) host: String,
    pub(crate) paths: String,
    /// A checksum of the client id.
    pub(crate) client: String,
}

impl UploadClient {
    /// The production host. Source: Upload guide, "Base URL".
    pub const DEFAULT_HOST: &str = "upload-mtls.flinksapp.com";

    /// Builds a client for [`DEFAULT_HOST`](Self::DEFAULT_HOST). `transport` must present the client
    /// certificate.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](flinks_transport::ErrorKind::Config): the credentials cannot be sent.
    pub fn new(transport: Transport, credentials: ClientCredentials) -> Result<Self, Error> {
        let endpoint = Endpoint::from_static_host(Self::DEFAULT_HOST);
        Self::with_endpoint(transport, endpoint, Paths::default(), credentials)
    }

    /// Builds a client for another host or other paths, such as those of a sandbox.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](flinks_transport::ErrorKind::Config): a path is not valid, or the
    /// credentials cannot be sent.
    pub fn with_endpoint(
        transport: Transport,
        endpoint: Endpoint,
        paths: Paths,
        credentials: ClientCredentials,
    ) -> Result<Self, Error> {
        let urls = Urls {
            token: endpoint.path(&paths.token)?,
            upload: endpoint.path(&paths.upload)?,
            complete: endpoint.path(&paths.complete)?,
        };
        let oauth = OAuth::new(&transport, urls.token.clone(), credentials.clone())?;
        Ok(Self(Arc::new(Inner {
            transport: transport.with_credentials(AuthLayer::new(oauth)),
            token_transport: transport,
            credentials,
            endpoint,
            paths,
            urls,
            limits: Limits::default(),
        })))
    }

    /// Replaces the limits that documents are checked against.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        Arc::make_mut(&mut self.0).limits = limits;
        self
    }

    /// The limits that documents are checked against.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Begins a session. Nothing is sent until a document is added.
    pub fn session(&self) -> UploadSession {
        UploadSession::new(self.clone())
    }

    /// Resumes the upload that a ledger describes. Nothing is sent until the session is completed.
    ///
    /// The documents are opened again by their paths; a file that changed restarts the session.
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

    /// Sends one file: a single call, for applications that keep the rules of a session themselves.
    ///
    /// *Effect:* the file joins the session of `aggregation_id`, or begins a new one. Sent twice it is
    /// in the session twice.
    pub fn upload_file(
        &self,
        document: Document,
        aggregation_id: Option<AggregationId>,
    ) -> Call<UploadFile> {
        self.send(self.file_request(document, aggregation_id))
    }

    /// Completes a session: a single call, for applications that keep the rules of a session
    /// themselves.
    ///
    /// *Effect:* processing starts. What a second call does is not documented.
    pub fn complete(&self, aggregation_id: AggregationId) -> Call<Complete> {
        let url = self.0.urls.complete.clone();
        self.0.transport.call(Complete::new(url, aggregation_id))
    }

    /// Fetches a token without using the cache, to check a setup.
    pub fn token(&self) -> Call<TokenRequest> {
        let (url, credentials) = (self.0.urls.token.clone(), self.0.credentials.clone());
        self.0
            .token_transport
            .call(TokenRequest::new(url, credentials))
    }

    /// The transport that adds the token to each request, for operations of your own.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.0.transport
    }

    pub(crate) fn file_request(
        &self,
        document: Document,
        aggregation_id: Option<AggregationId>,
    ) -> UploadFile {
        let url = self.0.urls.upload.clone();
        match aggregation_id {
            None => UploadFile::first(url, document),
            Some(id) => UploadFile::next(url, document, id),
        }
    }

    pub(crate) fn send(&self, operation: UploadFile) -> Call<UploadFile> {
        self.0.transport.call(operation)
    }

    pub(crate) fn ledger_owner(&self) -> LedgerOwner {
        LedgerOwner {
            host: self.0.endpoint.to_string(),
            paths: self.0.paths.to_string(),
            client: checksum(self.0.credentials.client_id().as_bytes()),
        }
    }
}
