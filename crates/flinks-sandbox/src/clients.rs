//! Macros that build the clients of a sandbox. They expand in the caller's crate, so that this crate
//! depends on none of the client crates.

/// Builds the `flinks_upload::UploadClient` of a [`Sandbox`](crate::Sandbox), with its certificate
/// and credentials.
///
/// The calling crate needs `flinks-upload`. A second argument is a `TransportBuilder` with layers,
/// retries or timeouts to test; the identity and the roots are added to it.
///
/// ```ignore
/// let sandbox = Sandbox::start().await?;
/// let uploads = flinks_sandbox::upload_client!(sandbox)?;
///
/// let transport = flinks_upload::Transport::builder().timeout(Duration::from_secs(1));
/// let impatient = flinks_sandbox::upload_client!(sandbox, transport)?;
/// ```
///
/// Returns `Result<UploadClient, Box<dyn Error + Send + Sync>>`.
#[macro_export]
macro_rules! upload_client {
    ($sandbox:expr $(,)?) => {
        $crate::upload_client!($sandbox, ::flinks_upload::Transport::builder())
    };
    ($sandbox:expr, $transport:expr $(,)?) => {{
        let (sandbox, transport): (&$crate::Sandbox, _) = (&$sandbox, $transport);
        let client = || -> ::core::result::Result<_, ::flinks_upload::BoxError> {
            let (cert, key) = (sandbox.client_cert_pem(), sandbox.client_key_pem());
            let identity =
                ::flinks_upload::ClientIdentity::from_pem(cert.as_bytes(), key.as_bytes())?;
            let roots = ::flinks_upload::Roots::pem(sandbox.ca_pem().as_bytes())?;
            ::core::result::Result::Ok(::flinks_upload::UploadClient::with_endpoint(
                transport.identity(identity).roots(roots).build()?,
                ::flinks_upload::Endpoint::new(sandbox.upload_url())?,
                ::flinks_upload::Paths::default(),
                ::flinks_upload::ClientCredentials::new(
                    sandbox.client_id(),
                    sandbox.client_secret(),
                ),
            )?)
        };
        client()
    }};
}

/// Builds the `flinks_fraud::FraudClient` of a [`Sandbox`](crate::Sandbox), with its API secret.
///
/// The calling crate needs `flinks-fraud`. A second argument is a `TransportBuilder`, as in
/// [`upload_client!`](crate::upload_client).
///
/// ```ignore
/// let verdict = flinks_sandbox::fraud_client!(sandbox)?.analysis(&login_id).await?.verdict();
/// ```
///
/// Returns `Result<FraudClient, Box<dyn Error + Send + Sync>>`.
#[macro_export]
macro_rules! fraud_client {
    ($sandbox:expr $(,)?) => {
        $crate::fraud_client!($sandbox, ::flinks_fraud::Transport::builder())
    };
    ($sandbox:expr, $transport:expr $(,)?) => {{
        let (sandbox, transport): (&$crate::Sandbox, _) = (&$sandbox, $transport);
        let client = || -> ::core::result::Result<_, ::flinks_fraud::BoxError> {
            let roots = ::flinks_fraud::Roots::pem(sandbox.ca_pem().as_bytes())?;
            ::core::result::Result::Ok(::flinks_fraud::FraudClient::new(
                transport.roots(roots).build()?,
                ::flinks_fraud::Endpoint::new(sandbox.results_url())?,
                ::flinks_fraud::CustomerId::new(sandbox.customer_id())?,
                ::flinks_fraud::ApiSecret::new(sandbox.api_secret()),
            )?)
        };
        client()
    }};
}

/// Builds the `flinks_legacy::LegacyClient` of a [`Sandbox`](crate::Sandbox), with the keys that it
/// requires.
///
/// The calling crate needs `flinks-legacy`. A second argument is a `TransportBuilder`, as in
/// [`upload_client!`](crate::upload_client).
///
/// ```ignore
/// let login = Credentials::new("FlinksCapital", "greatday_nomfa", "Everyday");
/// let session = flinks_sandbox::legacy_client!(sandbox)?.authorize(login).await?;
/// ```
///
/// Returns `Result<LegacyClient, Box<dyn Error + Send + Sync>>`.
#[macro_export]
macro_rules! legacy_client {
    ($sandbox:expr $(,)?) => {
        $crate::legacy_client!($sandbox, ::flinks_legacy::Transport::builder())
    };
    ($sandbox:expr, $transport:expr $(,)?) => {{
        let (sandbox, transport): (&$crate::Sandbox, _) = (&$sandbox, $transport);
        let client = || -> ::core::result::Result<_, ::flinks_legacy::BoxError> {
            let roots = ::flinks_legacy::Roots::pem(sandbox.ca_pem().as_bytes())?;
            let secret = ::flinks_legacy::ApiSecret::new(sandbox.api_secret());
            let mut keys = ::flinks_legacy::LegacyKeys::new().api_secret(secret);
            if let ::core::option::Option::Some(key) = sandbox.auth_key() {
                keys = keys.auth_key(key);
            }
            if let ::core::option::Option::Some(key) = sandbox.x_api_key() {
                keys = keys.x_api_key(key);
            }
            ::core::result::Result::Ok(::flinks_legacy::LegacyClient::new(
                transport.roots(roots).build()?,
                ::flinks_legacy::Endpoint::new(sandbox.results_url())?,
                ::flinks_legacy::CustomerId::new(sandbox.customer_id())?,
                keys,
            )?)
        };
        client()
    }};
}
