//! Replacing the client identity: connections, TLS sessions, retries, and attempts in flight.

use std::sync::{Arc, Mutex};

use flinks_transport::testing::{Reply, ScriptedService, replace_service};
use flinks_transport::{
    Body, CallMeta, ClientIdentity, ErrorKind, HttpService, Replay, RetryConfig, Route, TlsVersion,
    Transport,
};
use http::Request;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};
use tokio_rustls::rustls::HandshakeKind;

use crate::ask::{Ask, ok};
use crate::authority::Authority;
use crate::wire::{ANSWER, listen, plain, post_as, read_request};

const SAFE: CallMeta = CallMeta::new("test.safe", Route::post("/"), Replay::Safe);
/// Opens a connection of its own.
const NEVER: CallMeta = CallMeta::new("test.never", Route::post("/"), Replay::Never);

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_with_the_identity_that_it_began_with() {
    let (old, new) = (ScriptedService::new([ok()]), ScriptedService::new([ok()]));
    let (entered, proceed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let transport = old.builder().build().unwrap();
    let signals = (Arc::clone(&entered), Arc::clone(&proceed));
    let bound = transport.with_credentials(tower::layer::layer_fn(move |next: HttpService| {
        let signals = signals.clone();
        tower::service_fn(move |request: Request<Body>| {
            let (next, (entered, proceed)) = (next.clone(), signals.clone());
            async move {
                entered.notify_one();
                proceed.notified().await;
                next.send(request).await
            }
        })
    }));
    let first = tokio::spawn(bound.call(Ask::new(Replay::Never)).into_future());
    entered.notified().await;
    let generation = transport.identity_generation();
    replace_service(&transport, new.clone());
    assert_ne!(bound.identity_generation(), generation, "clones share it");
    assert!(bound.identity_generation().is_same_transport(generation));
    proceed.notify_one();
    first.await.unwrap().unwrap();
    assert_eq!((old.count(), new.count()), (1, 0));
    transport.call(Ask::new(Replay::Never)).await.unwrap();
    assert_eq!((old.count(), new.count()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_retry_uses_the_new_identity_and_a_pinned_transport_the_old_one() {
    let old = ScriptedService::new([Reply::hang(), ok()]);
    let new = ScriptedService::new([ok()]);
    let transport = old.builder().build().unwrap();
    let snapshot = transport.identity_snapshot();
    let call = tokio::spawn(transport.call(Ask::new(Replay::Safe)).into_future());
    tokio::task::yield_now().await;
    assert_eq!(old.count(), 1);
    replace_service(&transport, new.clone());
    call.await.unwrap().unwrap();
    assert_eq!((old.count(), new.count()), (1, 1));
    let pinned = transport.with_identity_snapshot(snapshot.clone());
    assert_eq!(pinned.identity_generation(), snapshot.generation());
    pinned.call(Ask::new(Replay::Safe)).await.unwrap();
    assert_eq!((old.count(), new.count()), (2, 1));
}

#[tokio::test]
async fn idle_connections_are_closed_and_calls_in_flight_finish() {
    let (events, mut seen) = mpsc::unbounded_channel();
    let answer = Arc::new(Notify::new());
    let hold = Arc::clone(&answer);
    let (host, _) = listen(move |mut stream, turn| {
        let (events, hold) = (events.clone(), Arc::clone(&hold));
        async move {
            while let Some(request) = read_request(&mut stream).await {
                events.send((turn, "request")).unwrap();
                if request.ends_with(b"wait") {
                    hold.notified().await;
                }
                stream.write_all(ANSWER).await.unwrap();
            }
            events.send((turn, "closed")).unwrap();
        }
    })
    .await;
    let url = format!("http://{host}/");
    let transport = plain();
    let post = |body: &str| {
        let (transport, url, body) = (transport.clone(), url.clone(), body.to_owned());
        tokio::spawn(async move { post_as(SAFE, &transport, url, body.into_bytes()).await })
    };
    let in_flight = post("wait");
    assert_eq!(seen.recv().await, Some((0, "request")));
    post("idle").await.unwrap().unwrap();
    assert_eq!(seen.recv().await, Some((1, "request")));
    let authority = Authority::new();
    // The transport had no identity before.
    transport.replace_identity(authority.identity()).unwrap();
    post("new").await.unwrap().unwrap();
    assert_eq!(seen.recv().await, Some((2, "request")));
    answer.notify_one();
    in_flight.await.unwrap().unwrap();
    // With the last call of the old identity its connections end, the idle one and its own.
    let mut closed = [seen.recv().await.unwrap(), seen.recv().await.unwrap()];
    closed.sort_unstable();
    assert_eq!(closed, [(0, "closed"), (1, "closed")]);
    transport.replace_identity(authority.identity()).unwrap();
    assert_eq!(seen.recv().await, Some((2, "closed")), "at once when idle");
}

#[tokio::test]
async fn a_tls_session_is_resumed_by_its_own_identity_only() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let authority = Authority::new();
        let acceptor = authority.acceptor();
        let handshakes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&handshakes);
        let (host, _) = listen(move |stream, _| {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
            async move {
                let mut stream = acceptor.accept(stream).await.unwrap();
                let tls = stream.get_ref().1;
                let certificate = tls.peer_certificates().unwrap()[0].to_vec();
                let resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
                seen.lock().unwrap().push((resumed, certificate));
                while read_request(&mut stream).await.is_some() {
                    stream.write_all(ANSWER).await.unwrap();
                }
            }
        })
        .await;
        let transport = Transport::builder()
            .identity(authority.identity())
            .roots(authority.roots())
            .tls_version(version)
            .retry(RetryConfig::none())
            .build()
            .unwrap();
        let url = format!("https://{host}/");
        let post = || post_as(NEVER, &transport, url.clone(), b"x".to_vec());
        for _ in 0..2 {
            post().await.unwrap();
            post().await.unwrap();
            transport.replace_identity(authority.identity()).unwrap();
        }
        let seen = handshakes.lock().unwrap();
        let resumed: Vec<_> = seen.iter().map(|(resumed, _)| *resumed).collect();
        assert_eq!(resumed, [false, true, false, true], "{version:?}");
        assert_eq!(seen[0].1, seen[1].1, "{version:?}");
        assert_eq!(seen[2].1, seen[3].1, "{version:?}");
        assert_ne!(seen[0].1, seen[2].1, "{version:?}: the old certificate");
    }
}

#[tokio::test]
async fn what_cannot_be_used_changes_nothing() {
    let expired = || {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        let certificate = params.self_signed(&key).unwrap().pem();
        ClientIdentity::from_pem(certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    };
    assert!(expired().expires_in().is_zero());
    let authority = Authority::new();
    let builder = Transport::builder().roots(authority.roots());
    let transport = builder.identity(authority.identity()).build().unwrap();
    let before = transport.identity_generation();
    let error = transport.replace_identity(expired()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.to_string().contains("expired on 2001-01-01"),
        "{error}"
    );
    assert_eq!(transport.identity_generation(), before);

    let custom = ScriptedService::new([ok()]).builder().build().unwrap();
    let error = custom.replace_identity(authority.identity()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("custom service"), "{error}");
    custom.call(Ask::new(Replay::Safe)).await.unwrap();
}
