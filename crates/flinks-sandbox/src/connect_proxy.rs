//! A forward proxy for tests: `CONNECT`, plain or over TLS, with faults.

mod fault;

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Authority;
use crate::config::TlsVersions;
use crate::lock::lock;
use crate::server;

pub use self::fault::ProxyFault;

/// The longest request head that is read.
const MAX_HEAD: usize = 64 * 1024;

/// The settings of a [`ConnectProxy`].
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ProxyConfig {
    /// The names that the proxy resolves, each with the address it connects to instead, whatever
    /// the port of the request. It passes on loopback addresses, and answers 502 for any other host.
    pub names: Vec<(String, SocketAddr)>,
    /// The user and password that a request must have; without them the answer is 407.
    pub credentials: Option<(String, String)>,
    /// The faults of the first connections, one each and in order. Further connections work.
    pub faults: Vec<ProxyFault>,
}

impl ProxyConfig {
    /// Adds a name that leads to the host of a base URL such as
    /// [`Sandbox::upload_url`](crate::Sandbox::upload_url).
    ///
    /// # Errors
    ///
    /// Fails if the URL has no IP address and port.
    pub fn resolve(&mut self, name: &str, base_url: &str) -> io::Result<()> {
        let authority = base_url.rsplit('/').next().unwrap_or_default();
        let address = authority.parse().map_err(io::Error::other)?;
        self.names.push((name.to_owned(), address));
        Ok(())
    }
}

impl fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyConfig")
            .field("names", &self.names)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// A running forward proxy on loopback that opens tunnels to the hosts of a table.
///
/// It resolves names itself, so a test can use a host name that exists nowhere else. Dropping it
/// stops it and closes every tunnel.
///
/// ```
/// use flinks_sandbox::{ConnectProxy, ProxyConfig, Sandbox};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let sandbox = Sandbox::builder().server_name("upload.invalid").start().await?;
///
/// let mut config = ProxyConfig::default();
/// config.resolve("upload.invalid", sandbox.upload_url())?;
/// config.credentials = Some(("user".to_owned(), "password".to_owned()));
/// let proxy = ConnectProxy::start(config).await?;
///
/// // Here a client calls `https://upload.invalid` through `proxy.url()`.
/// assert!(proxy.url().starts_with("http://127.0.0.1:"));
/// assert!(proxy.heads().is_empty());
/// # Ok::<(), std::io::Error>(()) })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ConnectProxy {
    address: SocketAddr,
    is_tls: bool,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    names: Vec<(String, SocketAddr)>,
    authorization: Option<String>,
    faults: Mutex<VecDeque<ProxyFault>>,
    heads: Mutex<Vec<String>>,
    client_certificates: Mutex<usize>,
}

impl ConnectProxy {
    /// Starts a proxy that is reached over plain TCP, on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// Fails if no port can be opened.
    pub async fn start(config: ProxyConfig) -> io::Result<Self> {
        Self::serve(config, None).await
    }

    /// Starts a proxy that is reached over TLS, with a certificate of `authority` for `localhost`,
    /// `127.0.0.1` and `::1`. It requests a client certificate but does not require one.
    ///
    /// # Errors
    ///
    /// Fails if no port can be opened or no certificate can be made.
    pub async fn start_tls(config: ProxyConfig, authority: &Authority) -> io::Result<Self> {
        let acceptor = tls(authority).map_err(io::Error::other)?;
        Self::serve(config, Some(acceptor)).await
    }

    async fn serve(config: ProxyConfig, acceptor: Option<TlsAcceptor>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let is_tls = acceptor.is_some();
        let state = Arc::new(State {
            names: config.names,
            authorization: config.credentials.map(|(user, password)| {
                format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
            }),
            faults: Mutex::new(config.faults.into()),
            heads: Mutex::default(),
            client_certificates: Mutex::default(),
        });
        let serving = tokio::spawn(accept(listener, acceptor, Arc::clone(&state)));
        Ok(Self {
            address,
            is_tls,
            state,
            serving,
        })
    }

