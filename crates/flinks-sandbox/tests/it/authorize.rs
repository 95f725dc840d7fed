//! Authorize: every user that the crate's table names, and every way to get it wrong.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use flinks_sandbox::{
    ApiOperation, CACHED_LOGIN_ID, DEVICE_LOGIN_ID, REFUSED_LOGIN_ID, Sandbox, SandboxCredentials,
};
use http::{Method, header};
use serde_json::{Value, json};

use crate::{
    client::Answer,
    legacy::{Legacy, code},
};

/// Checks that a challenge is asked, and gives its `SecurityChallenges`.
fn challenges(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 203, "{answer:?}");
    let json = answer.json();
    assert_eq!(json["HttpStatusCode"], 203);
    assert_eq!(json["Links"][0]["rel"], "Authorization");
    json["SecurityChallenges"].as_array().unwrap().clone()
}

fn prompts(answer: &Answer) -> Vec<String> {
    let challenges = challenges(answer);
    let prompts = challenges.iter().map(|one| one["Prompt"].as_str().unwrap());
    prompts.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_guides_example_is_answered_as_printed() {
    let (sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    // As printed, with `username` in lower case.
    let body = r#"{"Institution":"FlinksCapital","username":"Greatday","Password":"Everyday",
        "MostRecentCached":"false","save":"true","Tag":"tag"}"#;
    let mut answer = legacy.call(Method::POST, "Authorize", body).await;
    let id = answer.text("RequestId");
    let mut asked = Vec::new();
    for right in ["Montreal", "canada", "Triangle"] {
        let [prompt] = prompts(&answer).try_into().unwrap();
        assert_eq!(answer.text("RequestId"), id);
        assert_eq!(answer.text("Tag"), "tag");
        answer = legacy.answer(&id, json!({&prompt: [right]})).await;
        asked.push(prompt);
    }
    assert_eq!(asked[2], "What shape do people like most?");
    let login_id = answer.json()["Login"]["Id"].as_str().unwrap().to_owned();
    let link = |name: &str| json!({"rel": name, "href": format!("/Get{name}"), "example": null});
    assert_eq!(
        answer.json(),
        json!({
            "HttpStatusCode": 200,
            "Links": [link("AccountsDetail"), link("AccountsSummary"), link("Statements")],
            "InstitutionName": "FlinksCapital",
            "InstitutionId": 14,
            "Institution": "FlinksCapital",
            "Login": {
                "Username": "Greatday",
                "IsScheduledRefresh": false,
                "LastRefresh": "2026-01-31T20:47:47.145999",
                "Type": "Personal",
                "Id": login_id,
            },
            "RequestId": id,
            "Tag": "tag",
        })
    );

    let log = sandbox.log();
    assert_eq!(sandbox.requests(ApiOperation::Authorize), 4);
    let answers: Vec<_> = log.iter().map(|line| line.answers).collect();
    assert_eq!(answers, [None, Some(1), Some(1), Some(1)]);
    assert!(
        log.iter()
            .all(|line| line.acted && line.request_id.as_ref() == Some(&id))
    );
    assert_eq!(log[3].login_id.as_ref(), Some(&login_id));
    let text = serde_json::to_string(&log).unwrap();
    for secret in [
        "Everyday", "Greatday", "Montreal", "canada", "Triangle", "shape",
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn without_save_there_is_no_login_id_and_french_prompts_are_french() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let body = json!({
        "Institution": "FlinksCapital", "Username": "greatday_together",
        "Password": "Everyday", "Language": "fr",
    });
    let answer = legacy.post("Authorize", &body).await;
    let prompts = prompts(&answer);
    assert!(prompts[0].starts_with("Où") && prompts[1].starts_with("Quel "));
    let responses = json!({
        &prompts[2]: ["Triangle"], &prompts[1]: ["Canada"], &prompts[0]: ["Montréal"],
    });
    let answer = legacy.answer(&answer.text("RequestId"), responses).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().get("Login"), None);
}

#[tokio::test]
async fn the_triple_questions_of_rbc_come_after_a_wrong_answer() {
    let (sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let answer = legacy.login("RBC", "rbc_triple").await;
    let id = answer.text("RequestId");
    let dog = "What is the name of your dog";
    assert_eq!(prompts(&answer), [dog]);
    let wrong = legacy.answer(&id, json!({dog: ["Rex"]})).await;
    assert_eq!(
        (wrong.status, code(&wrong)),
        (401, json!("INVALID_SECURITY_RESPONSE"))
    );
    assert_eq!(wrong.text("RequestId"), id);
    assert!(sandbox.log()[1].acted, "other questions are asked now");
    let asked = wrong.json()["SecurityChallenges"].as_array().unwrap().len();
    assert_eq!(asked, 3);
    let mother = "What is the name of your mother";
    let father = "What is the name of your father";
    let two = legacy
        .answer(&id, json!({mother: ["Louise"], dog: ["Wouf"]}))
        .await;
    assert_eq!(
        (two.status, code(&two)),
        (401, json!("SECURITYRESPONSES_INCOMPLETE"))
    );
    let three = json!({mother: ["Louise"], father: ["Paul"], dog: ["Wouf"]});
    assert_eq!(legacy.answer(&id, three).await.status, 200);

    let first = legacy.login("RBC", "rbc_triple").await.text("RequestId");
    assert_eq!(
        legacy.answer(&first, json!({dog: ["Wouf"]})).await.status,
        200
    );
}

/// Three different questions of the lists, with answers.
fn reset(challenges: &[Value]) -> Value {
    let chosen = challenges.iter().enumerate().map(|(place, one)| {
        assert_eq!(one["Type"], "QuestionAndAnswer");
        let prompt = format!("Personal Verification Question {}", place + 1);
        assert_eq!(one["Prompt"], prompt.as_str());
        let question = one["Iterables"][place].as_str().unwrap().to_owned();
        (question, json!(["an answer"]))
    });
    Value::Object(chosen.collect())
}

#[tokio::test]
async fn new_questions_are_answered_under_the_chosen_ones() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let answer = legacy.login("RBC", "rbc_new_questions").await;
    let id = answer.text("RequestId");
    let challenges = challenges(&answer);
    assert_eq!(challenges.len(), 3);
    let by_prompt = json!({
        "Personal Verification Question 1": ["a"],
        "Personal Verification Question 2": ["b"],
        "Personal Verification Question 3": ["c"],
    });
    let refused = legacy.answer(&id, by_prompt).await;
    assert_eq!(
        (refused.status, code(&refused)),
        (401, json!("UNKNOWN_CHALLENGE_KEY"))
    );
    let refused = legacy.answer(&id, reset(&challenges[..2])).await;
    assert_eq!(code(&refused), "SECURITYRESPONSES_INCOMPLETE");
    assert_eq!(legacy.answer(&id, reset(&challenges)).await.status, 200);
}

#[tokio::test]
async fn laurentienne_asks_a_question_and_then_for_a_picture() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let answer = legacy.login("Laurentienne", "laurentienne_image").await;
    let id = answer.text("RequestId");
    let [dog] = prompts(&answer).try_into().unwrap();
    let answer = legacy.answer(&id, json!({dog: ["Wouf"]})).await;
    let [challenge] = challenges(&answer).try_into().unwrap();
    assert_eq!(challenge["Type"], "ImageSelection");
    let images = challenge["Iterables"].as_array().unwrap();
    assert_eq!(images.len(), 16);
    for image in images {
        let file = BASE64_STANDARD.decode(image.as_str().unwrap()).unwrap();
        assert!(file.starts_with(b"\x89PNG"));
    }
    let prompt = challenge["Prompt"].as_str().unwrap();
    let wrong = legacy.answer(&id, json!({prompt: [images[4]]})).await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.json()["SecurityChallenges"], json!([challenge]));
    assert_eq!(
        legacy
            .answer(&id, json!({prompt: [images[3]]}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn national_asks_for_a_code_and_then_a_question() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let answer = legacy.login("National", "national_securid").await;
    let id = answer.text("RequestId");
    assert_eq!(prompts(&answer), ["Enter your SecurID"]);
    let wrong = legacy
        .answer(&id, json!({"Enter your SecurID": ["654321"]}))
        .await;
    assert_eq!(code(&wrong), "INVALID_SECURITY_RESPONSE");
    let answer = legacy
        .answer(&id, json!({"Enter your SecurID": ["123456"]}))
        .await;
    let [dog] = prompts(&answer).try_into().unwrap();
    assert_eq!(legacy.answer(&id, json!({dog: ["wouf"]})).await.status, 200);
}

#[tokio::test]
async fn scotia_asks_for_choices_and_then_for_new_questions() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let answer = legacy.login("Scotia", "scotia_reset").await;
    let id = answer.text("RequestId");
    let types: Vec<_> = challenges(&answer)
        .iter()
        .map(|one| one["Type"].clone())
        .collect();
    assert_eq!(types, ["MultipleChoice", "MultipleChoiceMultipleAnswers"]);
    let responses = json!({
        "Choose one of the following:": ["None of the above"],
        "What purchases did you make over the last 10 days?":
            ["Purchase 1: $10.35", "Purchase 3: $143.86"],
    });
    let answer = legacy.answer(&id, responses).await;
    let new = reset(&challenges(&answer));
    assert_eq!(legacy.answer(&id, new).await.status, 200);
}

#[tokio::test]
async fn td_sends_a_code_and_a_wrong_one_ends_the_session() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    for (secret, status) in [("123456", 200), ("654321", 401)] {
        let answer = legacy.login("TD", "td_code").await;
        let id = answer.text("RequestId");
        assert_eq!(challenges(&answer)[0]["Type"], "TextOrCall");
        let answer = legacy
            .answer(&id, json!({"PhoneNumber #2": ["Text"]}))
            .await;
        assert_eq!(prompts(&answer), ["Enter the security code"]);
        let responses = json!({"Enter the security code": [secret]});
        let answer = legacy.answer(&id, responses.clone()).await;
        assert_eq!(answer.status, status);
        if status == 401 {
            assert_eq!(answer.json().get("SecurityChallenges"), None);
            let again = legacy.answer(&id, responses).await;
            assert_eq!(
                (again.status, code(&again)),
                (401, json!("SESSION_EXPIRED"))
            );
        }
    }
}

