//! The answer of `/Authorize`: a session, questions, or a failure.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserializer;
use serde_json::value::RawValue;

use crate::challenge::SecurityChallenge;
use crate::lenient::text_of;
use crate::wire::{Field, raw, wire_struct};
use crate::{FlinksCode, Link, Login, RequestId};

wire_struct! {
    /// The answer of `/Authorize` with any status: a session, questions, or a failure.
    ///
    /// `Debug` shows only the lengths of texts.
    ///
    /// Source: Legacy guide, Authorize and Multi-Factor Authentication.
    pub strict struct AuthorizeResponse {
        /// The status in the body.
        pub http_status_code: Option<u16> = "HttpStatusCode",
        /// The service's code of the result.
        pub flinks_code: Option<FlinksCode> = "FlinksCode",
        /// The service's message; informational.
        pub message: Option<String> = "Message",
        /// The errors of each field of the request.
        pub validation_details: BTreeMap<String, Vec<String>> = "ValidationDetails",
        /// The id of the session. Each answer may bring a new one, which replaces the one before.
        pub request_id: Option<RequestId> = "RequestId",
        /// The bank's questions. If there are any, the session continues with any status.
        pub security_challenges: Vec<SecurityChallenge> = "SecurityChallenges",
        /// The login of the session.
        pub login: Option<Login> = "Login",
        /// The calls that the service offers next.
        pub links: Vec<Link> = "Links",
        /// The institution, by its name in requests.
        pub institution: Option<String> = "Institution",
        /// The institution's display name.
        pub institution_name: Option<String> = "InstitutionName",
        /// The institution's number.
        pub institution_id: Option<u32> = "InstitutionId",
        /// The tag of the request.
        pub tag: Option<String> = "Tag",
    }
}

/// A map from a field to its errors: a list of them, or a single one.
impl Field for BTreeMap<String, Vec<String>> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = serde_json::from_str::<BTreeMap<String, &RawValue>>(raw(deserializer)?);
        let fields = fields.unwrap_or_default().into_iter();
        Ok(fields
            .map(|(field, said)| (field, texts_of(said.get())))
            .collect())
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fields", self.len())
    }
}

fn texts_of(json: &str) -> Vec<String> {
    let single = text_of(json).map(|text| vec![text.into_owned()]);
    single.unwrap_or_else(|| serde_json::from_str(json).unwrap_or_default())
}
