//! A host on loopback whose TLS, client authentication and answers a test chooses.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use flinks_sandbox::certificates::IssuedCertificate;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme, StreamOwned,
};

/// A longer wait for the client is a fault of the test.
const LIMIT: Duration = Duration::from_secs(60);

/// Returns the bytes of an answer to a path; `None` closes the connection.
pub(crate) type Answers = Box<dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync>;

/// Whether a host asks for the client certificate in the handshake.
pub(crate) enum Asks<'a> {
    Nothing,
    /// And accepts any, as a front end that refuses it with an answer.
    Any,
    /// And refuses those of other authorities (PEM) with an alert.
    Of(&'a str),
}

/// Serves until the tests end; returns the base URL.
pub(crate) fn serve(certificate: &IssuedCertificate, asks: Asks<'_>, answers: Answers) -> String {
    serve_with(certificate, asks, false, answers)
}

/// As [`serve`], with TLS 1.2 only if wanted.
pub(crate) fn serve_with(
    certificate: &IssuedCertificate,
    asks: Asks<'_>,
    only_tls12: bool,
    answers: Answers,
) -> String {
    let provider = Arc::new(ring::default_provider());
    let versions = if only_tls12 {
        &[&TLS12][..]
    } else {
        &[&TLS12, &TLS13]
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_protocol_versions(versions).expect("versions");
    let builder = match asks {
        Asks::Nothing => builder.with_no_client_auth(),
        Asks::Any => builder.with_client_cert_verifier(Arc::new(AnyClient(provider))),
        Asks::Of(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(certificate_in(authority)).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.as_bytes()).expect("a key");
    let chain = vec![certificate_in(&certificate.cert_pem)];
    let config = Arc::new(builder.with_single_cert(chain, key).expect("a certificate"));
    raw("https", move |tcp| {
        let connection = ServerConnection::new(Arc::clone(&config)).expect("a session");
        let mut stream = StreamOwned::new(connection, tcp);
        let answered = one(&mut stream, &answers);
        if answered.is_ok() {
            stream.conn.send_close_notify();
        }
        drop(stream.conn.write_tls(&mut stream.sock));
        stream.sock
    })
}

/// Serves connections without TLS: `speak` may write to the client. The connection stays open until
/// the client has closed it.
pub(crate) fn raw(
    scheme: &str,
    speak: impl Fn(TcpStream) -> TcpStream + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let speak = Arc::new(speak);
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let speak = Arc::clone(&speak);
            std::thread::spawn(move || {
                tcp.set_read_timeout(Some(LIMIT)).expect("a limit");
                let mut tcp = speak(tcp);
                // Unread bytes would reset the connection, and what was sent would be lost.
                drop(io::copy(&mut tcp, &mut io::sink()));
            });
        }
    });
    format!("{scheme}://{address}")
}

/// Reads one request, and answers it.
fn one(stream: &mut StreamOwned<ServerConnection, TcpStream>, answers: &Answers) -> io::Result<()> {
    let mut reader = BufReader::new(&mut *stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let begin = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = head[begin..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
    }
    io::copy(&mut reader.take(length), &mut io::sink())?;
    match answers(head.split(' ').nth(1).expect("a path")) {
        Some(answer) => stream.write_all(&answer).and_then(|()| stream.flush()),
        None => Ok(()),
    }
}

/// An answer with this machine's time.
pub(crate) fn answer(status: u16, media_type: &str, body: &str) -> Vec<u8> {
    answer_at(SystemTime::now(), status, media_type, body)
}

pub(crate) fn answer_at(date: SystemTime, status: u16, media_type: &str, body: &str) -> Vec<u8> {
    let (date, length) = (httpdate::fmt_http_date(date), body.len());
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\
         Date: {date}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

fn certificate_in(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}

#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
