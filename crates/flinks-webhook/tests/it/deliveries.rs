//! Good deliveries reach the handler unchanged, tampered ones never do.

use std::time::Duration;

use flinks_webhook::{Event, WebhookType};
use http::StatusCode;

use crate::receiver::{OLD_SECRET, Receiver, SECRET, delivery, signature};

const KEY: &str = "flinks-authenticity-key";
const FALLBACK: &str = "X-Flinks-Signature";
const PAY: &str = "X-Webhook-Signature";
const LOGIN: &str = "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c";

const DETAIL: &str = r#"{"ResponseType":"GetAccountsDetail","HttpStatusCode":200,"Accounts":[{"Title":"Chèques","Balance":{"Current":1.10}}],
 "Login":{"Id":"aabf32b7-2f4e-4248-8895-b47b7ebc5a3c","LastRefresh":"2020-04-15T22:46:03.1690585"},"Tag":"A-17"}"#;
const KYC: &str = r#"{"ResponseType":"KYC","HttpStatusCode":200,"Holders":[{"Name":"Zoë"}],"Login":{"Id":"aabf32b7-2f4e-4248-8895-b47b7ebc5a3c"}}"#;
/// As printed in the documentation: the holder has no braces.
const KYC_AS_PRINTED: &str = r#"{"ResponseType":"KYC","HttpStatusCode":200,"Holders":["Name":"Zoë"],"Login":{"Id":"aabf32b7-2f4e-4248-8895-b47b7ebc5a3c"}}"#;
/// A guess: the form is not published.
const ALERT: &str = r#"{"ResponseType":"UploadFraudAlert","Login":{"LoginId":"aabf32b7-2f4e-4248-8895-b47b7ebc5a3c"}}"#;

