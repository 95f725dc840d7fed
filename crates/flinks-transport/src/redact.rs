//! Removes secrets from the service's messages, which may repeat parts of the request.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flinks_types::{ApiError, FlinksCode, Secret};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// Replaces each secret.
const PLACEHOLDER: &str = "[redacted]";

/// The maximum length of a text from the service, in characters.
const MAX_CHARS: usize = 300;

/// A run of this many base64 characters is treated as a token or as document contents.
const TOKEN_CHARS: usize = 40;

/// Secrets shorter than this are replaced only as whole words, so that other words stay intact.
const SHORT: usize = 4;

/// Credentials to redact from an answer in addition to those in its request, such as the client
/// secret that a token was issued for. A credential layer adds them to the request's extensions.
#[derive(Clone)]
pub struct KnownSecrets(Arc<[HeaderValue]>);

impl KnownSecrets {
    /// Creates the set from whole header values, including their scheme, such as `Basic …`.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = HeaderValue>) -> Self {
        Self(values.into_iter().collect())
    }
}

impl fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownSecrets").finish_non_exhaustive()
    }
}

/// The secrets that a call has sent, for redaction.
#[derive(Default)]
pub(crate) struct Secrets(Vec<Secret>);

impl Secrets {
    /// Adds the values of sensitive headers, with and without their scheme, and the parts of Basic
    /// credentials.
    pub(crate) fn add_headers(&mut self, headers: &HeaderMap) {
        for (name, value) in headers {
            if value.is_sensitive() || name == AUTHORIZATION {
                self.add_header(value);
            }
        }
    }

    /// Adds the secrets that a credential layer registered.
    pub(crate) fn add_known(&mut self, known: &KnownSecrets) {
        for value in &*known.0 {
            self.add_header(value);
        }
    }

    fn add_header(&mut self, value: &HeaderValue) {
        let Ok(text) = std::str::from_utf8(value.as_bytes()) else {
            return;
        };
        self.add(text);
        let Some((scheme, rest)) = text.split_once(' ') else {
            return;
        };
        self.add(rest);
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(pair) = STANDARD.decode(rest).map(Zeroizing::new)
            && let Ok(pair) = std::str::from_utf8(&pair)
        {
            self.add(pair);
            self.add(pair.split_once(':').map_or("", |(_, secret)| secret));
        }
    }

    pub(crate) fn add(&mut self, text: &str) {
        let known = self.0.iter().any(|secret| secret.expose() == text);
        if !text.is_empty() && !known {
            self.0.push(Secret::new(text));
        }
    }

    /// Redacts and truncates every text of an API error.
    pub(crate) fn hide_in(&self, mut api: ApiError) -> ApiError {
        let texts = [
            &mut api.message,
            &mut api.oauth_error,
            &mut api.oauth_description,
        ];
        for text in texts.into_iter().flatten() {
            *text = self.hide(text);
        }
        if let Some(code) = &api.flinks_code {
            let shown = self.hide(code.as_str());
            if shown != code.as_str() {
                api.flinks_code = Some(FlinksCode::from(shown));
            }
        }
        // Ids are opaque, so a long one may not be a token; one that contains a secret is dropped.
        api.request_id
            .take_if(|id| self.known(id.as_str()).is_some());
        api.login_id.take_if(|id| self.known(id.as_str()).is_some());
        let details = std::mem::take(&mut api.validation_details);
        api.validation_details = details
            .into_iter()
            .map(|(field, texts)| {
                let texts = texts.iter().map(|text| self.hide(text));
                (self.hide(&field), texts.collect())
            })
            .collect();
        api
    }

    /// Redacts and truncates a text from the service.
    pub(crate) fn hide(&self, text: &str) -> String {
        let text = self.known(text).unwrap_or_else(|| text.to_owned());
        cut(&without_tokens(&text))
    }

    /// Returns the text with known secrets replaced; `None` if it contains none.
    fn known(&self, text: &str) -> Option<String> {
        let mut forms: Vec<_> = self
            .0
            .iter()
            .flat_map(|secret| forms(secret.expose()))
            .collect();
        // The longest first: a pair before the secret in it.
        forms.sort_unstable_by_key(|form| std::cmp::Reverse(form.len()));
        let mut shown = text.to_owned();
        for form in forms {
            shown = replaced(&shown, &form);
        }
        (shown != text).then_some(shown)
    }
}

/// The encodings in which a service may repeat a secret.
fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.strip_prefix('"').unwrap_or(&json);
    let json = json.strip_suffix('"').unwrap_or(json);
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let base64 = STANDARD.encode(secret);
    let base64 = base64.trim_end_matches('=');
    [
        secret,
        secret.trim(),
        json,
        &json.replace('/', "\\/"),
        &escaped(json, "", |unit| format!("\\u{unit:04x}")),
        // The escapes that .NET writes.
        &escaped(&json.replace("\\\"", "\""), "\"&'+<>`", |unit| {
            format!("\\u{unit:04X}")
        }),
        &in_html(secret, "&quot;", "&#39;"),
        &in_html(secret, "&quot;", "&#x27;"),
        &in_html(secret, "&#34;", "&#39;"),
        &percent,
        &percent.to_lowercase(),
        &form_encoded(secret),
        base64,
        &base64.replace('+', "-").replace('/', "_"),
    ]
    .into_iter()
    .filter(|form| !form.is_empty())
    .map(|form| Zeroizing::new(form.to_owned()))
    .collect()
}

fn in_html(secret: &str, double: &str, single: &str) -> String {
    let text = secret.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('>', "&gt;").replace('"', double);
    text.replace('\'', single)
}

