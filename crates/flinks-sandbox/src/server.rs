//! Listening, TLS, HTTP/1.1, and how connections end.

mod exchange;
mod fault_answer;
mod handshake;

use std::convert::Infallible;
use std::error::Error;
use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientCertVerifierBuilder, WantsServerCert, WebPkiClientVerifier};
use rustls::{ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use self::exchange::{Connection, Ending};
use self::handshake::{Accepted, Acceptor, Clients};
use crate::certificates::{Authority, Validity};
use crate::config::{OnUntrusted, TlsVersions};
use crate::control;
use crate::fault::Kind;
use crate::log::{Entry, LogLine};
use crate::operation::{ApiOperation, Host};
use crate::state::State;

/// The time that a client has for the head of its next request.
const IDLE: Duration = Duration::from_secs(75);

/// The time that a client has to close a connection that the sandbox has ended.
const LINGER: Duration = Duration::from_secs(5);

/// Sets up TLS for a host, with a certificate for `names`; the upload host requires a
/// client certificate.
pub(crate) fn tls(
    host: Host,
    authority: &Authority,
    versions: TlsVersions,
    names: &[impl AsRef<str>],
    on_untrusted: OnUntrusted,
) -> Result<Acceptor, Box<dyn Error + Send + Sync>> {
    let builder = builder(versions)?;
    let (builder, trusted) = match host {
        Host::Upload => {
            let trusted = verifier(authority)?.build()?;
            let clients = Arc::new(Clients {
                trusted: Arc::clone(&trusted),
                on_untrusted,
            });
            (builder.with_client_cert_verifier(clients), Some(trusted))
        }
        Host::Results => (builder.with_no_client_auth(), None),
    };
    let tls = acceptor(builder, authority, names)?;
    Ok(Acceptor { tls, trusted })
}

pub(crate) fn builder(
    versions: TlsVersions,
) -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions.versions())
}

/// Verifies client certificates of an authority.
pub(crate) fn verifier(
    authority: &Authority,
) -> Result<ClientCertVerifierBuilder, Box<dyn Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(
        authority.ca_pem().as_bytes(),
    )?)?;
    let roots = Arc::new(roots);
    Ok(WebPkiClientVerifier::builder_with_provider(
        roots,
        provider(),
    ))
}

pub(crate) fn acceptor(
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    authority: &Authority,
    names: &[impl AsRef<str>],
) -> Result<TlsAcceptor, Box<dyn Error + Send + Sync>> {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    let server = authority.issue_server(&names, Validity::Current)?;
    let chain = vec![CertificateDer::from_pem_slice(server.cert_pem.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(server.key_pem.as_bytes())?;
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Serves a host until dropped, and with it every connection.
pub(crate) async fn serve(
    listener: TcpListener,
    acceptor: Acceptor,
    host: Host,
    state: Arc<State>,
) {
    let mut connections = JoinSet::new();
    let mut was_refused = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    was_refused = false;
                    let state = Arc::clone(&state);
                    connections.spawn(connection(tcp, acceptor.clone(), host, state));
                }
                // Out of file descriptors, or the client has left: try the next one.
                Err(error) => {
                    if !was_refused {
                        log(&state, host, None, format!("no connection can be accepted: {error}"));
                    }
                    was_refused = true;
                    sleep(Duration::from_millis(10)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Writes the line of a connection without a request.
fn log(state: &State, host: Host, serial: Option<String>, reason: String) {
    let line = LogLine::new(host, "", "", ApiOperation::Handshake);
    let mut entry = Entry::new(&state.log, line);
    entry.client_serial = serial;
    entry.reason = Some(reason);
}

/// Applies the faults of a handshake; `None` if one has ended the connection.
async fn before_handshake(tcp: TcpStream, state: &State) -> Option<TcpStream> {
    let plan = state.arrive_handshake();
    sleep(plan.before).await;
    if let Some(Kind::Stall(Some(time))) = plan.kind {
        sleep(time).await;
        return Some(tcp);
    }
    let Some(kind) = plan.kind else {
        return Some(tcp);
    };
    let line = LogLine::new(Host::Upload, "", "", ApiOperation::Handshake);
    let mut entry = Entry::new(&state.log, line);
    entry.fault = plan.names;
    entry.finish(None);
    if kind == Kind::Reset {
        // Closing now sends RST.
        drop(tcp.set_zero_linger());
    } else if kind == Kind::Alert {
        // Fatal and in the clear: handshake_failure.
        drop(tcp.try_write(&[21, 3, 3, 0, 2, 2, 40]));
        linger(tcp).await;
    } else {
        pending().await
    }
    None
}

async fn connection(tcp: TcpStream, acceptor: Acceptor, host: Host, state: Arc<State>) {
    let _counted = Arc::clone(&state.connection);
    // If this fails, answers are only slower.
    drop(tcp.set_nodelay(true));
    let tcp = match host {
        Host::Upload => match before_handshake(tcp, &state).await {
            Some(tcp) => tcp,
            None => return,
        },
        Host::Results => tcp,
    };
    let Accepted {
        tls,
        serial,
        untrusted,
    } = match acceptor.accept(tcp).await {
        Ok(accepted) => accepted,
        Err(refused) => {
            log(&state, host, refused.serial, refused.reason);
            // A reset would overtake the alert that says why.
            if let Some(tcp) = refused.tcp {
                linger(tcp).await;
            }
            return;
        }
    };
    let (endings, mut ended) = mpsc::unbounded_channel();
    let connection = Arc::new(Connection {
        state,
        host,
        serial,
        untrusted,
        endings,
    });
    let service = service_fn(move |request| {
        // Counted here and not in the future, which may be dropped before it is polled.
        let arrival = (!connection.is_control(&request)).then(|| connection.arrive(&request));
        let connection = Arc::clone(&connection);
        Box::pin(async move {
            Ok::<_, Infallible>(match arrival {
                Some(arrival) => connection.answer(request, arrival).await,
                None => control::answer(&connection.state, request).await,
            })
        })
    });
    let mut http = http1::Builder::new()
        // A request that arrived whole is acted on, even if its client has left.
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(tls), service);
    let ending = tokio::select! {
        _ = poll_fn(|context| http.poll_without_shutdown(context)) => None,
        ending = ended.recv() => ending,
    };
    finish(http.into_parts().io.into_inner(), ending).await;
}

async fn finish(mut tls: TlsStream<TcpStream>, ending: Option<Ending>) {
    match ending {
        None => {
            // Closes TLS too, without waiting for a client that does not read.
            drop(timeout(LINGER, tls.shutdown()).await);
        }
        Some(Ending::Reset) => {
            // Closing now sends RST.
            drop(tls.get_ref().0.set_zero_linger());
            return;
        }
        Some(Ending::Close) => {}
        Some(Ending::Raw(bytes)) => {
            let sending = async {
                tls.write_all(&bytes).await?;
                tls.flush().await
            };
            drop(timeout(LINGER, sending).await);
        }
    }
    linger(tls.into_inner().0).await;
}

/// Sends FIN and reads on. Closing over unread bytes would send a reset, and the client would
/// lose an answer that it has not read yet.
async fn linger(mut tcp: TcpStream) {
    let reading = async {
        tcp.shutdown().await?;
        let mut scrap = vec![0; 64 * 1024];
        while tcp.read(&mut scrap).await? > 0 {}
        io::Result::Ok(())
    };
    drop(timeout(LINGER, reading).await);
}
