//! The client identity in use: replaced at any time, and taken once by each attempt.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::connect::{self, Connector};
use crate::service::HttpService;
use crate::telemetry;
use crate::transport::Parts;
use crate::{ClientIdentity, Error, ErrorKind, Transport};

/// Identifies a transport and the client identity that it presents. Every replacement of the identity
/// is a new generation; clones of a transport share it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct IdentityGeneration {
    transport: u64,
    replacements: u64,
}

impl IdentityGeneration {
    fn first() -> Self {
        static TRANSPORTS: AtomicU64 = AtomicU64::new(1);
        Self {
            transport: TRANSPORTS.fetch_add(1, Ordering::Relaxed),
            replacements: 0,
        }
    }

    fn next(self) -> Self {
        Self {
            replacements: self.replacements + 1,
            ..self
        }
    }

    /// Whether both are generations of one built transport, or of transports derived from it.
    #[must_use]
    pub fn is_same_transport(self, other: Self) -> bool {
        self.transport == other.transport
    }
}

/// The client identity and the connections that one attempt uses from its start to its end, even if
/// the identity is replaced meanwhile.
///
/// Each attempt takes one below the application's layers. Credential layers find it in the request's
/// extensions. A layer that inserts a newer one ([`Transport::identity_snapshot`]) moves the attempt
/// to the newer identity.
///
/// [`Transport::identity_snapshot`]: crate::Transport::identity_snapshot
#[derive(Clone)]
pub struct IdentitySnapshot(Arc<Connections>);

/// The connections of one identity. They are closed when the last attempt that uses them ends.
struct Connections {
    generation: IdentityGeneration,
    leaf: HttpService,
    /// What the leaf connects with; `None` with a custom service.
    connector: Option<Connector>,
}

impl Connections {
    fn new(generation: IdentityGeneration, connector: Connector) -> Self {
        Self {
            generation,
            leaf: connect::client(connector.clone()),
            connector: Some(connector),
        }
    }

    fn custom(generation: IdentityGeneration, service: HttpService) -> Self {
        Self {
            generation,
            leaf: service,
            connector: None,
        }
    }
}

impl IdentitySnapshot {
    /// Returns the generation of the identity.
    #[must_use]
    pub fn generation(&self) -> IdentityGeneration {
        self.0.generation
    }

    pub(crate) fn leaf(&self) -> HttpService {
        self.0.leaf.clone()
    }

    pub(crate) fn connector(&self) -> Option<&Connector> {
        self.0.connector.as_ref()
    }
}

impl fmt::Debug for IdentitySnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdentitySnapshot")
            .field(&self.0.generation)
            .finish()
    }
}

impl Transport {
    /// Replaces the client identity of this transport, of all its clones, and of the transports
    /// derived from it; sends nothing.
    ///
    /// Every attempt that begins later, retries included, uses the new certificate on new connections,
    /// which are opened as calls need them. Attempts in flight finish on theirs. Idle connections, TLS
    /// sessions and access tokens of the old identity are not used again. A transport that was built
    /// without an identity gets one.
    ///
    /// Does not block: [`ClientIdentity::from_files`] does, when it loads a new identity.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the identity has expired or is not valid yet, its key cannot be used, or
    /// the transport has a custom service. The old identity then stays in use.
    ///
    /// ```no_run
    /// use flinks_transport::{ClientIdentity, Transport};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let load = || ClientIdentity::from_pem_files("client.pem", "client.key");
    /// let transport = Transport::builder().identity(load()?).build()?;
    ///
    /// // When the files have changed:
    /// transport.replace_identity(load()?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replace_identity(&self, identity: ClientIdentity) -> Result<(), Error> {
        self.parts.identity.replace(&identity)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn replace_service(&self, service: HttpService) {
        self.parts.identity.replace_service(service);
    }

    /// Returns the generation of the current identity.
    #[must_use]
    pub fn identity_generation(&self) -> IdentityGeneration {
        self.parts.snapshot().generation()
    }

    /// Returns the current identity with its connections, for a credential layer that must use one
    /// identity for a token and for the request that carries it.
    #[must_use]
    pub fn identity_snapshot(&self) -> IdentitySnapshot {
        self.parts.snapshot()
    }

    /// The same transport, which uses the identity of `snapshot` whatever replaces it.
    #[must_use]
    pub fn with_identity_snapshot(&self, snapshot: IdentitySnapshot) -> Self {
        Self::assemble(Parts {
            pinned: Some(snapshot),
            ..(*self.parts).clone()
        })
    }
}

/// The identity that new attempts use; one for all clones of a transport.
pub(crate) struct CurrentIdentity {
    /// Makes the connections of a new identity; `None` with a custom service.
    connect: Option<connect::Settings>,
    snapshot: Mutex<IdentitySnapshot>,
}

impl CurrentIdentity {
    /// A custom service, which does its own TLS and whose identity cannot be replaced.
    pub(crate) fn custom(service: HttpService) -> Self {
        let connections = Connections::custom(IdentityGeneration::first(), service);
        Self {
            connect: None,
            snapshot: Mutex::new(IdentitySnapshot(Arc::new(connections))),
        }
    }

    pub(crate) fn new(
        connect: connect::Settings,
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, Error> {
        let connector = connect.connector(identity)?;
        let connections = Connections::new(IdentityGeneration::first(), connector);
        Ok(Self {
            connect: Some(connect),
            snapshot: Mutex::new(IdentitySnapshot(Arc::new(connections))),
        })
    }

    pub(crate) fn snapshot(&self) -> IdentitySnapshot {
        self.lock().clone()
    }

    /// Checks the identity, and then uses it for every attempt that begins later.
    pub(crate) fn replace(&self, identity: &ClientIdentity) -> Result<(), Error> {
        let Some(connect) = &self.connect else {
            return Err(Error::new(
                ErrorKind::Config,
                "the identity of a custom service cannot be replaced here: replace it in that service",
            ));
        };
        let connector = connect.connector(Some(identity))?;
        self.set(|generation| Connections::new(generation, connector));
        telemetry::identity_replaced();
        Ok(())
    }

    #[cfg(feature = "testing")]
    pub(crate) fn replace_service(&self, service: HttpService) {
        self.set(|generation| Connections::custom(generation, service));
    }

    fn set(&self, connections: impl FnOnce(IdentityGeneration) -> Connections) {
        let mut snapshot = self.lock();
        let next = IdentitySnapshot(Arc::new(connections(snapshot.generation().next())));
        let old = std::mem::replace(&mut *snapshot, next);
        drop(snapshot);
        // Closes the idle connections of the old identity, outside the lock.
        drop(old);
    }

    fn lock(&self) -> MutexGuard<'_, IdentitySnapshot> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