/// Escapes everything beyond ASCII, and the characters in `more`, as `\u…` in JSON text.
fn escaped(json: &str, more: &str, escape: impl Fn(u16) -> String) -> String {
    json.chars().fold(String::new(), |mut text, c| {
        if c.is_ascii() && !more.contains(c) {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&escape(*unit));
            }
        }
        text
    })
}

/// Form encoding: unreserved characters stay, a space becomes `+`.
fn form_encoded(secret: &str) -> String {
    const LEFT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'*')
        .remove(b' ');
    utf8_percent_encode(secret, LEFT)
        .to_string()
        .replace(' ', "+")
}

fn replaced(text: &str, form: &str) -> String {
    let alone = |at: usize| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + form.len()..);
        let after = after.and_then(|after| after.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    };
    let (mut shown, mut from) = (String::new(), 0);
    for (at, _) in text.match_indices(form) {
        if form.chars().count() >= SHORT || alone(at) {
            shown.push_str(text.get(from..at).unwrap_or_default());
            shown.push_str(PLACEHOLDER);
            from = at + form.len();
        }
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown
}

/// The text without runs that could be tokens or base64; a word in capitals is none, however long.
fn without_tokens(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || "+/-_=.~%".contains(c);
    let word =
        |run: &str| run.contains('_') && run.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(part) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|c| !part(c)).unwrap_or(from.len()));
        shown.push_str(before);
        let token = run.len() >= TOKEN_CHARS && !word(run);
        shown.push_str(if token { PLACEHOLDER } else { run });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(headers: &[&str], sealed: &[&str]) -> Secrets {
        let mut map = HeaderMap::new();
        for value in headers {
            let mut value = HeaderValue::from_str(value).expect("a value");
            value.set_sensitive(true);
            map.append(AUTHORIZATION, value);
        }
        let mut secrets = Secrets::default();
        secrets.add_headers(&map);
        sealed.iter().for_each(|secret| secrets.add(secret));
        secrets
    }

    #[test]
    fn credentials_are_hidden_in_every_form() {
        let basic = format!("Basic {}", STANDARD.encode("client:s3:cr+et/"));
        let secrets = sent(&[&basic, "Bearer tok.en-1"], &["pä\"ss", "a<b>'&"]);
        let form = STANDARD.encode("pä\"ss");
        for said in [
            "not s3:cr+et/ please",
            "not client:s3:cr+et/ please",
            "not tok.en-1 please",
            "not Bearer tok.en-1 please",
            &format!("not {basic} please"),
            "not s3%3Acr%2Bet%2F please",
            "not s3%3acr%2bet%2f please",
            "not pä\"ss please",
            "not pä\\\"ss please",
            "not p\\u00e4\\\"ss please",
            &format!("not {form} please"),
            "not s3:cr\\u002Bet/ please",
            "not p\\u00E4\\u0022ss please",
            "not pä&quot;ss please",
            "not pä&#34;ss please",
            "not a&lt;b&gt;&#39;&amp; please",
            "not a&lt;b&gt;&#x27;&amp; please",
        ] {
            let shown = secrets.hide(said);
            let rest = shown.replace(PLACEHOLDER, "");
            assert_eq!(rest.trim_end_matches('='), rest, "{said}");
            assert!(shown.contains(PLACEHOLDER), "{said}: {shown}");
            assert!(rest.len() <= "not Bearer  please".len(), "{said}: {shown}");
        }
    }

    #[test]
    fn a_short_secret_costs_no_letters_of_words() {
        let secrets = sent(&[], &["no", "1"]);
        let shown = secrets.hide("no, 10 notes of 1");
        assert_eq!(shown, "[redacted], 10 notes of [redacted]");
    }

    #[test]
    fn runs_that_could_be_tokens_or_content_are_hidden_and_words_are_not() {
        let none = Secrets::default();
        let run = "JVBERi0xLjcKJeLjz9MKMSAwIG9iago8PC9UeXBlL0Nh";
        assert_eq!(none.hide(&format!("at {run}=, bad")), "at [redacted], bad");
        for kept in [
            "d521ae0d-9cf1-40e1-a1ee-474983800601 is completed",
            "A_CODE_THAT_IS_MUCH_LONGER_THAN_A_TOKEN_HAS_TO_BE",
            "",
        ] {
            assert_eq!(none.hide(kept), kept);
        }
        assert_eq!(none.hide(&"é ".repeat(400)).chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn every_text_of_an_api_error_is_hidden() {
        let body = br#"{"FlinksCode":"canary","Message":"canary","RequestId":"canary","error":"canary",
            "error_description":"canary","ValidationDetails":{"canary":["canary"]},"Login":{"Id":"canary"}}"#;
        let api = ApiError::from_body(body).expect("an error");
        let api = sent(&["canary"], &[]).hide_in(api);
        let code = api.flinks_code.as_ref().map(FlinksCode::as_str);
        assert_eq!(code, Some(PLACEHOLDER));
        assert_eq!((&api.request_id, &api.login_id), (&None, &None));
        let shown = format!("{api} {:?} {:?}", api.message, api.validation_details);
        assert!(!shown.contains("canary"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_secret_survives(
            secret in "[a-zA-Z0-9+/ é\"\\\\%_-]{4,30}", before in "\\PC{0,20}", after in "\\PC{0,20}",
            form in 0usize..14,
        ) {
            // A shorter one is hidden only where it stands alone.
            prop_assume!(secret.trim().chars().count() >= SHORT);
            prop_assume!(!PLACEHOLDER.contains(secret.trim()));
            let forms = forms(&secret);
            let written = forms[form % forms.len()].as_str();
            let shown = sent(&[], &[&secret]).hide(&format!("{before}{written}{after}"));
            let rest = shown.replace(PLACEHOLDER, "\0");
            prop_assert!(!rest.contains(written), "{}", shown);
        }
    }
}
