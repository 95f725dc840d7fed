//! The clients that a command calls: for the hosts of the settings, or for an embedded sandbox.

use std::sync::Arc;
use std::time::Duration;

use flinks_fraud::FraudClient;
use flinks_legacy::LegacyClient;
use flinks_sandbox::Sandbox;
use flinks_transport::{Endpoint, Error, Transport, TransportBuilder};
use flinks_types::Secret;
use flinks_upload::UploadClient;

use crate::arguments::Flags;
use crate::certificate_watch::{CertificateWatcher, file_states};
use crate::context::Context;
use crate::output::error::CliError;
use crate::output::write_stderr;
use crate::settings::{
    Given, Material, ProxyChoice, Settings, not_set, unknown_variables, without_roots,
};

/// How long the embedded sandbox takes for an analysis.
const PROCESSING: Duration = Duration::from_secs(2);

/// Builds the clients of one run.
pub(crate) struct Clients {
    pub(crate) settings: Arc<Settings>,
    /// Serves until it is dropped.
    sandbox: Option<Sandbox>,
}

impl Clients {
    /// Reads the settings, or starts the embedded sandbox.
    ///
    /// # Errors
    /// The settings contradict each other, or the sandbox cannot listen.
    pub(crate) async fn start(context: &Context, flags: &Flags) -> Result<Self, CliError> {
        let clients = Self::without_warnings(context, flags).await?;
        let settings = &clients.settings;
        for warning in settings.warnings.iter().chain(&settings.key_file_warning()) {
            write_stderr(&format!("warning: {warning}\n"));
        }
        Ok(clients)
    }

    /// As [`start`](Self::start), without printing the warnings about the settings.
    pub(crate) async fn without_warnings(
        context: &Context,
        flags: &Flags,
    ) -> Result<Self, CliError> {
        let clients = if context.sandbox {
            Self::of_sandbox(flags).await?
        } else {
            let mut settings = Settings::read(&context.source()?, flags)?;
            let names = std::env::vars_os().map(|(name, _)| name);
            settings.warnings.splice(..0, unknown_variables(names));
            Self {
                settings: Arc::new(settings),
                sandbox: None,
            }
        };
        if let Some(name) = clients.settings.proxy.name() {
            // A run starts its clients once.
            drop(context.proxy_setting.set(name.to_owned()));
        }
        Ok(clients)
    }

    async fn of_sandbox(flags: &Flags) -> Result<Self, CliError> {
        if flags.is_given() {
            return Err(CliError::settings(
                "--sandbox has its own hosts, certificates and credentials: remove the options for \
                 them",
            ));
        }
        let sandbox = Sandbox::builder().processing(PROCESSING).start().await;
        let sandbox = sandbox
            .map_err(|error| CliError::settings(format!("the sandbox cannot listen: {error}")))?;
        Ok(Self {
            settings: Arc::new(sandbox_settings(&sandbox)),
            sandbox: Some(sandbox),
        })
    }

    /// Returns a line about the embedded sandbox, if it is used.
    pub(crate) fn introduction(&self) -> Option<String> {
        let sandbox = self.sandbox.as_ref()?;
        Some(format!(
            "Embedded sandbox at {} (mutual TLS, throw-away certificate and credentials)",
            sandbox.upload_url()
        ))
    }

    /// Builds the client of the upload host, and the watcher of its client certificate.
    ///
    /// # Errors
    /// A setting is missing or not valid.
    pub(crate) fn upload(&self) -> Result<(UploadClient, CertificateWatcher), CliError> {
        require(&self.settings.missing_for_upload())?;
        let files = file_states(&self.settings);
        let transport = self.upload_builder()?.build().map_err(without_roots)?;
        let client = self.upload_over(transport.clone())?;
        let watcher = CertificateWatcher::new(&self.settings, files, transport);
        Ok((client, watcher))
    }

    /// Builds the client of the upload host over a transport.
    ///
    /// # Errors
    /// A setting is missing or not valid.
    pub(crate) fn upload_over(&self, transport: Transport) -> Result<UploadClient, CliError> {
        let settings = &self.settings;
        Ok(UploadClient::with_endpoint(
            transport,
            settings.upload_endpoint()?,
            settings.paths()?,
            settings.client_credentials()?,
        )?)
    }

    /// Builds the client of the fraud analysis.
    ///
    /// # Errors
    /// A setting is missing or not valid.
    pub(crate) fn fraud(&self) -> Result<FraudClient, CliError> {
        require(&self.settings.missing_for_results())?;
        self.fraud_over(self.results_transport()?)
    }

