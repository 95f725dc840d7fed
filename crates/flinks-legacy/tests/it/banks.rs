//! Every documented bank of the sandbox, from credentials to a session, over real TLS.

use std::time::Duration;

use flinks_auth::LegacyKeys;
use flinks_legacy::{
    Answers, Authorize, ChallengeRound, Channel, CompletedAnswers, LegacyClient, Question,
    QuestionKind, Refusal,
};
use flinks_sandbox::{ApiOperation, Sandbox};
use flinks_transport::testing::HostileLayer;
use flinks_transport::{Endpoint, Error, Roots, Transport};
use flinks_types::{Credentials, CustomerId, Language, StoredLogin};

async fn sandbox() -> Sandbox {
    Sandbox::builder()
        .auth_key("canary auth key")
        .device_approval(Duration::ZERO)
        .start()
        .await
        .unwrap()
}

fn client(sandbox: &Sandbox, keys: LegacyKeys) -> LegacyClient {
    let roots = Roots::pem(sandbox.ca_pem().as_bytes()).unwrap();
    LegacyClient::new(
        Transport::builder().roots(roots).build().unwrap(),
        Endpoint::new(sandbox.results_url()).unwrap(),
        CustomerId::new(sandbox.customer_id()).unwrap(),
        keys,
    )
    .unwrap()
}

fn keys(sandbox: &Sandbox) -> LegacyKeys {
    LegacyKeys::new().auth_key(sandbox.auth_key().unwrap())
}

