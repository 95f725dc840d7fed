//! Users that a tester adds.

use flinks_sandbox::{Sandbox, SandboxUser};
use serde_json::json;

use crate::legacy::{Legacy, code};

#[tokio::test]
async fn a_user_of_the_tester_has_its_own_password_and_questions() {
    let user = SandboxUser::new("Maple Credit Union", "zoe").password("canary");
    let user = user.question("First?", "One").question("Second?", "Two");
    let (sandbox, mut legacy) = Legacy::start(Sandbox::builder().user(user)).await;
    let refused = legacy.login("Maple Credit Union", "zoe").await;
    assert_eq!(code(&refused), "INVALID_PASSWORD");
    let refused = legacy.login("Maple Credit Union", "other").await;
    assert_eq!(code(&refused), "INVALID_USERNAME");
    let body = json!({
        "Institution": "maple credit union", "Username": "Zoe", "Password": "canary", "Save": true,
    });
    let asked = legacy.post("Authorize", &body).await;
    let id = asked.text("RequestId");
    assert_eq!(asked.json()["SecurityChallenges"][0]["Prompt"], "First?");
    let second = legacy.answer(&id, json!({"First?": ["one"]})).await;
    assert_eq!(second.json()["SecurityChallenges"][0]["Prompt"], "Second?");
    assert_eq!(
        legacy.answer(&id, json!({"Second?": ["2"]})).await.status,
        401
    );
    assert_eq!(
        legacy.answer(&id, json!({"Second?": ["Two"]})).await.status,
        200
    );
    let data = legacy
        .post("GetAccountsDetail", &json!({"RequestId": id}))
        .await;
    assert_eq!(data.json()["Institution"], "Maple Credit Union");
    assert!(!format!("{:?}", sandbox.log()).contains("canary"));
}
