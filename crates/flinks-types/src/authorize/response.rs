//! The answer of `/Authorize`: a session, questions, or a failure.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::value::RawValue;

use crate::challenge::SecurityChallenge;
use crate::lenient;
use crate::shown::Length;
use crate::status::http_status_code;
use crate::{FlinksCode, Link, Login, RequestId};

/// The answer of `/Authorize`, whatever its status: a session, questions, or a failure.
///
/// `Debug` gives only the lengths of texts.
///
/// Source: Legacy guide, Authorize and Multi-Factor Authentication.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct AuthorizeResponse {
    /// The status that the body repeats.
    #[serde(deserialize_with = "http_status_code")]
    pub http_status_code: Option<u16>,
    /// The service's word for what happened.
    #[serde(deserialize_with = "lenient::word")]
    pub flinks_code: Option<FlinksCode>,
    /// The service's sentence about it; informational.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// What is wrong with which field of the request.
    #[serde(deserialize_with = "details")]
    pub validation_details: BTreeMap<String, Vec<String>>,
    /// Names the session. It may change from answer to answer: the newest counts.
    #[serde(deserialize_with = "lenient::id")]
    pub request_id: Option<RequestId>,
    /// The bank's questions; with any, the session goes on whatever the status says.
    #[serde(deserialize_with = "lenient::elements")]
    pub security_challenges: Vec<SecurityChallenge>,
    /// Whose session it is.
    #[serde(deserialize_with = "lenient::loose_part")]
    pub login: Option<Login>,
    /// What is offered next.
    #[serde(deserialize_with = "lenient::loose_elements")]
    pub links: Vec<Link>,
    /// The bank, by the name that requests use.
    #[serde(deserialize_with = "lenient::text")]
    pub institution: Option<String>,
    /// The bank, by the name to show.
    #[serde(deserialize_with = "lenient::text")]
    pub institution_name: Option<String>,
    /// The bank, by number.
    #[serde(deserialize_with = "lenient::count")]
    pub institution_id: Option<u32>,
    /// The label that the request brought.
    #[serde(deserialize_with = "lenient::text")]
    pub tag: Option<String>,
}

/// A map from a field to its complaints: a list of them, or a bare one.
fn details<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let fields: BTreeMap<String, &RawValue> =
        serde_json::from_str(lenient::raw(deserializer)?.get()).unwrap_or_default();
    Ok(fields
        .into_iter()
        .map(|(field, said)| (field, texts_of(said.get())))
        .collect())
}

fn texts_of(json: &str) -> Vec<String> {
    let bare = lenient::text_of(json).map(|text| vec![text]);
    bare.unwrap_or_else(|| serde_json::from_str(json).unwrap_or_default())
}

impl fmt::Debug for AuthorizeResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeResponse")
            .field("http_status_code", &self.http_status_code)
            .field("flinks_code", &self.flinks_code)
            .field("message", &Length::of(&self.message))
            .field("validation_details", &self.validation_details.len())
            .field("request_id", &self.request_id)
            .field("security_challenges", &self.security_challenges)
            .field("login", &self.login)
            .field("links", &self.links)
            .field("institution", &Length::of(&self.institution))
            .field("institution_name", &Length::of(&self.institution_name))
            .field("institution_id", &self.institution_id)
            .field("tag", &Length::of(&self.tag))
            .finish()
    }
}