    /// Builds the client of the fraud analysis over a transport.
    ///
    /// # Errors
    /// A setting is missing or not valid.
    pub(crate) fn fraud_over(&self, transport: Transport) -> Result<FraudClient, CliError> {
        let settings = &self.settings;
        let (endpoint, customer) = (settings.results_endpoint()?, settings.customer_id()?);
        let secret = settings.api_secret()?;
        Ok(FraudClient::new(transport, endpoint, customer, secret)?)
    }

    /// Builds the client of the fraud analysis if `wanted`.
    ///
    /// # Errors
    /// As [`fraud`](Self::fraud).
    pub(crate) fn fraud_if(&self, wanted: bool) -> Result<Option<FraudClient>, CliError> {
        wanted.then(|| self.fraud()).transpose()
    }

    /// Builds the client of the legacy API.
    ///
    /// # Errors
    /// A setting is missing or not valid.
    pub(crate) fn legacy(&self) -> Result<LegacyClient, CliError> {
        require(&self.settings.missing_for_legacy())?;
        self.legacy_over(self.results_transport()?)
    }

    /// Builds the client of the legacy API over a transport.
    ///
    /// # Errors
    /// A setting is missing or not valid.
    pub(crate) fn legacy_over(&self, transport: Transport) -> Result<LegacyClient, CliError> {
        let settings = &self.settings;
        let (endpoint, customer) = (settings.results_endpoint()?, settings.customer_id()?);
        let keys = settings.legacy_keys();
        Ok(LegacyClient::new(transport, endpoint, customer, keys)?)
    }

    /// Builds a transport for the results host, which needs no client certificate.
    ///
    /// # Errors
    /// The root certificates cannot be read.
    pub(crate) fn results_transport(&self) -> Result<Transport, Error> {
        self.results_builder()?.build().map_err(without_roots)
    }

    /// Starts a transport for the upload host, with its client certificate.
    ///
    /// # Errors
    /// The certificate, its key or the root certificates cannot be read, or the base URL is not valid.
    pub(crate) fn upload_builder(&self) -> Result<TransportBuilder, Error> {
        let builder = Transport::builder()
            .identity(self.settings.identity()?)
            .roots(self.settings.roots()?);
        Ok(self.with_proxy(builder, &self.settings.upload_endpoint()?))
    }

    /// Starts a transport for the results host.
    ///
    /// # Errors
    /// The root certificates cannot be read.
    pub(crate) fn results_builder(&self) -> Result<TransportBuilder, Error> {
        let builder = Transport::builder().roots(self.settings.roots()?);
        Ok(match self.settings.results_endpoint() {
            Ok(endpoint) => self.with_proxy(builder, &endpoint),
            // Only the roots are checked.
            Err(_) => builder,
        })
    }

    fn with_proxy(&self, builder: TransportBuilder, endpoint: &Endpoint) -> TransportBuilder {
        let host = endpoint.authority();
        match self.settings.proxy_for(endpoint) {
            ProxyChoice::Proxy(given) => {
                tracing::info!(host, proxy = %given.value, setting = given.name(), "uses a proxy");
                builder.proxy(given.value)
            }
            ProxyChoice::Direct(Some(setting)) => {
                tracing::info!(host, setting, "uses no proxy");
                builder
            }
            ProxyChoice::Direct(None) => builder,
        }
    }
}

fn require(missing: &[&str]) -> Result<(), Error> {
    if missing.is_empty() {
        Ok(())
    } else {
        Err(not_set(missing))
    }
}

fn sandbox_settings(sandbox: &Sandbox) -> Settings {
    fn given<T>(value: T) -> Option<Given<T>> {
        Some(Given::new("the sandbox", value))
    }
    let text = |text: &str| given(text.to_owned());
    let pem = |text: &str| Some(Material::Memory(text.as_bytes().to_vec()));
    Settings {
        upload_url: text(sandbox.upload_url()),
        certificate: pem(sandbox.client_cert_pem()),
        key: pem(sandbox.client_key_pem()),
        roots: pem(sandbox.ca_pem()),
        client_id: text(sandbox.client_id()),
        client_secret: given(Secret::new(sandbox.client_secret())),
        scope: text(sandbox.scope()),
        api_url: text(sandbox.results_url()),
        customer_id: text(sandbox.customer_id()),
        api_secret: given(Secret::new(sandbox.api_secret())),
        ..Settings::default()
    }
}