    /// Returns the URL of the proxy without credentials, `http://127.0.0.1:PORT` or
    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns the address that the proxy listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the head of every request so far, as received.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        lock(&self.state.heads).clone()
    }

    /// Returns how many clients presented a certificate to the proxy itself.
    #[must_use]
    pub fn client_certificates(&self) -> usize {
        *lock(&self.state.client_certificates)
    }
}

impl fmt::Debug for ConnectProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectProxy")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Sets up TLS so that a client certificate shows if one is sent.
fn tls(authority: &Authority) -> Result<TlsAcceptor, Box<dyn Error + Send + Sync>> {
    let builder = server::builder(TlsVersions::Both)?.with_client_cert_verifier(
        server::verifier(authority)?
            .allow_unauthenticated()
            .build()?,
    );
    server::acceptor(builder, authority, &["localhost", "127.0.0.1"])
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((tcp, _)) = accepted {
                let fault = lock(&state.faults).pop_front();
                connections.spawn(connection(tcp, acceptor.clone(), Arc::clone(&state), fault));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection; a failure of it concerns the client only.
async fn connection(
    tcp: TcpStream,
    acceptor: Option<TlsAcceptor>,
    state: Arc<State>,
    fault: Option<ProxyFault>,
) {
    if fault == Some(ProxyFault::Close) {
        return;
    }
    // If this fails, answers are only slower.
    drop(tcp.set_nodelay(true));
    let Some(acceptor) = acceptor else {
        drop(state.answer(tcp, fault).await);
        return;
    };
    if let Ok(tls) = acceptor.accept(tcp).await {
        if tls.get_ref().1.peer_certificates().is_some() {
            *lock(&state.client_certificates) += 1;
        }
        drop(state.answer(tls, fault).await);
    }
}

impl State {
    async fn answer<T>(&self, mut client: T, fault: Option<ProxyFault>) -> io::Result<()>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
            head.push(client.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        lock(&self.heads).push(head.clone());
        if let Some(fault) = &fault
            && fault.answer(&mut client).await?
        {
            return client.shutdown().await;
        }
        let mut host = match self.connect(&head).await {
            Ok(host) => host,
            Err(status) => {
                client.write_all(&fault::refusal(status)).await?;
                return client.shutdown().await;
            }
        };
        client.write_all(fault::ESTABLISHED).await?;
        client.flush().await?;
        if let Some(ProxyFault::TearAfter(bytes)) = fault {
            let (mut from, mut to) = host.split();
            let (mut client_from, mut client_to) = tokio::io::split(client);
            let mut answer = (&mut from).take(bytes);
            tokio::select! {
                _ = tokio::io::copy(&mut answer, &mut client_to) => {}
                Err(_) = tokio::io::copy(&mut client_from, &mut to) => {}
            }
            return client_to.shutdown().await;
        }
        copy_bidirectional(&mut client, &mut host).await.map(drop)
    }

    /// Connects to the host of a request, or returns the status that refuses it.
    async fn connect(&self, head: &str) -> Result<TcpStream, u16> {
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some("CONNECT"), Some(authority)) = (words.next(), words.next()) else {
            return Err(405);
        };
        let is_authorized = self.authorization.as_ref().is_none_or(|expected| {
            lines.any(|line| {
                line.split_once(": ").is_some_and(|(name, value)| {
                    name.eq_ignore_ascii_case("proxy-authorization") && value == expected
                })
            })
        });
        if !is_authorized {
            return Err(407);
        }
        let (host, port) = authority.rsplit_once(':').ok_or(400_u16)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let named = self.names.iter().find(|(name, _)| name == host);
        let address = match (named, host.parse::<IpAddr>()) {
            (Some((_, address)), _) => *address,
            (None, Ok(ip)) if ip.is_loopback() => {
                SocketAddr::new(ip, port.parse().map_err(|_| 400_u16)?)
            }
            (None, _) => return Err(502),
        };
        let host = TcpStream::connect(address).await.map_err(|_| 502_u16)?;
        // If this fails, the tunnel is only slower.
        drop(host.set_nodelay(true));
        Ok(host)
    }
}