type Headers = Vec<(&'static str, String)>;

fn key(body: &[u8]) -> Headers {
    vec![(KEY, signature(SECRET, body))]
}

#[tokio::test]
async fn good_deliveries_reach_the_handler() {
    let pretty = DETAIL.replace(',', ",\r\n\t");
    let with_bom = format!("\u{feff}{DETAIL}");
    let large = DETAIL.replace("A-17", &"x".repeat(3 << 20));
    let (pretty, with_bom, large) = (pretty.as_bytes(), with_bom.as_bytes(), large.as_bytes());
    let detail = DETAIL.as_bytes();
    let right = |secret| signature(secret, detail);
    #[rustfmt::skip]
    let good: Vec<(&str, &[u8], Headers)> = vec![
        ("detail", detail, key(detail)),
        ("line breaks", pretty, key(pretty)),
        ("byte order mark", with_bom, key(with_bom)),
        ("large", large, key(large)),
        ("kyc", KYC.as_bytes(), key(KYC.as_bytes())),
        ("kyc as printed", KYC_AS_PRINTED.as_bytes(), key(KYC_AS_PRINTED.as_bytes())),
        ("alert", ALERT.as_bytes(), key(ALERT.as_bytes())),
        ("another type", br#"{"ResponseType":"SomethingNew"}"#, key(br#"{"ResponseType":"SomethingNew"}"#)),
        ("no type", b"{}", key(b"{}")),
        ("type is no text", br#"{"ResponseType":{}}"#, key(br#"{"ResponseType":{}}"#)),
        ("array", b"[]", key(b"[]")),
        ("empty", b"", key(b"")),
        ("not JSON", b"<html>", key(b"<html>")),
        ("not UTF-8", b"\xff\xfe\x00", key(b"\xff\xfe\x00")),
        ("former secret", detail, vec![(KEY, right(OLD_SECRET))]),
        ("fallback header", detail, vec![(FALLBACK, right(SECRET))]),
        ("header in capitals", detail, vec![("FLINKS-AUTHENTICITY-KEY", right(SECRET))]),
        ("both headers", detail, vec![(KEY, right(SECRET)), (FALLBACK, right(SECRET))]),
        ("one header for each secret", detail, vec![(KEY, right(SECRET)), (FALLBACK, right(OLD_SECRET))]),
        ("header twice", detail, vec![(KEY, right(SECRET)), (KEY, right(SECRET))]),
        ("another header too", detail, vec![(KEY, right(SECRET)), ("Authorization", "Bearer x".to_owned())]),
    ];
    assert!(good.len() >= 20);
    for (what, body, headers) in good {
        let receiver = Receiver::new();
        let status = receiver.send(delivery(body, &headers)).await;
        assert_eq!(status, StatusCode::OK, "{what}");
        let [webhook] = receiver.given().try_into().unwrap();
        assert_eq!(webhook.body(), body, "{what}");
    }
}

#[tokio::test]
async fn tampered_deliveries_never_do() {
    let detail = DETAIL.as_bytes();
    let flip = |at: usize| {
        let mut body = detail.to_vec();
        body[at] ^= 1;
        body
    };
    let re_encoded = serde_json::from_str::<serde_json::Value>(DETAIL)
        .unwrap()
        .to_string();
    let right = signature(SECRET, detail);
    let with = |value: &str| vec![(KEY, value.to_owned())];
    let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843".to_owned();
    let mut one_bit_off = right.clone().into_bytes();
    one_bit_off[3] ^= 1;
    let one_bit_off = String::from_utf8(one_bit_off).unwrap();
    // The last digit before the padding has two bits that decoders may ignore.
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let last = digits.find(&right[42..43]).unwrap();
    let loose_bits = format!("{}{}=", &right[..42], &digits[last + 1..last + 2]);
    let wrong = signature("another secret", detail);
    let no_body = signature(SECRET, b"");
    #[rustfmt::skip]
    let tampered: Vec<(&str, Vec<u8>, Headers)> = vec![
        ("first byte", flip(0), key(detail)),
        ("a bit of an amount", flip(DETAIL.find("1.10").unwrap()), key(detail)),
        ("last byte", flip(DETAIL.len() - 1), key(detail)),
        ("cut off", detail[..DETAIL.len() - 1].to_vec(), key(detail)),
        ("no body", Vec::new(), key(detail)),
        ("line break added", [detail, b"\n"].concat(), key(detail)),
        ("byte order mark added", ["\u{feff}".as_bytes(), detail].concat(), key(detail)),
        ("re-encoded JSON", re_encoded.into_bytes(), key(detail)),
        ("another line ending", DETAIL.replace('\n', "\r\n").into_bytes(), key(detail)),
        ("accent decomposed", DETAIL.replace('è', "e\u{300}").into_bytes(), key(detail)),
        ("no signature", detail.to_vec(), vec![]),
        ("empty signature", detail.to_vec(), with("")),
        ("a bit of the signature", detail.to_vec(), with(&one_bit_off)),
        ("bits that decoders may ignore", detail.to_vec(), with(&loose_bits)),
        ("no padding", detail.to_vec(), with(right.trim_end_matches('='))),
        ("signature cut off", detail.to_vec(), with(&right[..40])),
        ("signature in quotes", detail.to_vec(), with(&format!("\"{right}\""))),
        ("two signatures in one value", detail.to_vec(), with(&format!("{right}, {right}"))),
        ("another secret", detail.to_vec(), with(&wrong)),
        ("secret with a line break", detail.to_vec(), with(&signature(&format!("{SECRET}\n"), detail))),
        ("signature of another body", detail.to_vec(), with(&no_body)),
        ("another header", detail.to_vec(), vec![("Authorization", right.clone())]),
        ("fallback header wrong", detail.to_vec(), vec![(KEY, right.clone()), (FALLBACK, wrong.clone())]),
        ("header twice, once wrong", detail.to_vec(), vec![(KEY, wrong), (KEY, right.clone())]),
        ("hexadecimal", detail.to_vec(), with(&hex)),
        ("Pay's scheme", detail.to_vec(), vec![(PAY, format!("sha256={hex}"))]),
        ("Pay's scheme in our header", detail.to_vec(), with(&format!("sha256={hex}"))),
        ("our signature in Pay's header", detail.to_vec(), vec![(PAY, right)]),
    ];
    assert!(tampered.len() >= 20);
    let receiver = Receiver::new();
    for (what, body, headers) in tampered {
        let status = receiver.send(delivery(&body, &headers)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}");
        assert!(receiver.given().is_empty(), "{what}");
    }
    // None of them keeps the true one from being handled, and a replay of that is not handled.
    for _ in 0..2 {
        assert_eq!(
            receiver.send(delivery(detail, &key(detail))).await,
            StatusCode::OK
        );
        assert_eq!(receiver.given().len(), 1);
    }
    let mut strict = Receiver::new();
    strict.service = strict.service.with_max_age(Duration::from_secs(86_400));
    assert_eq!(
        strict.send(delivery(detail, &key(detail))).await,
        StatusCode::FORBIDDEN
    );
    assert!(strict.given().is_empty());
    let undated = delivery(KYC.as_bytes(), &key(KYC.as_bytes()));
    assert_eq!(strict.send(undated).await, StatusCode::OK);
}

#[tokio::test]
async fn events_are_typed_and_unknown_ones_kept() {
    let receiver = Receiver::new();
    for body in [DETAIL, KYC, ALERT, KYC_AS_PRINTED] {
        receiver
            .send(delivery(body.as_bytes(), &key(body.as_bytes())))
            .await;
    }
    let given = receiver.given();
    for webhook in &given {
        assert_eq!(webhook.login_id().unwrap().as_str(), LOGIN);
    }
    let [detail, kyc, alert, as_printed] = given.try_into().unwrap();
    assert_eq!(detail.tag(), Some("A-17"));
    assert!(detail.last_refresh().is_some());
    let Event::AccountsDetail(detail) = detail.into_event() else {
        panic!("accounts");
    };
    let account = &detail.accounts.unwrap()[0];
    let current = account.balance.as_ref().unwrap().current.as_ref().unwrap();
    assert_eq!(current.as_str(), "1.10");
    let Event::Kyc(kyc) = kyc.into_event() else {
        panic!("identity");
    };
    assert_eq!(kyc.holders.unwrap()[0].name.as_deref(), Some("Zoë"));
    assert_eq!(
        alert.response_type(),
        Some(&WebhookType::from("UploadFraudAlert"))
    );
    assert!(matches!(alert.event(), Event::Unknown));
    let Event::Unreadable(why) = as_printed.event() else {
        panic!("no JSON");
    };
    let message = why.to_string();
    assert_eq!(why.line, 1);
    assert!(why.column > 1 && !message.contains("Zoë"), "{message}");
}
