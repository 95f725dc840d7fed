//! Whom a command talks to: the user's hosts, or the embedded sandbox's.

use std::time::Duration;

use flinks_fraud::FraudClient;
use flinks_legacy::LegacyClient;
use flinks_sandbox::Sandbox;
use flinks_transport::{Error, Transport};
use flinks_types::Secret;
use flinks_upload::UploadClient;

use crate::arguments::Connection;
use crate::context::Context;
use crate::output::error::CliError;
use crate::output::write_stderr;
use crate::settings::{Given, Material, Settings, not_set, unknown_variables, without_roots};

/// How long the embedded sandbox takes for an analysis.
const PROCESSING: Duration = Duration::from_secs(2);

/// Both hosts, and what opens them.
pub(crate) struct Service {
    pub(crate) settings: Settings,
    /// Serves as long as this value lives.
    sandbox: Option<Sandbox>,
}

impl Service {
    /// Reads the settings, or starts the embedded sandbox in their place.
    ///
    /// # Errors
    /// The settings contradict each other, or the sandbox cannot listen on this machine.
    pub(crate) async fn start(context: &Context, flags: &Connection) -> Result<Self, CliError> {
        let service = if context.sandbox {
            if flags.is_given() {
                return Err(CliError::settings(
                    "--sandbox brings its own hosts, certificates and credentials: leave out the \
                     options for them",
                ));
            }
            let mut config = flinks_sandbox::Config::default();
            config.processing = PROCESSING;
            let sandbox = Sandbox::start(config).await.map_err(|error| {
                CliError::settings(format!(
                    "the sandbox cannot listen on this machine: {error}"
                ))
            })?;
            Self {
                settings: of_sandbox(&sandbox),
                sandbox: Some(sandbox),
            }
        } else {
            let settings = Settings::read(&context.source()?, flags)?;
            let names = std::env::vars_os().map(|(name, _)| name);
            for warning in unknown_variables(names).iter().chain(&settings.warnings) {
                write_stderr(&format!("warning: {warning}\n"));
            }
            Self {
                settings,
                sandbox: None,
            }
        };
        context.remember(&service.settings);
        Ok(service)
    }

    /// What to tell people about the embedded sandbox, when there is one.
    pub(crate) fn introduction(&self) -> Option<String> {
        let sandbox = self.sandbox.as_ref()?;
        Some(format!(
            "Embedded sandbox at {} (mutual TLS, throw-away certificate and credentials)",
            sandbox.upload_url()
        ))
    }

    /// The client of the upload host.
    ///
    /// # Errors
    /// A setting is missing or cannot be right.
    pub(crate) fn uploads(&self) -> Result<UploadClient, CliError> {
        let settings = &self.settings;
        let missing = settings.missing_for_upload();
        if !missing.is_empty() {
            return Err(not_set(&missing).into());
        }
        let transport = Transport::builder()
            .identity(settings.identity()?)
            .roots(settings.roots()?)
            .build()
            .map_err(without_roots)?;
        let (endpoint, paths) = (settings.upload_endpoint()?, settings.paths()?);
        Ok(UploadClient::at(
            transport,
            settings.client_credentials()?,
            endpoint,
            paths,
        )?)
    }

    /// The client of the results host.
    ///
    /// # Errors
    /// A setting is missing or cannot be right.
    pub(crate) fn fraud(&self) -> Result<FraudClient, CliError> {
        let settings = &self.settings;
        let missing = settings.missing_for_results();
        if !missing.is_empty() {
            return Err(not_set(&missing).into());
        }
        let (endpoint, customer) = (settings.results_endpoint()?, settings.customer_id()?);
        let transport = self.results_transport()?;
        Ok(FraudClient::new(
            transport,
            endpoint,
            customer,
            &settings.api_secret()?,
        )?)
    }

    /// The client of the legacy API, which the results host serves too.
    ///
    /// # Errors
    /// A setting is missing or cannot be right.
    pub(crate) fn legacy(&self) -> Result<LegacyClient, CliError> {
        let settings = &self.settings;
        let missing = settings.missing_for_legacy();
        if !missing.is_empty() {
            return Err(not_set(&missing).into());
        }
        let (endpoint, customer) = (settings.results_endpoint()?, settings.customer_id()?);
        let transport = self.results_transport()?;
        Ok(LegacyClient::new(
            transport,
            endpoint,
            customer,
            settings.legacy_keys(),
        )?)
    }

    /// A transport for the results host, which asks for no client certificate.
    pub(crate) fn results_transport(&self) -> Result<Transport, Error> {
        let builder = Transport::builder().roots(self.settings.roots()?);
        builder.build().map_err(without_roots)
    }
}

fn of_sandbox(sandbox: &Sandbox) -> Settings {
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
