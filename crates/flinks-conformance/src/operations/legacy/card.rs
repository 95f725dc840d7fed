//! The calls about a saved login, and the list of institutions: inputs and calls.

use flinks_legacy::{DeleteCard, Institutions, MfaQuestions, NightlyStatus, SetScheduledRefresh};
use flinks_transport::{CustomerEndpoint, Error};
use flinks_types::{
    InstitutionsResponse, LoginId, MfaQuestionsResponse, NightlyStatusResponse, Secret,
};
use serde::Deserialize;
use serde_json::Value;

use super::{LegacyCall, Running, Single, canonical, client};
use crate::operations::{Outcome, Stack};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct DeleteInput {
    login_id: LoginId,
}

impl Single for DeleteInput {
    type Operation = DeleteCard;

    fn operation(&self, endpoint: CustomerEndpoint) -> Result<DeleteCard, Error> {
        Ok(DeleteCard::new(endpoint, self.login_id.clone()))
    }

    fn canonical(done: &flinks_legacy::Acknowledgement) -> Value {
        canonical::acknowledged(done)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct RefreshInput {
    login_id: LoginId,
    on: bool,
}

impl Single for RefreshInput {
    type Operation = SetScheduledRefresh;

    fn operation(&self, endpoint: CustomerEndpoint) -> Result<SetScheduledRefresh, Error> {
        let id = self.login_id.clone();
        Ok(SetScheduledRefresh::new(endpoint, id, self.on))
    }

    fn canonical(done: &flinks_legacy::Acknowledgement) -> Value {
        canonical::acknowledged(done)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct NightlyInput {}

impl Single for NightlyInput {
    type Operation = NightlyStatus;

    fn operation(&self, endpoint: CustomerEndpoint) -> Result<NightlyStatus, Error> {
        Ok(NightlyStatus::new(endpoint))
    }

    fn canonical(answer: &NightlyStatusResponse) -> Value {
        canonical::nightly(answer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct QuestionsInput {
    login_id: LoginId,
}

impl Single for QuestionsInput {
    type Operation = MfaQuestions;

    fn operation(&self, endpoint: CustomerEndpoint) -> Result<MfaQuestions, Error> {
        Ok(MfaQuestions::new(endpoint, self.login_id.clone()))
    }

    fn canonical(answer: &MfaQuestionsResponse) -> Value {
        canonical::questions(answer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct InstitutionsInput {
    skip: u32,
    take: u32,
}

impl Single for InstitutionsInput {
    type Operation = Institutions;

    fn operation(&self, endpoint: CustomerEndpoint) -> Result<Institutions, Error> {
        Ok(Institutions::new(endpoint, self.skip, self.take))
    }

    fn canonical(answer: &InstitutionsResponse) -> Value {
        canonical::institutions(answer)
    }
}

/// Questions and their answers travel in a sealed body: there is no codec to look at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct AnswersInput {
    login_id: LoginId,
    answers: Vec<(String, String)>,
}

impl LegacyCall for AnswersInput {
    fn secrets(&self) -> Vec<String> {
        let answers = self.answers.iter();
        answers.map(|(_, answer)| answer.clone()).collect()
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(async move {
            let client = match client(stack) {
                Ok(client) => client,
                Err(error) => return Outcome::failed(error),
            };
            let answers = self.answers.iter();
            let answers = answers
                .map(|(question, answer)| (question.as_str(), Secret::from(answer.as_str())));
            match client.answer_mfa_questions(&self.login_id, answers).await {
                Ok(done) => Outcome::ok(canonical::acknowledged(&done), &done),
                Err(error) => Outcome::failed(error),
            }
        })
    }
}
