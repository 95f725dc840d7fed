//! `/Authorize`: the request in its three forms, and the answer.

mod response;

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use crate::challenge::SecurityResponses;
use crate::open_enum::open_enum;
use crate::shown::Length;
use crate::{LoginId, RequestId, Secret};

pub use response::AuthorizeResponse;

open_enum! {
    /// The language of a session and its prompts. A LoginId belongs to one language.
    pub Language {
        /// English.
        English = "en",
        /// French.
        French = "fr",
    }
}

/// The credentials that sign a person in to a bank.
///
/// `Save` is sent as `true` by default: without it the answer may have no LoginId.
/// `Debug` shows neither user name nor password.
///
/// ```
/// use flinks_types::{Credentials, Language};
///
/// let credentials = Credentials::new("FlinksCapital", "Greatday", "the password")
///     .language(Language::French)
///     .tag("application 47");
/// assert!(!format!("{credentials:?}").contains("Greatday"));
/// ```
///
/// Source: Legacy guide, Authorize.
#[derive(Clone)]
pub struct Credentials {
    institution: String,
    username: Secret,
    password: Secret,
    options: Options,
    save: bool,
    schedule_refresh: Option<bool>,
    with_mfa_questions: Option<bool>,
}

/// The options of both forms that open a session.
#[derive(Clone, Default)]
struct Options {
    language: Option<Language>,
    tag: Option<String>,
}

impl Credentials {
    /// Creates credentials for `institution`, by its name at Flinks.
    #[must_use]
    pub fn new(
        institution: impl Into<String>,
        username: impl Into<Secret>,
        password: impl Into<Secret>,
    ) -> Self {
        Self {
            institution: institution.into(),
            username: username.into(),
            password: password.into(),
            options: Options::default(),
            save: true,
            schedule_refresh: None,
            with_mfa_questions: None,
        }
    }

    /// Sets the language of the prompts.
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.options.language = Some(language);
        self
    }

    /// Sets a label that answers and webhooks repeat.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.options.tag = Some(tag.into());
        self
    }

    /// Sets whether the service keeps the credentials and the data; `true` by default. Without it
    /// the session has no LoginId to return to later.
    #[must_use]
    pub fn save(mut self, save: bool) -> Self {
        self.save = save;
        self
    }

    /// Sets whether a new card is refreshed every night. The refresh cannot work for a login that
    /// requires a SecurID (Legacy guide, Case 4); this is not checked.
    #[must_use]
    pub fn schedule_refresh(mut self, on: bool) -> Self {
        self.schedule_refresh = Some(on);
        self
    }

    /// Sets whether the service collects all security questions of the bank in advance.
    #[must_use]
    pub fn with_mfa_questions(mut self, on: bool) -> Self {
        self.with_mfa_questions = Some(on);
        self
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("institution", &Length(Some(&self.institution)))
            .field("save", &self.save)
            .finish_non_exhaustive()
    }
}

/// A login that the service has stored, by its LoginId.
#[derive(Clone)]
pub struct StoredLogin {
    login_id: LoginId,
    live: bool,
    options: Options,
}

impl StoredLogin {
    /// Opens a session on the data of the last refresh. *Effect:* none at the bank; it may be sent
    /// any number of times, and the bank asks no questions.
    #[must_use]
    pub fn cached(login_id: LoginId) -> Self {
        Self {
            login_id,
            live: false,
            options: Options::default(),
        }
    }

    /// Signs in at the bank again. *Effect:* that of [`Credentials`]: the bank may ask questions.
    #[must_use]
    pub fn live(login_id: LoginId) -> Self {
        Self {
            live: true,
            ..Self::cached(login_id)
        }
    }

    /// Sets the language of the prompts.
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.options.language = Some(language);
        self
    }

    /// Sets a label that answers and webhooks repeat.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.options.tag = Some(tag.into());
        self
    }
}

impl fmt::Debug for StoredLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredLogin")
            .field("login_id", &self.login_id)
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}

/// A request to `/Authorize`, in one of its three forms.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AuthorizeRequest {
    /// Signs in with user name and password.
    Credentials(Credentials),
    /// Opens a session of a stored login.
    StoredLogin(StoredLogin),
    /// Answers the challenges of a session.
    Answers(SecurityResponses),
}