#[tokio::test]
async fn a_device_is_asked_again_until_its_owner_approves() {
    for (approval, status) in [(Duration::from_secs(3600), 203), (Duration::ZERO, 200)] {
        let (_sandbox, mut legacy) =
            Legacy::start(Sandbox::builder().device_approval(approval)).await;
        let body = json!({"LoginId": DEVICE_LOGIN_ID, "MostRecentCached": false, "Save": true});
        let answer = legacy.post("Authorize", &body).await;
        let challenge = challenges(&answer);
        assert_eq!(challenge[0]["Type"], "WaitUntilEUAccept");
        let prompt = challenge[0]["Prompt"].as_str().unwrap();
        let id = answer.text("RequestId");
        let answer = legacy.answer(&id, json!({prompt: ["VERIFIED"]})).await;
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer.json()["Login"]["Id"], DEVICE_LOGIN_ID);
        } else {
            assert_eq!(challenges(&answer), challenge);
        }
    }
}

#[tokio::test]
async fn types_that_no_guide_describes_are_asked_for_too() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let answer = legacy.login("FlinksCapital", "greatday_other_types").await;
    let types: Vec<_> = challenges(&answer)
        .iter()
        .map(|one| one["Type"].clone())
        .collect();
    assert_eq!(types, ["OneTimeVerification", "Date", "PaperToken"]);
    let prompts = prompts(&answer);
    let responses = json!({
        &prompts[0]: ["123456"], &prompts[1]: ["1990-01-31"], &prompts[2]: ["maple"],
    });
    assert_eq!(
        legacy
            .answer(&answer.text("RequestId"), responses)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_wrong_answer_may_be_the_last() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let answer = legacy.login("FlinksCapital", "greatday_noretry").await;
    let id = answer.text("RequestId");
    let [prompt] = prompts(&answer).try_into().unwrap();
    let wrong = legacy.answer(&id, json!({&prompt: ["Circle"]})).await;
    assert_eq!(
        (wrong.status, code(&wrong)),
        (401, json!("INVALID_SECURITY_RESPONSE_NO_RETRY"))
    );
    let again = legacy.answer(&id, json!({&prompt: ["Triangle"]})).await;
    assert_eq!(code(&again), "SESSION_EXPIRED");
}

