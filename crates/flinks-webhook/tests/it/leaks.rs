//! Neither secrets, signatures, bodies nor errors of the handler are in `Debug`, `Display` or logs.

use std::io;
use std::sync::{Arc, Mutex};

use flinks_webhook::{Secret, Verifier, Webhook};
use tracing_subscriber::fmt::MakeWriter;

use crate::receiver::{Receiver, SECRET, delivery, signature, signed};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn check(what: &str, text: &str) {
    for canary in ["canary", SECRET] {
        assert!(!text.contains(canary), "{canary} is in {what}: {text}");
    }
}

#[tokio::test]
async fn no_canary_is_seen() {
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(written.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let receiver = Receiver::handling(|| false);
    check(
        "the service",
        &format!("{:?} {:#?}", receiver.service, receiver.service),
    );
    for body in [
        r#"{"ResponseType":"GetAccountsDetail","Tag":"canary","Accounts":[{"Title":"canary"}],"Login":{"Username":"canary"}}"#,
        r#"{"ResponseType":"KYC","Holders":[{"Name":"canary"}]}"#,
        r#"{"ResponseType":"canary","canary":"canary"}"#,
        r#"{"ResponseType":"KYC","Holders":"canary"}"#,
        "canary",
    ] {
        check(
            "the webhook",
            &format!(
                "{:?} {:?}",
                Webhook::read(body),
                Webhook::read(body).into_event()
            ),
        );
        assert_eq!(receiver.send(signed(body.as_bytes())).await, 500);
        let unsigned = [("flinks-authenticity-key", "canary".to_owned())];
        assert_eq!(
            receiver.send(delivery(body.as_bytes(), &unsigned)).await,
            401
        );
    }
    let wrong = [("flinks-authenticity-key", signature("canary", b""))];
    let request = delivery(b"canary", &wrong);
    let verifier = Verifier::new(Secret::new(SECRET)).unwrap();
    let error = verifier.verify(request.headers(), b"canary").unwrap_err();
    check("the error", &format!("{error} {error:?} {verifier:?}"));

    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "a webhook was refused",
        "malformed",
        "a webhook cannot be read",
        "handler",
    ] {
        assert!(log.contains(expected), "{expected} was not logged");
    }
    check("the log", &log);
}
