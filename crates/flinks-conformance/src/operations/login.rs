//! The calls about a saved login, and the list of institutions.

use flinks_legacy::{
    Acknowledgement, DeleteCard, Institutions, MfaQuestions, NightlyStatus, SetScheduledRefresh,
};
use flinks_transport::{Endpoint, Error};
use flinks_types::{InstitutionsResponse, MfaQuestionsResponse, NightlyStatusResponse};
use flinks_types::{LoginId, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CaseCall, Host, Outcome, Running, Single, Stack, legacy_client};
use crate::keys::Keys;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteInput {
    login_id: LoginId,
}

impl Single for DeleteInput {
    type Operation = DeleteCard;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<DeleteCard, Error> {
        Ok(DeleteCard::new(
            keys.customer_at(endpoint),
            self.login_id.clone(),
        ))
    }

    fn canonical(done: &Acknowledgement) -> Value {
        acknowledged(done)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshInput {
    login_id: LoginId,
    on: bool,
}

impl Single for RefreshInput {
    type Operation = SetScheduledRefresh;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<SetScheduledRefresh, Error> {
        let id = self.login_id.clone();
        Ok(SetScheduledRefresh::new(
            keys.customer_at(endpoint),
            id,
            self.on,
        ))
    }

    fn canonical(done: &Acknowledgement) -> Value {
        acknowledged(done)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NightlyInput {}

impl Single for NightlyInput {
    type Operation = NightlyStatus;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<NightlyStatus, Error> {
        Ok(NightlyStatus::new(keys.customer_at(endpoint)))
    }

    fn canonical(answer: &NightlyStatusResponse) -> Value {
        super::answer(answer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionsInput {
    login_id: LoginId,
}

impl Single for QuestionsInput {
    type Operation = MfaQuestions;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<MfaQuestions, Error> {
        Ok(MfaQuestions::new(
            keys.customer_at(endpoint),
            self.login_id.clone(),
        ))
    }

    fn canonical(answer: &MfaQuestionsResponse) -> Value {
        super::answer(answer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstitutionsInput {
    skip: u32,
    take: u32,
}

impl Single for InstitutionsInput {
    type Operation = Institutions;

    fn operation(&self, endpoint: Endpoint, keys: &Keys) -> Result<Institutions, Error> {
        Ok(Institutions::new(
            keys.customer_at(endpoint),
            self.skip,
            self.take,
        ))
    }

    fn canonical(answer: &InstitutionsResponse) -> Value {
        super::answer(answer)
    }
}

/// Questions and their answers travel in a sealed body: there is no codec to look at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswersInput {
    login_id: LoginId,
    answers: Vec<(String, String)>,
}

impl CaseCall for AnswersInput {
    fn host(&self) -> Host {
        Host::Results
    }

    fn secrets(&self) -> Vec<String> {
        let answers = self.answers.iter();
        answers.map(|(_, answer)| answer.clone()).collect()
    }

    fn run<'c>(&'c self, stack: &'c Stack) -> Running<'c> {
        Box::pin(async move {
            let client = match legacy_client(stack) {
                Ok(client) => client,
                Err(error) => return Outcome::failed(error),
            };
            let answers = self.answers.iter();
            let answers = answers
                .map(|(question, answer)| (question.as_str(), Secret::from(answer.as_str())));
            let called = client.answer_mfa_questions(&self.login_id, answers).await;
            Outcome::of(called, acknowledged)
        })
    }
}

fn acknowledged(done: &Acknowledgement) -> Value {
    super::compact(json!({ "Message": done.message }))
}