impl From<Credentials> for AuthorizeRequest {
    fn from(credentials: Credentials) -> Self {
        Self::Credentials(credentials)
    }
}

impl From<StoredLogin> for AuthorizeRequest {
    fn from(login: StoredLogin) -> Self {
        Self::StoredLogin(login)
    }
}

impl From<SecurityResponses> for AuthorizeRequest {
    fn from(responses: SecurityResponses) -> Self {
        Self::Answers(responses)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialsWire<'r> {
    institution: &'r str,
    username: &'r str,
    password: &'r str,
    most_recent_cached: bool,
    save: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'r Language>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_refresh: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with_mfa_questions: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StoredLoginWire<'r> {
    login_id: &'r LoginId,
    most_recent_cached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    save: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'r Language>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'r str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AnswersWire<'r, M> {
    request_id: &'r RequestId,
    security_responses: M,
}

impl AuthorizeRequest {
    /// Returns whether the request reads stored data only, so that it may be sent any number of times.
    #[must_use]
    pub fn is_cached(&self) -> bool {
        match self {
            Self::StoredLogin(login) => !login.live,
            Self::Answers(_) | Self::Credentials(_) => false,
        }
    }

    /// Returns the name of the first required field that is empty.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        let Self::Credentials(credentials) = self else {
            return None;
        };
        let fields = [
            ("Institution", credentials.institution.is_empty()),
            ("Username", credentials.username.is_empty()),
            ("Password", credentials.password.is_empty()),
        ];
        fields
            .into_iter()
            .find_map(|(field, empty)| empty.then_some(field))
    }

    /// Returns the stored login that the session is requested for.
    #[must_use]
    pub fn login_id(&self) -> Option<&LoginId> {
        match self {
            Self::StoredLogin(login) => Some(&login.login_id),
            Self::Answers(_) | Self::Credentials(_) => None,
        }
    }

    /// Returns the session whose challenges the request answers.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::Answers(responses) => Some(responses.request_id()),
            Self::Credentials(_) | Self::StoredLogin(_) => None,
        }
    }

    /// Returns the secrets of the request: user name and password, or the answers.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Credentials(credentials) => {
                vec![credentials.username.clone(), credentials.password.clone()]
            }
            Self::StoredLogin(_) => Vec::new(),
            Self::Answers(responses) => responses.values().cloned().collect(),
        }
    }

    /// Writes the request as JSON, including its secrets: for a sealed body.
    ///
    /// The buffer is allocated once at its final size, so that no copy of a secret stays in a
    /// smaller one. Wiping the buffer is up to the caller.
    ///
    /// # Errors
    /// Never in practice; the signature is that of serde.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Credentials(credentials) => exact(&CredentialsWire {
                institution: &credentials.institution,
                username: credentials.username.expose(),
                password: credentials.password.expose(),
                most_recent_cached: false,
                save: credentials.save,
                language: credentials.options.language.as_ref(),
                tag: credentials.options.tag.as_deref(),
                schedule_refresh: credentials.schedule_refresh,
                with_mfa_questions: credentials.with_mfa_questions,
            }),
            Self::StoredLogin(login) => exact(&StoredLoginWire {
                login_id: &login.login_id,
                most_recent_cached: !login.live,
                save: login.live.then_some(true),
                language: login.options.language.as_ref(),
                tag: login.options.tag.as_deref(),
            }),
            Self::Answers(responses) => exact(&AnswersWire {
                request_id: responses.request_id(),
                security_responses: responses.as_map(),
            }),
        }
    }
}

