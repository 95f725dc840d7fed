//! A round that is stored and answered by another process, without secrets in its JSON.

use flinks_auth::LegacyKeys;
use flinks_legacy::{Authorize, ChallengeRound, QuestionKind};

use flinks_transport::testing::{Reply, ScriptedService};

use crate::service::{asks, client, credentials, opens};

fn with_auth_key() -> LegacyKeys {
    LegacyKeys::new().auth_key("canary-key")
}

#[tokio::test(start_paused = true)]
async fn a_waiting_session_is_continued_in_another_process() {
    let token = |token: &str| {
        Reply::json(
            200,
            format!(r#"{{"HttpStatusCode":200,"Token":"{token}"}}"#),
        )
    };
    let challenge = r#"[{"Type":"QuestionAndAnswer","Prompt":"Où : $?","Iterables":null}]"#;
    let here = ScriptedService::new([token("canary-token"), asks(challenge)]);
    let client_here = client(here.builder(), with_auth_key());
    let Authorize::Challenged(round) = client_here.authorize(credentials()).await.unwrap() else {
        panic!("a challenge")
    };
    let mut unsent = round.answers();
    round
        .questions()
        .next()
        .unwrap()
        .kind()
        .answer_raw(&mut unsent, ["canary-answer"])
        .unwrap();
    let written = serde_json::to_string(&round).unwrap();
    assert!(
        !written.contains("canary") && !written.contains("Greatday"),
        "{written}"
    );

    let there = ScriptedService::new([token("another"), opens()]);
    let client_there = client(there.builder(), with_auth_key());
    let read: ChallengeRound =
        serde_json::from_value(serde_json::from_str(&written).unwrap()).unwrap();
    assert_eq!(read.request_id(), round.request_id());
    let mut answers = read.answers();
    let QuestionKind::Text(q) = read.questions().next().unwrap().kind() else {
        panic!("free text")
    };
    q.answer(&mut answers, "Montréal").unwrap();
    let session = client_there
        .answer(answers.finish().unwrap())
        .await
        .unwrap();
    assert!(matches!(session, Authorize::Authorized(_)));
    let seen = there.requests();
    assert_eq!(seen[1].headers["flinks-auth-key"], "another");
    assert!(
        seen[1].text().ends_with(r#"{"Où : $?":["Montréal"]}}"#),
        "{}",
        seen[1].text()
    );
}

#[test]
fn what_was_not_written_here_is_refused() {
    for wrong in [r#"{}"#, r#"{"request_id":"..","questions":[]}"#] {
        serde_json::from_str::<ChallengeRound>(wrong).unwrap_err();
    }
}