#[tokio::test]
async fn banks_refuse_with_a_request_id_and_mistakes_get_400() {
    let (sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    for (name, password, expected) in [
        ("Greatday", "Everynight", "INVALID_PASSWORD"),
        ("nobody", "Everyday", "INVALID_USERNAME"),
        ("test_disabled_account", "Everyday", "DISABLED_LOGIN"),
        ("test_service_unavailable", "Everyday", "RETRY_LATER"),
    ] {
        let body = json!({
            "Institution": "FlinksCapital", "UserName": name, "Password": password,
        });
        let answer = legacy.post("Authorize", &body).await;
        assert_eq!((answer.status, code(&answer)), (401, json!(expected)));
        assert_eq!(answer.text("RequestId").len(), 36);
    }
    for (body, field) in [
        (json!({}), "Institution"),
        (
            json!({"Institution": "FlinksCapital", "Username": "Greatday"}),
            "Password",
        ),
        (
            json!({"Institution": "Nowhere", "Username": "x", "Password": "y"}),
            "Institution",
        ),
        (
            json!({"RequestId": "x", "SecurityResponses": {"k": "v"}}),
            "SecurityResponses",
        ),
    ] {
        let answer = legacy.post("Authorize", &body).await;
        assert_eq!(
            (answer.status, code(&answer)),
            (400, json!("INVALID_REQUEST"))
        );
        assert!(
            answer.json()["ValidationDetails"][field][0].is_string(),
            "{field}"
        );
    }
    assert_eq!(legacy.call(Method::POST, "Authorize", "").await.status, 400);
    assert!(sandbox.log().iter().all(|line| !line.acted));
    assert_eq!(legacy.get("Authorize").await.headers[header::ALLOW], "POST");
}

#[tokio::test]
async fn a_session_waits_on_after_a_mistake_and_is_authorized_once() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let answer = legacy.login("RBC", "rbc_triple").await;
    let id = answer.text("RequestId");
    let [prompt] = prompts(&answer).try_into().unwrap();
    let unknown = legacy
        .answer(&id, json!({prompt.to_uppercase(): ["Wouf"]}))
        .await;
    assert_eq!(
        (unknown.status, code(&unknown)),
        (401, json!("UNKNOWN_CHALLENGE_KEY"))
    );
    assert_eq!(unknown.text("RequestId"), id);
    assert_eq!(
        prompts(&legacy.answer(&id, json!({})).await),
        [prompt.as_str()]
    );
    assert_eq!(
        legacy.answer(&id, json!({&prompt: ["Wouf"]})).await.status,
        200
    );
    let again = legacy.answer(&id, json!({&prompt: ["Wouf"]})).await;
    assert_eq!(
        (again.status, code(&again)),
        (401, json!("ALREADY_AUTHORIZED"))
    );
    assert_eq!(again.text("RequestId"), id);
    let gone = legacy
        .answer("00000000-0000-4000-8000-0000000000ff", json!({}))
        .await;
    assert_eq!(
        (gone.status, code(&gone)),
        (400, json!("SESSION_NONEXISTENT"))
    );
}