/// Writes JSON into a buffer that never grows.
fn exact<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    struct Count(usize);

    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    serde_json::to_writer(&mut count, value)?;
    let mut json = Vec::with_capacity(count.0);
    serde_json::to_writer(&mut json, value)?;
    Ok(json)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{LinkRel, from_json};

    #[test]
    fn reads_the_examples_of_the_guide() {
        let answer: AuthorizeResponse = from_json(
            br#"{"Links":[{"rel":"Authorization","href":"/Authorize","example":null}],"HttpStatusCode":203,
                 "SecurityChallenges":[{"Type":"QuestionAndAnswer","Prompt":"What shape do people like most?"}],
                 "Institution":"FlinksCapital","RequestId":"9022abc2-8a2e-4b06-a06e-c3e5449c4d10"}"#,
        )
        .unwrap();
        assert_eq!(answer.http_status_code, Some(203));
        assert_eq!(answer.security_challenges.len(), 1);
        assert_eq!(answer.links[0].rel, Some(LinkRel::Authorization));
        assert_eq!(answer.login, None);

        let answer: AuthorizeResponse = from_json(
            br#"{"HttpStatusCode":200,"Login":{"Username":"{username}","IsScheduledRefresh":false,
                 "LastRefresh":"2018-05-23T15:10:51.65608","Id":"f51a811f-6e01-a901-bf33-352abf17bbe1"},
                 "Institution":"TD","InstitutionId":14,"RequestId":"2b000833-0bf4-4705-9ef8-80d4572af4c4"}"#,
        )
        .unwrap();
        let login = answer.login.unwrap();
        assert_eq!(login.is_scheduled_refresh, Some(false));
        assert_eq!(login.r#type, None);
        assert!(login.last_refresh.unwrap().system_time().is_some());
        assert_eq!(answer.institution_id, Some(14));
    }

    #[test]
    fn validation_details_are_lists_or_bare() {
        let answer: AuthorizeResponse = from_json(
            br#"{"ValidationDetails":{"Save":["a","b"],"Tag":"c","Language":null,"Odd":[1]}}"#,
        )
        .unwrap();
        let said = |field: &str| answer.validation_details[field].join("|");
        assert_eq!(said("Save"), "a|b");
        assert_eq!(said("Tag"), "c");
        assert_eq!(said("Language"), "");
        assert_eq!(said("Odd"), "");
    }

    #[test]
    fn surprises_read_as_absent() {
        let bodies = [
            "{}",
            r#"{"HttpStatusCode":null,"FlinksCode":null,"Message":null,"ValidationDetails":[],"RequestId":7,
                "SecurityChallenges":null,"Login":"x","Links":{},"Institution":null,"InstitutionId":"x","Tag":{}}"#,
        ];
        for body in bodies {
            let answer: AuthorizeResponse = from_json(body.as_bytes()).unwrap();
            assert_eq!(answer, AuthorizeResponse::default(), "{body}");
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let request =
            Credentials::new("CANARY-4711", "CANARY-4711", "CANARY-4711").tag("CANARY-4711");
        let login = StoredLogin::live(LoginId::new("CANARY-4711").unwrap()).tag("CANARY-4711");
        let answer: AuthorizeResponse = from_json(
            br#"{"FlinksCode":"CANARY-4711","Message":"CANARY-4711","ValidationDetails":{"CANARY-4711":"CANARY-4711"},
                 "RequestId":"CANARY-4711","SecurityChallenges":[{"Prompt":"CANARY-4711"}],
                 "Login":{"Username":"CANARY-4711","Id":"CANARY-4711","LastRefresh":"CANARY-4711","Type":"CANARY-4711"},
                 "Institution":"CANARY-4711","InstitutionName":"CANARY-4711","Tag":"CANARY-4711"}"#,
        )
        .unwrap();
        let shown = format!(
            "{:?}{:?}{answer:?}{answer:#?}",
            AuthorizeRequest::from(request),
            AuthorizeRequest::from(login)
        );
        assert!(!shown.contains("CANARY-4711"), "{shown}");
    }

    proptest! {
        #[test]
        fn the_buffer_never_grew(password in ".*", tag in ".*") {
            let credentials = Credentials::new("i", "u", password.as_str()).tag(tag.as_str());
            let json = AuthorizeRequest::from(credentials).to_json().unwrap();
            prop_assert_eq!(json.len(), json.capacity());
            let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(read["Password"].as_str(), Some(password.as_str()));
            prop_assert_eq!(read["Tag"].as_str(), Some(tag.as_str()));
        }

        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(from_json::<AuthorizeResponse>(&body));
        }
    }
}
