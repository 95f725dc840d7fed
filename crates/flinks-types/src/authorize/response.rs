//! The answer of `/Authorize`: a session, questions, or a failure.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

use crate::challenge::SecurityChallenge;
use crate::lenient::text_of;
use crate::wire::{Expected, Field, wire_struct};
use crate::{FlinksCode, Link, Login, RequestId};

wire_struct! {
    /// The answer of `/Authorize`, whatever its status: a session, questions, or a failure.
    ///
    /// `Debug` gives only the lengths of texts.
    ///
    /// Source: Legacy guide, Authorize and Multi-Factor Authentication.
    pub strict struct AuthorizeResponse {
        /// The status that the body repeats.
        pub http_status_code: Option<u16>,
        /// The service's word for what happened.
        pub flinks_code: Option<FlinksCode>,
        /// The service's sentence about it; informational.
        pub message: Option<String>,
        /// What is wrong with which field of the request.
        pub validation_details: BTreeMap<String, Vec<String>>,
        /// Names the session. It may change from answer to answer: the newest counts.
        pub request_id: Option<RequestId>,
        /// The bank's questions; with any, the session goes on whatever the status says.
        pub security_challenges: Vec<SecurityChallenge>,
        /// Whose session it is.
        pub login: Option<Login>,
        /// What is offered next.
        pub links: Vec<Link>,
        /// The bank, by the name that requests use.
        pub institution: Option<String>,
        /// The bank, by the name to show.
        pub institution_name: Option<String>,
        /// The bank, by number.
        pub institution_id: Option<u32>,
        /// The label that the request brought.
        pub tag: Option<String>,
    }
}

/// A map from a field to its complaints: a list of them, or a single one.
impl Field for BTreeMap<String, Vec<String>> {
    fn read(json: &RawValue) -> Result<Self, Expected> {
        let fields = serde_json::from_str::<BTreeMap<String, &RawValue>>(json.get());
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
    let single = text_of(json).map(|text| vec![text]);
    single.unwrap_or_else(|| serde_json::from_str(json).unwrap_or_default())
}