#[tokio::test]
async fn an_idle_session_expires() {
    let (_sandbox, mut legacy) =
        Legacy::start(Sandbox::builder().session_idle(Duration::ZERO)).await;
    // The session has expired before its first challenge could be sent.
    let answer = legacy.login("FlinksCapital", "Greatday").await;
    assert_eq!(
        (answer.status, code(&answer)),
        (401, json!("SESSION_EXPIRED"))
    );
}

#[tokio::test]
async fn a_login_id_opens_cached_sessions_and_replays_the_last_error() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    for cached in [json!(true), json!("true"), json!(false)] {
        let body = json!({"LoginId": CACHED_LOGIN_ID, "MostRecentCached": cached});
        let answer = legacy.post("Authorize", &body).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["Login"]["Id"], CACHED_LOGIN_ID);
    }
    let cached = json!({"LoginId": REFUSED_LOGIN_ID, "MostRecentCached": true});
    let answer = legacy.post("Authorize", &cached).await;
    assert_eq!(
        (answer.status, code(&answer)),
        (401, json!("QUESTION_NOT_FOUND"))
    );
    assert_eq!(answer.json()["Login"]["Id"], REFUSED_LOGIN_ID);
    let body = json!({"RequestId": answer.text("RequestId")});
    assert_eq!(legacy.post("GetAccountsSummary", &body).await.status, 200);
    // A live session that succeeds is the new last refresh.
    let live = json!({"LoginId": REFUSED_LOGIN_ID, "MostRecentCached": false});
    let mut answer = legacy.post("Authorize", &live).await;
    let id = answer.text("RequestId");
    for right in ["Montreal", "Canada", "Triangle"] {
        let [prompt] = prompts(&answer).try_into().unwrap();
        assert_eq!(
            code(&legacy.post("Authorize", &cached).await),
            "QUESTION_NOT_FOUND"
        );
        answer = legacy.answer(&id, json!({prompt: [right]})).await;
    }
    assert_eq!(answer.json()["Login"]["Id"], REFUSED_LOGIN_ID);
    assert_eq!(legacy.post("Authorize", &cached).await.status, 200);
    let unknown = json!({"LoginId": "unknown", "MostRecentCached": true});
    let answer = legacy.post("Authorize", &unknown).await;
    assert_eq!(
        (answer.status, code(&answer)),
        (401, json!("INVALID_LOGIN"))
    );
}

#[tokio::test]
async fn a_session_that_is_authorized_already_can_be_used() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let answer = legacy
        .login("FlinksCapital", "test_already_authorized")
        .await;
    assert_eq!(
        (answer.status, code(&answer)),
        (401, json!("ALREADY_AUTHORIZED"))
    );
    let body = json!({"RequestId": answer.text("RequestId")});
    assert_eq!(legacy.post("GetAccountsDetail", &body).await.status, 200);
}

