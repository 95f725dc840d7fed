//! A fast server: mutual TLS 1.3, answers the three calls of an upload, throws the bodies away.
//!
//! Given a folder, it compares every document with the file of the same name there. A line on its standard
//! input is answered with the counts since the last one.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::{fs, io, thread};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::Result;

const TOKEN: &str =
    r#"{"access_token":"token","token_type":"Bearer","expires_in":3600,"scope":"ocr.write"}"#;
const ID: &str = "d521ae0d-9cf1-40e1-a1ee-474983800601";

/// Connections, tokens, files, completed sessions, and documents that differ from their files.
static COUNTS: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];
static FILES: OnceLock<PathBuf> = OnceLock::new();

fn count(index: usize) {
    COUNTS[index].fetch_add(1, Relaxed);
}

/// `bench sink`: prints its address, then serves until its standard input ends.
pub fn serve(arguments: &[String]) -> Result {
    let (certificates, files) = arguments.split_first().ok_or("which certificates?")?;
    if let Some(files) = files.first() {
        FILES.get_or_init(|| PathBuf::from(files));
    }
    let config = config(Path::new(certificates))?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            // A client may leave without a word; what it did is counted.
            thread::spawn(move || drop(connection(socket, config)));
        }
    });
    for line in io::stdin().lock().lines() {
        line?;
        let counts: Vec<_> = COUNTS
            .iter()
            .map(|count| count.swap(0, Relaxed).to_string())
            .collect();
        println!("{}", counts.join(" "));
    }
    Ok(())
}

fn config(folder: &Path) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("ca.pem"))?)?;
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(clients.build()?)
        .with_single_cert(
            vec![CertificateDer::from_pem_file(folder.join("server.pem"))?],
            PrivateKeyDer::from_pem_file(folder.join("server.key"))?,
        )?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn connection(socket: TcpStream, config: Arc<ServerConfig>) -> Result {
    socket.set_nodelay(true)?;
    let mut tls = StreamOwned::new(ServerConnection::new(config)?, socket);
    let mut buffer = vec![0; 256 << 10];
    let mut held = tls.read(&mut buffer)?;
    count(0);
    while held > 0 {
        let Some(end) = buffer[..held]
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
        else {
            let more = tls.read(&mut buffer[held..])?;
            held = if more == 0 { 0 } else { held + more };
            continue;
        };
        let head = str::from_utf8(&buffer[..end])?.to_owned();
        let header = |name: &str| {
            let fields = head.lines().filter_map(|line| line.split_once(':'));
            let mut found = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.trim().to_owned())
        };
        let length: usize = header("content-length")
            .ok_or("no content-length")?
            .parse()?;
        if header("expect").is_some() {
            tls.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let mut body = Vec::new();
        let mut piece = end + 4..held;
        let mut left = length;
        loop {
            let here = piece.len().min(left);
            if FILES.get().is_some() {
                body.extend_from_slice(&buffer[piece.start..piece.start + here]);
            }
            left -= here;
            if left == 0 {
                break;
            }
            piece = 0..tls.read(&mut buffer)?;
            if piece.is_empty() {
                return Err("the body ends early".into());
            }
        }
        // No client sends before it has the answer, so nothing of a further request is lost.
        let text = answer(head.split(' ').nth(1).unwrap_or_default(), &body);
        // In one write: each makes a record of its own.
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
        tls.write_all(format!("{head}{}\r\n\r\n{text}", text.len()).as_bytes())?;
        held = tls.read(&mut buffer)?;
    }
    Ok(())
}

fn answer(path: &str, body: &[u8]) -> String {
    if path.ends_with("/token") {
        count(1);
        return TOKEN.to_owned();
    }
    if path.ends_with("/complete") {
        count(3);
        return format!(
            r#"{{"HttpStatusCode":200,"AggregationId":"{ID}","Login":{{"Id":"{ID}"}}}}"#
        );
    }
    count(2);
    if FILES
        .get()
        .is_some_and(|folder| !is_file(folder, body).unwrap_or(false))
    {
        count(4);
    }
    format!(r#"{{"HttpStatusCode":200,"AggregationId":"{ID}"}}"#)
}

/// Returns whether the request holds one document, equal in every byte to the file of its name.
fn is_file(folder: &Path, body: &[u8]) -> Result<bool> {
    let request: Value = serde_json::from_slice(body)?;
    let [file] = request["Files"].as_array().ok_or("no files")?.as_slice() else {
        return Ok(false);
    };
    let name = file["FileName"].as_str().ok_or("no name")?;
    let content = STANDARD.decode(file["Content"].as_str().ok_or("no content")?)?;
    Ok(content == fs::read(folder.join(name))?)
}
