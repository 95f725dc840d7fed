//! The outcome of a call: its canonical output or the facts of its error, and every text that could leak.

use std::fmt;

use flinks_legacy::{AuthorizeError, Refusal};
use flinks_transport::{Error, ErrorKind};
use flinks_upload::{UploadError, UploadErrorKind};
use serde_json::Value;

/// The outcome of a call.
pub(crate) struct Outcome {
    pub(crate) result: Result<Value, Box<Failure>>,
    /// Everything that a program could print of it.
    pub(crate) texts: Vec<(&'static str, String)>,
}

/// An error, and what a session adds to it.
pub(crate) struct Failure {
    pub(crate) kind: &'static str,
    pub(crate) error: Error,
    pub(crate) file: Option<String>,
    pub(crate) aggregation_id: Option<String>,
    pub(crate) abandoned: Vec<String>,
    pub(crate) abandoned_unnamed: u64,
    pub(crate) refusal: Option<&'static str>,
    pub(crate) session: Option<String>,
}

impl Outcome {
    /// The outcome of a call whose error is the transport's.
    pub(crate) fn of<T: fmt::Debug>(called: Result<T, Error>, canonical: fn(&T) -> Value) -> Self {
        match called {
            Ok(output) => Self::ok(canonical(&output), &output),
            Err(error) => Self::failed(error),
        }
    }

    pub(crate) fn ok(value: Value, output: &dyn fmt::Debug) -> Self {
        let texts = vec![("Debug", format!("{output:?} {output:#?}"))];
        Self {
            result: Ok(value),
            texts,
        }
    }

    /// Adds a text that a program could print together with the outcome.
    pub(crate) fn showing(mut self, place: &'static str, text: String) -> Self {
        self.texts.push((place, text));
        self
    }

    pub(crate) fn failed(error: Error) -> Self {
        let texts = vec![
            ("Debug", format!("{error:?} {error:#?}")),
            ("Display", error.to_string()),
            ("report()", error.report().to_string()),
        ];
        let failure = Failure {
            kind: kind_word(&error),
            error,
            file: None,
            aggregation_id: None,
            abandoned: Vec::new(),
            abandoned_unnamed: 0,
            refusal: None,
            session: None,
        };
        Self {
            result: Err(Box::new(failure)),
            texts,
        }
    }

    pub(crate) fn session_failed(error: &UploadError) -> Self {
        let mut outcome = Self::failed(error.error().clone());
        outcome
            .texts
            .push(("the session's Debug", format!("{error:?} {error:#?}")));
        outcome
            .texts
            .push(("the session's Display", error.to_string()));
        if let Err(failure) = &mut outcome.result {
            failure.kind = error.kind().as_str();
            failure.file = error.file().map(ToOwned::to_owned);
            failure.aggregation_id = error.aggregation_id().map(|id| id.as_str().to_owned());
            failure.abandoned = error
                .abandoned()
                .iter()
                .map(|id| id.as_str().to_owned())
                .collect();
            failure.abandoned_unnamed = error.abandoned_unknown();
        }
        outcome
    }

    pub(crate) fn authorize_failed(error: &AuthorizeError) -> Self {
        let mut outcome = Self::failed(error.error().clone());
        let session = error.session();
        let debug = format!("{error:?} {error:#?} {session:?}");
        outcome.texts.push(("Authorize's Debug", debug));
        outcome
            .texts
            .push(("Authorize's Display", error.to_string()));
        if let Err(failure) = &mut outcome.result {
            failure.refusal = error.refusal().map(word);
            failure.session = session.map(|session| session.request_id().as_str().to_owned());
        }
        outcome
    }
}

/// The word of the fixtures for a kind: in a call, only a document can fail on this machine.
pub(crate) fn kind_word(error: &Error) -> &'static str {
    if error.kind() == ErrorKind::Local {
        UploadErrorKind::File.as_str()
    } else {
        error.kind().as_str()
    }
}

const fn word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::ApiCredentials => "api_credentials",
        Refusal::BankDown => "bank_down",
        Refusal::BankLogin => "bank_login",
        Refusal::Pending => "pending",
        Refusal::SessionOver => "session_over",
        Refusal::WrongAnswer => "wrong_answer",
        Refusal::WrongAnswerFinal => "wrong_answer_final",
        _ => "unknown to the runner",
    }
}
