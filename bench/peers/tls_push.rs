//! What TLS alone costs: the same number of bytes in the same requests, without a file and without an encoding.

use std::env::{args, var};
use std::error::Error;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn main() -> Result<(), Box<dyn Error>> {
    let url = var("FLINKS_UPLOAD_URL")?;
    let authority = url.strip_prefix("https://").ok_or("not https")?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(var("FLINKS_CA")?)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_file(var("FLINKS_CERT")?)?],
            PrivateKeyDer::from_pem_file(var("FLINKS_KEY")?)?,
        )?;
    let host = authority.split(':').next().unwrap_or(authority);
    let name = ServerName::try_from(host.to_owned())?;
    let socket = TcpStream::connect(authority)?;
    socket.set_nodelay(true)?;
    let mut tls = StreamOwned::new(ClientConnection::new(Arc::new(config), name)?, socket);

    let encoded = vec![b'A'; 256 << 10];
    call(
        &mut tls,
        "token",
        "grant_type=client_credentials",
        0,
        &encoded,
    )?;
    for path in args().skip(1) {
        let head = "{\"Files\":[{\"FileName\":\"0.pdf\",\"Content\":\"\"}]}";
        let length = fs::metadata(path)?.len().div_ceil(3) * 4;
        call(&mut tls, "upload", head, length as usize, &encoded)?;
    }
    call(
        &mut tls,
        "upload/complete",
        "{\"AggregationId\":\"\"}",
        0,
        &encoded,
    )?;
    Ok(())
}

/// Sends `start` and then `rest` bytes, and reads the answer, which fits one read.
fn call(
    tls: &mut Tls,
    path: &str,
    start: &str,
    rest: usize,
    encoded: &[u8],
) -> Result<(), Box<dyn Error>> {
    let length = start.len() + rest;
    let fields = format!("host: sink\r\ncontent-length: {length}");
    let head = format!("POST /api/v1/{path} HTTP/1.1\r\n{fields}\r\n\r\n{start}");
    tls.write_all(head.as_bytes())?;
    let mut left = rest;
    while left > 0 {
        left -= tls.write(&encoded[..left.min(encoded.len())])?;
    }
    let mut answer = [0; 4096];
    let count = tls.read(&mut answer)?;
    match answer[..count].starts_with(b"HTTP/1.1 200") {
        true => Ok(()),
        false => Err("refused".into()),
    }
}