#[tokio::test]
async fn one_user_has_one_live_session_at_a_time() {
    let (_sandbox, mut legacy) = Legacy::start(Sandbox::builder()).await;
    let name = "test_concurrent_session";
    let first = legacy.login("FlinksCapital", name).await;
    assert_eq!(first.status, 200);
    let second = legacy.login("FlinksCapital", name).await;
    assert_eq!(
        (second.status, code(&second)),
        (401, json!("CONCURRENT_SESSION"))
    );
    let login_id = first.json()["Login"]["Id"].clone();
    let cached = json!({"LoginId": login_id, "MostRecentCached": true});
    assert_eq!(legacy.post("Authorize", &cached).await.status, 200);
    assert_eq!(legacy.login("TD", "Greatday").await.status, 200);
}

#[tokio::test]
async fn tokens_are_asked_for_once_there_is_a_secret() {
    let (sandbox, mut legacy) =
        Legacy::start(Sandbox::builder().auth_key("legacy-secret/+=")).await;
    assert_eq!(sandbox.auth_key(), Some("legacy-secret/+="));
    let unauthorized = |message: &str| json!({"HttpStatusCode": 401, "FlinksCode": "UNAUTHORIZED", "Message": message});
    let answer = legacy.login("FlinksCapital", "greatday_nomfa").await;
    assert_eq!(answer.status, 401);
    let refusal = unauthorized("You must provide a valid authorize token");
    assert_eq!(answer.json(), refusal);
    let answer = legacy.post("GenerateAuthorizeToken", &json!({})).await;
    assert_eq!(
        answer.json(),
        unauthorized("You must provide a valid auth key")
    );

    legacy.headers = vec![("flinks-auth-key", "legacy-secret/+=".to_owned())];
    let answer = legacy
        .call(Method::POST, "GenerateAuthorizeToken", "")
        .await;
    let token = answer.text("Token");
    assert_eq!(
        answer.json(),
        json!({"HttpStatusCode": 200, "Token": token})
    );
    // The secret itself is no token.
    let answer = legacy.login("FlinksCapital", "Greatday").await;
    assert_eq!(answer.json(), refusal);

    legacy.headers = vec![("flinks-auth-key", token.clone())];
    let answer = legacy.login("RBC", "rbc_triple").await;
    let [prompt] = prompts(&answer).try_into().unwrap();
    // For this session the token is still good, for another it is not.
    let other = legacy.login("RBC", "rbc_triple").await;
    assert_eq!(other.json(), refusal);
    let answer = legacy
        .answer(&answer.text("RequestId"), json!({prompt: ["Wouf"]}))
        .await;
    assert_eq!(answer.status, 200);
    let log = serde_json::to_string(&sandbox.log()).unwrap();
    assert!(!log.contains(&token) && !log.contains("legacy-secret"));
}

#[tokio::test]
async fn faults_reach_the_legacy_calls() {
    let faults = [
        "authorize@1=unauthorized",
        "authorize@2=status-after:500",
        "data=html:502",
    ];
    let faults = faults.map(|fault| fault.parse().unwrap());
    let (sandbox, mut legacy) = Legacy::start(Sandbox::builder().faults(faults)).await;
    let answer = legacy.login("FlinksCapital", "greatday_nomfa").await;
    assert_eq!(
        answer.text("Message"),
        "You must provide a valid authorize token"
    );
    let answer = legacy.login("FlinksCapital", "greatday_nomfa").await;
    assert_eq!(answer.status, 500);
    let acted: Vec<_> = sandbox.log().iter().map(|line| line.acted).collect();
    assert_eq!(acted, [false, true]);
    let answer = legacy.post("GetStatements", &json!({})).await;
    assert_eq!(
        (answer.status, &answer.headers[header::CONTENT_TYPE]),
        (502, &"text/html".parse().unwrap())
    );
}

#[tokio::test]
async fn a_customer_is_known_by_the_path() {
    let mut credentials = SandboxCredentials::default();
    credentials.customer_id = "someone".to_owned();
    let (sandbox, mut legacy) = Legacy::start(Sandbox::builder().credentials(credentials)).await;
    assert_eq!(legacy.get("Institutions").await.status, 200);
    assert_eq!(legacy.get("Institution").await.status, 404);
    let stranger = http::Request::get("/v3/stranger/BankingServices/Institutions")
        .header(header::HOST, "localhost")
        .body(http_body_util::Full::default())
        .unwrap();
    let client = crate::client::Client::results(&sandbox);
    assert_eq!(client.send(stranger).await.status, 403);
}