/// What the customer of any bank would answer.
fn answer(question: Question<'_>, answers: &mut Answers) -> Result<(), Error> {
    let known = [
        ("city", "Montreal"),
        ("Où", "Montréal"),
        ("country", "Canada"),
        ("pays", "Canada"),
        ("shape", "Triangle"),
        ("forme", "Triangle"),
        ("mother", "Louise"),
        ("father", "Paul"),
        ("dog", "Wouf"),
        ("code", "123456"),
        ("line 7", "maple"),
    ];
    let text = |prompt: &str| {
        let found = known.iter().find(|(word, _)| prompt.contains(word));
        found.map_or("123456", |(_, answer)| *answer)
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest is answered raw")]
    match question.kind() {
        QuestionKind::Approval(q) => q.approved(answers),
        QuestionKind::Code(q) => q.enter(answers, text(q.text())),
        QuestionKind::Date(q) => q.answer(answers, "1990-01-31"),
        QuestionKind::Image(q) => q.choose(answers, q.images().nth(3).unwrap()),
        QuestionKind::NewQuestion(q) => {
            // The prompts are numbered, and so each takes another of the same questions.
            let place = q.text().chars().last().unwrap().to_digit(10).unwrap();
            let chosen = q.choices().nth(place as usize).unwrap();
            q.choose(answers, chosen, "a new answer")
        }
        QuestionKind::SingleChoice(q) => q.choose(answers, q.choices().last().unwrap()),
        QuestionKind::Phone(q) => q.send_to(answers, q.numbers().nth(1).unwrap(), Channel::Text),
        QuestionKind::MultipleChoice(q) => {
            q.choose(answers, ["Purchase 1: $10.35", "Purchase 3: $143.86"])
        }
        QuestionKind::Text(q) => q.answer(answers, text(q.text())),
        other => other.answer_raw(answers, [text(question.text())]),
    }
}

fn answered(round: &ChallengeRound) -> CompletedAnswers {
    let mut answers = round.answers();
    for question in round.questions() {
        answer(question, &mut answers).unwrap();
    }
    answers.finish().unwrap()
}

/// How many rounds and questions it took.
async fn sign_in(client: &LegacyClient, credentials: Credentials) -> (usize, usize) {
    let mut step = client.authorize(credentials).await.unwrap();
    let (mut rounds, mut questions) = (0, 0);
    while let Authorize::Challenged(round) = step {
        rounds += 1;
        questions += round.questions().len();
        assert!(
            rounds < 10,
            "a bank that does not like the answers asks for ever"
        );
        step = client.answer(answered(&round)).await.unwrap();
    }
    let Authorize::Authorized(session) = step else {
        panic!("a session")
    };
    assert!(session.login_id().is_some());
    (rounds, questions)
}

async fn challenged(client: &LegacyClient, institution: &str, user: &str) -> ChallengeRound {
    let credentials = Credentials::new(institution, user, "Everyday");
    let Authorize::Challenged(round) = client.authorize(credentials).await.unwrap() else {
        panic!("a challenge")
    };
    round
}

fn wrong(round: &ChallengeRound) -> CompletedAnswers {
    let mut answers = round.answers();
    for question in round.questions() {
        question.kind().answer_raw(&mut answers, ["wrong"]).unwrap();
    }
    answers.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bank_lets_its_customer_in() {
    let sandbox = sandbox().await;
    let client = client(&sandbox, keys(&sandbox));
    let banks = [
        ("FlinksCapital", "greatday_nomfa", (0, 0)),
        ("FlinksCapital", "test_already_authorized", (0, 0)),
        ("FlinksCapital", "Greatday", (3, 3)),
        ("FlinksCapital", "greatday_together", (1, 3)),
        ("FlinksCapital", "greatday_other_types", (1, 3)),
        ("RBC", "rbc_new_questions", (1, 3)),
        ("RBC", "rbc_device", (1, 1)),
        ("Laurentienne", "laurentienne_image", (2, 2)),
        ("National", "national_securid", (2, 2)),
        ("Scotia", "scotia_reset", (2, 5)),
        ("TD", "td_code", (2, 2)),
    ];
    for (institution, user, expected) in banks {
        let credentials = Credentials::new(institution, user, "Everyday");
        assert_eq!(sign_in(&client, credentials).await, expected, "{user}");
    }
    let french = Credentials::new("FlinksCapital", "Greatday", "Everyday");
    let rounds = sign_in(&client, french.language(Language::French)).await;
    assert_eq!(rounds, (3, 3));
    // One token a session: none was refused on the way.
    let sessions = banks.len() + 1;
    assert_eq!(sandbox.requests(ApiOperation::AuthorizeToken), sessions);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_answers_are_asked_again_or_end_the_session() {
    let sandbox = sandbox().await;
    let client = client(&sandbox, keys(&sandbox));

    let round = challenged(&client, "RBC", "rbc_triple").await;
    let Authorize::Challenged(again) = client.answer(wrong(&round)).await.unwrap() else {
        panic!("another chance")
    };
    assert!(again.answers_were_wrong());
    assert_eq!(again.questions().len(), 3);
    let outcome = client.answer(answered(&again)).await.unwrap();
    assert!(matches!(outcome, Authorize::Authorized(_)));

    let round = challenged(&client, "FlinksCapital", "greatday_noretry").await;
    let error = client.answer(wrong(&round)).await.unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::WrongAnswerFinal));

    let round = challenged(&client, "TD", "td_code").await;
    let Authorize::Challenged(code) = client.answer(answered(&round)).await.unwrap() else {
        panic!("a code")
    };
    let error = client.answer(wrong(&code)).await.unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::WrongAnswer));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_tell_who_must_act() {
    let sandbox = sandbox().await;
    let right = client(&sandbox, keys(&sandbox));
    let refused = async |client: &LegacyClient, user: &str, password: &str| {
        let credentials = Credentials::new("FlinksCapital", user, password);
        client.authorize(credentials).await.unwrap_err().refusal()
    };
    let rows = [
        ("Greatday", "wrong", Refusal::BankLogin),
        ("test_disabled_account", "Everyday", Refusal::BankLogin),
        ("test_service_unavailable", "Everyday", Refusal::BankDown),
    ];
    for (user, password, expected) in rows {
        let seen = refused(&right, user, password).await;
        assert_eq!(seen, Some(expected), "{user}");
    }
    for keys in [LegacyKeys::new(), LegacyKeys::new().auth_key("another")] {
        let wrong = client(&sandbox, keys);
        let seen = refused(&wrong, "greatday_nomfa", "Everyday").await;
        assert_eq!(seen, Some(Refusal::ApiCredentials));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_login_comes_back_cached_and_live() {
    let sandbox = sandbox().await;
    let client = client(&sandbox, keys(&sandbox));
    let credentials = Credentials::new("FlinksCapital", "greatday_together", "Everyday");
    let round = client.authorize(credentials).await.unwrap();
    let Authorize::Challenged(round) = round else {
        panic!("a challenge")
    };
    // Another process answers.
    let written = serde_json::to_vec(&round).unwrap();
    let round: ChallengeRound = serde_json::from_slice(&written).unwrap();
    let Authorize::Authorized(session) = client.answer(answered(&round)).await.unwrap() else {
        panic!("a session")
    };
    let login_id = session.login_id().unwrap().clone();
    let cached = client
        .authorize(StoredLogin::cached(login_id.clone()))
        .await;
    assert!(matches!(cached.unwrap(), Authorize::Authorized(_)));
    let live = client.authorize(StoredLogin::live(login_id)).await;
    let Authorize::Challenged(round) = live.unwrap() else {
        panic!("a challenge")
    };
    let outcome = client.answer(answered(&round)).await.unwrap();
    assert!(matches!(outcome, Authorize::Authorized(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_sees_credentials_and_answers_once_through_a_hostile_layer() {
    let sandbox = sandbox().await;
    let roots = Roots::pem(sandbox.ca_pem().as_bytes()).unwrap();
    let builder = Transport::builder().roots(roots);
    let hostile = LegacyClient::new(
        builder.layer(HostileLayer::new(3)).build().unwrap(),
        Endpoint::new(sandbox.results_url()).unwrap(),
        CustomerId::new(sandbox.customer_id()).unwrap(),
        keys(&sandbox),
    )
    .unwrap();
    let credentials = Credentials::new("FlinksCapital", "Greatday", "Everyday");
    hostile.authorize(credentials.clone()).await.unwrap_err();
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 1);

    let plain = client(&sandbox, keys(&sandbox));
    let Authorize::Challenged(round) = plain.authorize(credentials).await.unwrap() else {
        panic!("a challenge")
    };
    hostile.answer(answered(&round)).await.unwrap_err();
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 3);
}
