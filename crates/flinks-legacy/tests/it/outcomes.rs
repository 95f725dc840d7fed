//! How a call to Authorize can end, by status, FlinksCode and challenges.

use std::time::Duration;

use flinks_legacy::{Authorize, AuthorizeError, Refusal};
use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Delivery, ErrorKind};
use flinks_types::{
    AuthorizeRequest, Credentials, Language, LinkRel, LoginId, LoginType, RequestId, StoredLogin,
};

use crate::service::{LegacyService as _, OPEN, REQUEST_ID, asks, credentials, opens};

async fn ends(status: u16, body: &str) -> Result<Authorize, AuthorizeError> {
    ScriptedService::new([Reply::json(status, body)])
        .client()
        .authorize(credentials())
        .await
}

#[tokio::test(start_paused = true)]
async fn the_three_forms_are_written_as_documented() {
    let login = LoginId::new("b0debb48-f9f1-46c6-80a4-08d7dd88d478").unwrap();
    let plain = Credentials::new("FlinksCapital", "Greatday", "Everyday");
    let all = plain
        .clone()
        .language(Language::French)
        .tag("zoë")
        .save(false)
        .schedule_refresh(true)
        .with_mfa_questions(true);
    let rows: [(AuthorizeRequest, &str); 4] = [
        (
            plain.into(),
            r#"{"Institution":"FlinksCapital","Username":"Greatday","Password":"Everyday","MostRecentCached":false,"Save":true}"#,
        ),
        (
            all.into(),
            r#"{"Institution":"FlinksCapital","Username":"Greatday","Password":"Everyday","MostRecentCached":false,"Save":false,"Language":"fr","Tag":"zoë","ScheduleRefresh":true,"WithMfaQuestions":true}"#,
        ),
        (
            StoredLogin::cached(login.clone()).into(),
            r#"{"LoginId":"b0debb48-f9f1-46c6-80a4-08d7dd88d478","MostRecentCached":true}"#,
        ),
        (
            StoredLogin::live(login).tag("t").into(),
            r#"{"LoginId":"b0debb48-f9f1-46c6-80a4-08d7dd88d478","MostRecentCached":false,"Save":true,"Tag":"t"}"#,
        ),
    ];
    for (request, expected) in rows {
        let service = ScriptedService::new([opens()]);
        drop(service.client().authorize(request).await.unwrap());
        let seen = &service.requests()[0];
        assert_eq!(seen.text(), expected);
        assert_eq!(seen.uri.path(), "/v3/43387ca6/BankingServices/Authorize");
        assert_eq!(seen.headers["content-type"], "application/json");
    }
}

#[tokio::test(start_paused = true)]
async fn the_guides_session_is_read() {
    let Authorize::Authorized(session) = ends(200, OPEN).await.unwrap() else {
        panic!("a session")
    };
    assert_eq!(session.request_id().as_str(), REQUEST_ID);
    let login = session.login().unwrap();
    assert_eq!(login.username.as_deref(), Some("Greatday"));
    assert_eq!(login.r#type, Some(LoginType::Personal));
    assert_eq!(
        session.login_id().unwrap().as_str(),
        "b0debb48-f9f1-46c6-80a4-08d7dd88d478"
    );
    assert_eq!(session.links()[0].rel, Some(LinkRel::AccountsDetail));
    assert_eq!(session.institution(), Some("FlinksCapital"));
    assert!(!format!("{session:?}").contains("Greatday"));
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_request_is_not_sent() {
    for incomplete in [
        Credentials::new("", "u", "p"),
        Credentials::new("i", "", "p"),
        Credentials::new("i", "u", ""),
    ] {
        let service = ScriptedService::new([opens()]);
        let error = service.client().authorize(incomplete).await.unwrap_err();
        assert_eq!(
            (error.error().kind(), service.count()),
            (ErrorKind::Input, 0)
        );
    }
}

/// Status, body, and whether it is a session or a challenge.
const GOES_ON: &[(u16, &str, bool)] = &[
    (200, r#"{"HttpStatusCode":200,"RequestId":"r"}"#, true),
    (
        200,
        r#"{"HttpStatusCode":"OK","RequestId":"r","FlinksCode":"OK"}"#,
        true,
    ),
    (
        401,
        r#"{"HttpStatusCode":401,"RequestId":"r","FlinksCode":"ALREADY_AUTHORIZED"}"#,
        true,
    ),
    (
        203,
        r#"{"SecurityChallenges":[{"Type":"QuestionAndAnswer","Prompt":"a"}],"RequestId":"r"}"#,
        false,
    ),
    (
        200,
        r#"{"HttpStatusCode":200,"SecurityChallenges":[{"Prompt":"a"}],"RequestId":"r"}"#,
        false,
    ),
    (
        401,
        r#"{"HttpStatusCode":401,"FlinksCode":"INVALID_SECURITY_RESPONSE","SecurityChallenges":[{"Prompt":"a"}],"RequestId":"r"}"#,
        false,
    ),
    (
        500,
        r#"{"HttpStatusCode":203,"SecurityChallenges":[null],"RequestId":"r"}"#,
        false,
    ),
];

#[tokio::test(start_paused = true)]
async fn challenges_come_first_whatever_the_status() {
    for (status, body, open) in GOES_ON {
        let outcome = ends(*status, body).await.unwrap();
        assert_eq!(matches!(outcome, Authorize::Authorized(_)), *open, "{body}");
        assert_eq!(
            matches!(outcome, Authorize::Challenged(_)),
            !*open,
            "{body}"
        );
        if let Authorize::Challenged(round) = outcome {
            assert_eq!(
                round.answers_were_wrong(),
                body.contains("INVALID"),
                "{body}"
            );
        }
    }
}

/// Status, body, and what is made of it.
const ENDS: &[(u16, &str, ErrorKind, Delivery, Option<Refusal>)] = {
    use Delivery::{Delivered, Rejected, Unknown};
    use ErrorKind::{Api, Decode};
    &[
        (
            401,
            r#"{"FlinksCode":"INVALID_SECURITY_RESPONSE","RequestId":"r"}"#,
            Api,
            Rejected,
            Some(Refusal::WrongAnswer),
        ),
        (
            401,
            r#"{"FlinksCode":"INVALID_SECURITY_RESPONSE_NO_RETRY","SecurityChallenges":[{"Prompt":"a"}],"RequestId":"r"}"#,
            Api,
            Rejected,
            Some(Refusal::WrongAnswerFinal),
        ),
        (
            400,
            r#"{"FlinksCode":"SESSION_NONEXISTENT"}"#,
            Api,
            Rejected,
            Some(Refusal::SessionOver),
        ),
        (
            401,
            r#"{"FlinksCode":"SESSION_EXPIRED"}"#,
            Api,
            Rejected,
            Some(Refusal::SessionOver),
        ),
        (
            401,
            r#"{"FlinksCode":"RETRY_LATER","RequestId":"r"}"#,
            Api,
            Rejected,
            Some(Refusal::BankDown),
        ),
        (
            405,
            r#"{"FlinksCode":"DISABLED_INSTITUTION"}"#,
            Api,
            Rejected,
            Some(Refusal::BankDown),
        ),
        (
            401,
            r#"{"FlinksCode":"INVALID_LOGIN"}"#,
            Api,
            Rejected,
            Some(Refusal::BankLogin),
        ),
        (
            401,
            r#"{"FlinksCode":"UNAUTHORIZED","RequestId":"r"}"#,
            Api,
            Rejected,
            Some(Refusal::BankLogin),
        ),
        (
            401,
            r#"{"FlinksCode":"UNAUTHORIZED","Login":{"Id":"l"}}"#,
            Api,
            Rejected,
            Some(Refusal::BankLogin),
        ),
        (
            401,
            r#"{"FlinksCode":"UNAUTHORIZED"}"#,
            Api,
            Rejected,
            Some(Refusal::ApiCredentials),
        ),
        (
            401,
            r#"{"FlinksCode":"ACCESS_DENIED","RequestId":"r"}"#,
            Api,
            Rejected,
            Some(Refusal::ApiCredentials),
        ),
        (
            202,
            r#"{"HttpStatusCode":202,"FlinksCode":"OPERATION_DISPATCHED","RequestId":"r"}"#,
            Api,
            Delivered,
            Some(Refusal::Pending),
        ),
        (
            202,
            r#"{"RequestId":"r"}"#,
            Api,
            Delivered,
            Some(Refusal::Pending),
        ),
        (
            200,
            r#"{"HttpStatusCode":401,"FlinksCode":"INVALID_PASSWORD","RequestId":"r"}"#,
            Api,
            Rejected,
            Some(Refusal::BankLogin),
        ),
        (
            200,
            r#"{"HttpStatusCode":500,"RequestId":"r"}"#,
            Api,
            Unknown,
            None,
        ),
        (
            500,
            r#"{"HttpStatusCode":200,"RequestId":"r"}"#,
            Api,
            Unknown,
            None,
        ),
        (
            403,
            r#"{"FlinksCode":"TOO_MANY_REQUESTS"}"#,
            Api,
            Rejected,
            None,
        ),
        (502, "<html>bad gateway</html>", Api, Unknown, None),
        (401, "", Api, Rejected, None),
        (302, "", Api, Unknown, None),
        (200, "", Decode, Delivered, None),
        (200, "{}", Decode, Delivered, None),
        (200, r#"{"HttpStatusCode":200}"#, Decode, Delivered, None),
        (
            203,
            r#"{"HttpStatusCode":203,"RequestId":"r"}"#,
            Decode,
            Delivered,
            None,
        ),
        (
            203,
            r#"{"HttpStatusCode":203,"RequestId":"r","SecurityChallenges":[]}"#,
            Decode,
            Delivered,
            None,
        ),
        (
            203,
            r#"{"SecurityChallenges":[{"Prompt":"a"}]}"#,
            Decode,
            Delivered,
            None,
        ),
    ]
};

#[tokio::test(start_paused = true)]
async fn failures_are_told_apart() {
    for (status, body, kind, delivery, refusal) in ENDS {
        let error = ends(*status, body).await.expect_err(body);
        let seen = (
            error.error().kind(),
            error.error().delivery(),
            error.refusal(),
        );
        assert_eq!(
            seen,
            (*kind, *delivery, *refusal),
            "{status} {body}: {error}"
        );
        assert!(error.session().is_none(), "only a cached login has one");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_cached_login_still_has_a_session() {
    let body = r#"{"HttpStatusCode":401,"FlinksCode":"QUESTION_NOT_FOUND","RequestId":"r"}"#;
    let login = LoginId::new("b0debb48-f9f1-46c6-80a4-08d7dd88d478").unwrap();
    let ask = async |login: StoredLogin| {
        let service = ScriptedService::new([Reply::json(401, body)]);
        service.client().authorize(login).await.unwrap_err()
    };
    let cached = ask(StoredLogin::cached(login.clone())).await;
    let session = cached.session().unwrap();
    assert_eq!(session.request_id(), &RequestId::new("r").unwrap());
    assert!(ask(StoredLogin::live(login)).await.session().is_none());
}

#[tokio::test(start_paused = true)]
async fn rounds_follow_rounds_and_the_newest_request_id_counts() {
    let challenge = r#""SecurityChallenges":[{"Type":"QuestionAndAnswer","Prompt":"a"}]"#;
    let service = ScriptedService::new([
        asks(r#"[{"Type":"QuestionAndAnswer","Prompt":"a"}]"#),
        Reply::json(203, format!(r#"{{{challenge},"RequestId":"second"}}"#)),
        Reply::json(203, format!("{{{challenge}}}")),
        Reply::json(
            401,
            format!(r#"{{"FlinksCode":"INVALID_SECURITY_RESPONSE",{challenge}}}"#),
        ),
        Reply::json(200, r#"{"HttpStatusCode":200}"#),
    ]);
    let client = service.client();
    let mut step = client.authorize(credentials()).await.unwrap();
    let mut rounds = 0;
    let session = loop {
        step = match step {
            Authorize::Authorized(session) => break session,
            Authorize::Challenged(round) => {
                rounds += 1;
                let mut answers = round.answers();
                for question in round.questions() {
                    question.kind().answer_raw(&mut answers, ["x"]).unwrap();
                }
                client.answer(answers.finish().unwrap()).await.unwrap()
            }
            other => panic!("{other:?}"),
        };
    };
    assert_eq!((rounds, session.request_id().as_str()), (4, "second"));
    let ids: Vec<_> = service.requests()[1..]
        .iter()
        .map(|seen| {
            let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
            body["RequestId"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids, [REQUEST_ID, "second", "second", "second"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_bank_gets_four_minutes_and_one_chance() {
    let service = ScriptedService::new([Reply::hang()]);
    let start = tokio::time::Instant::now();
    let error = service.client().authorize(credentials()).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(240));
    assert_eq!(
        (error.error().kind(), error.error().delivery()),
        (ErrorKind::Timeout, Delivery::Unknown)
    );
    assert_eq!(service.count(), 1);
    let shown = format!("{error:?} {}", error.error().report());
    assert!(
        !shown.contains("canary") && !shown.contains("Greatday"),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_of_another_login_is_refused() {
    let opened = OPEN;
    let login = || LoginId::new("b0debb48-f9f1-46c6-80a4-08d7dd88d478").unwrap();
    let another = || LoginId::new("11111111-2222-3333-4444-555555555555").unwrap();
    for request in [StoredLogin::cached(another()), StoredLogin::live(another())] {
        let service = ScriptedService::new([Reply::json(200, opened)]);
        let error = service.client().authorize(request).await.unwrap_err();
        let error = error.error();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(
            (error.delivery(), service.count()),
            (Delivery::Delivered, 1)
        );
        assert!(
            error.to_string().contains("about another LoginId"),
            "{error}"
        );
    }
    for request in [StoredLogin::cached(login()), StoredLogin::live(login())] {
        let service =
            ScriptedService::new([Reply::json(200, opened.replace("b0debb48", "B0DEBB48"))]);
        drop(service.client().authorize(request).await.unwrap());
    }

    // Through a round of questions, and with any RequestId in the answer.
    for (asked, is_refused) in [(another(), true), (login(), false)] {
        let asking = asks(r#"[{"Type":"QuestionAndAnswer","Prompt":"a"}]"#);
        let renamed = Reply::json(200, opened.replace(REQUEST_ID, "r-2"));
        let service = ScriptedService::new([asking, renamed]);
        let client = service.client();
        let step = client.authorize(StoredLogin::live(asked)).await.unwrap();
        let Authorize::Challenged(round) = step else {
            panic!("a question")
        };
        let mut answers = round.answers();
        for question in round.questions() {
            question.kind().answer_raw(&mut answers, ["b"]).unwrap();
        }
        let outcome = client.answer(answers.finish().unwrap()).await;
        assert_eq!(outcome.is_err(), is_refused);
    }

    // A cached refusal offers a session, but not that of another login.
    let refusal = r#"{"HttpStatusCode":401,"FlinksCode":"INVALID_PASSWORD","RequestId":"r","Login":{"Id":"ID"}}"#;
    for (id, is_offered) in [("b0debb48-f9f1-46c6-80a4-08d7dd88d478", true), ("x", false)] {
        let service = ScriptedService::new([Reply::json(
            401,
            refusal.replace("ID\"", &format!("{id}\"")),
        )]);
        let request = StoredLogin::cached(login());
        let error = service.client().authorize(request).await.unwrap_err();
        assert_eq!(error.session().is_some(), is_offered, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_formality_of_an_answer_costs_a_session() {
    let opened = OPEN;
    let login = "b0debb48-f9f1-46c6-80a4-08d7dd88d478";
    let cut = |at: &str| opened.split_once(at).unwrap().0.to_owned() + at;
    let utf16: String = opened.chars().flat_map(|c| [c, '\0']).collect();
    let twice = opened.replace(
        r#""Type":"Personal","#,
        r#""Type":"Personal","Type":"Personal","#,
    );
    // The RequestId is the last field of the guide's example.
    let to_the_end = opened.strip_suffix('}').unwrap().to_owned();
    for body in [
        utf16,
        to_the_end.clone() + ",",
        twice,
        format!("{opened}{opened}"),
    ] {
        let Authorize::Authorized(session) = ends(200, &body).await.unwrap() else {
            panic!("a session: {body}")
        };
        assert_eq!(session.request_id().as_str(), REQUEST_ID);
        assert_eq!(session.login_id().unwrap().as_str(), login);
    }

    // Ids are read under their names in other spellings too.
    let renamed = r#"{"HttpStatusCode":200,"login":{"loginId":"L-1"},"requestId":"R-1"}"#;
    let Authorize::Authorized(session) = ends(200, renamed).await.unwrap() else {
        panic!("a session")
    };
    assert_eq!(session.request_id().as_str(), "R-1");
    assert_eq!(session.login_id().unwrap().as_str(), "L-1");

    // An answer that does not say that the session is open stays an error, with the ids that it has.
    let with = |field: &str| format!("{field},{}", to_the_end.trim_start_matches('{'));
    for body in [
        cut(r#""Institution":"FlinksCapital""#),
        with(r#"{"SecurityChallenges":[{"Prompt":"a"}]"#),
        with(r#"{"FlinksCode":"RETRY_LATER""#),
        to_the_end.replace(r#""HttpStatusCode":200"#, r#""HttpStatusCode":202"#),
    ] {
        let error = ends(200, &body).await.unwrap_err();
        assert_eq!(error.error().kind(), ErrorKind::Decode, "{body}");
        assert_eq!(error.error().delivery(), Delivery::Delivered);
        assert_eq!(error.login_id().unwrap().as_str(), login);
        assert_eq!(error.request_id().is_some(), body.contains("RequestId"));
        assert_eq!(error.error().answer().unwrap(), body.as_bytes());
        assert!(!format!("{error:?}{error}").contains(login));
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_no_refusal_leaves_the_outcome_unknown() {
    let says = |inner: u16| OPEN.replace("200", &inner.to_string());
    for (status, inner) in [
        (200, 100),
        (200, 302),
        (200, 600),
        (200, 999),
        (303, 200),
        (600, 200),
    ] {
        let error = ends(status, &says(inner)).await.unwrap_err();
        let delivery = error.error().delivery();
        assert_eq!(delivery, Delivery::Unknown, "{status} {inner}");
        assert!(error.request_id().is_some() && error.login_id().is_some());
    }
    for (status, inner) in [(200, 400), (404, 200)] {
        let error = ends(status, &says(inner)).await.unwrap_err();
        let delivery = error.error().delivery();
        assert_eq!(delivery, Delivery::Rejected, "{status} {inner}");
    }
}
