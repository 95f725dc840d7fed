//! What each type of challenge lets one answer, its exact JSON, and what is refused before it is sent.

use flinks_legacy::{Answers, Authorize, Channel, QuestionKind};
use flinks_transport::{Delivery, Error, ErrorKind};
use proptest::prelude::*;

use crate::service::{REQUEST_ID, round};

type Answer = fn(QuestionKind<'_>, &mut Answers) -> Result<(), Error>;

/// Challenge, the answer through its type, and the exact `SecurityResponses`.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "each row takes the one type it is about"
)]
const TABLE: &[(&str, &str, Answer, &str)] = &[
    (
        "free text",
        r#"{"Type":"QuestionAndAnswer","Prompt":"What shape do people like most?"}"#,
        |ask, answers| match ask {
            QuestionKind::Text(q) => q.answer(answers, "Triangle"),
            other => panic!("{other:?}"),
        },
        r#"{"What shape do people like most?":["Triangle"]}"#,
    ),
    (
        "free text with an empty list",
        r#"{"Type":"QuestionAndAnswer","Prompt":"Où êtes-vous né ?","Iterables":[]}"#,
        |ask, answers| match ask {
            QuestionKind::Text(q) => q.answer(answers, "Montréal"),
            other => panic!("{other:?}"),
        },
        r#"{"Où êtes-vous né ?":["Montréal"]}"#,
    ),
    (
        "one of several",
        r#"{"Type":"MultipleChoice","Prompt":"Choose one of the following:","Iterables":["Something","None of the above"]}"#,
        |ask, answers| match ask {
            QuestionKind::SingleChoice(q) => q.choose(answers, q.choices().last().unwrap()),
            other => panic!("{other:?}"),
        },
        r#"{"Choose one of the following:":["None of the above"]}"#,
    ),
    (
        "several of several",
        r#"{"Type":"MultipleChoiceMultipleAnswers","Prompt":"What purchases did you make over the last 10 days?","Iterables":["Purchase 1: $10.35","Purchase 2: $73.42","Purchase 3: $143.86"]}"#,
        |ask, answers| match ask {
            QuestionKind::MultipleChoice(q) => {
                q.choose(answers, ["Purchase 1: $10.35", "Purchase 3: $143.86"])
            }
            other => panic!("{other:?}"),
        },
        r#"{"What purchases did you make over the last 10 days?":["Purchase 1: $10.35","Purchase 3: $143.86"]}"#,
    ),
    (
        "an image",
        r#"{"Type":"ImageSelection","Prompt":"Select an image","Iterables":["aW1hZ2Ux","aW1hZ2Uy+/=="]}"#,
        |ask, answers| match ask {
            QuestionKind::Image(q) => q.choose(answers, q.images().nth(1).unwrap()),
            other => panic!("{other:?}"),
        },
        r#"{"Select an image":["aW1hZ2Uy+/=="]}"#,
    ),
    (
        "a phone number and a channel",
        r#"{"Type":"TextOrCall","Prompt":"Choose a phone number","Iterables":["PhoneNumber #1","PhoneNumber #2"]}"#,
        |ask, answers| match ask {
            QuestionKind::Phone(q) => q.send_to(answers, "PhoneNumber #2", Channel::Text),
            other => panic!("{other:?}"),
        },
        r#"{"PhoneNumber #2":["Text"]}"#,
    ),
    (
        "a phone number without a prompt",
        r#"{"Type":"TextOrCall","Iterables":["PhoneNumber #1"]}"#,
        |ask, answers| match ask {
            QuestionKind::Phone(q) => q.send_to(answers, "PhoneNumber #1", Channel::Call),
            other => panic!("{other:?}"),
        },
        r#"{"PhoneNumber #1":["Call"]}"#,
    ),
    (
        "an approval",
        r#"{"Type":"WaitUntilEUAccept","Prompt":"Please verify your identity on your trusted device"}"#,
        |ask, answers| match ask {
            QuestionKind::Approval(q) => q.approved(answers),
            other => panic!("{other:?}"),
        },
        r#"{"Please verify your identity on your trusted device":["VERIFIED"]}"#,
    ),
    (
        "a new question",
        r#"{"Type":"QuestionAndAnswer","Prompt":"Personal Verification Question 1","Iterables":["What is the name of my mother","What is the name of my dog"]}"#,
        |ask, answers| match ask {
            QuestionKind::NewQuestion(q) => q.choose(answers, "What is the name of my dog", "Wouf"),
            other => panic!("{other:?}"),
        },
        r#"{"What is the name of my dog":["Wouf"]}"#,
    ),
    (
        "a date",
        r#"{"Type":"Date","Prompt":"Date of birth (YYYY-MM-DD)"}"#,
        |ask, answers| match ask {
            QuestionKind::Date(q) => q.answer(answers, "1980-02-29"),
            other => panic!("{other:?}"),
        },
        r#"{"Date of birth (YYYY-MM-DD)":["1980-02-29"]}"#,
    ),
    (
        "a SecurID code",
        r#"{"Type":"QuestionAndAnswer","Prompt":"Enter your SecurID"}"#,
        |ask, answers| match ask {
            QuestionKind::Code(q) if q.digits() == Some(6) => q.enter(answers, "012345"),
            other => panic!("{other:?}"),
        },
        r#"{"Enter your SecurID":["012345"]}"#,
    ),
    (
        "a one-time code",
        r#"{"Type":"OneTimeVerification","Prompt":"Code"}"#,
        |ask, answers| match ask {
            QuestionKind::Code(q) if q.digits().is_none() => q.enter(answers, "AB-12"),
            other => panic!("{other:?}"),
        },
        r#"{"Code":["AB-12"]}"#,
    ),
    (
        "a type of tomorrow",
        r#"{"Type":"Fingerprint","Prompt":"Touch","Iterables":["left","right"]}"#,
        |ask, answers| match ask {
            QuestionKind::Other(q) if q.r#type().unwrap().as_str() == "Fingerprint" => {
                q.answer(answers, ["left", "right"])
            }
            other => panic!("{other:?}"),
        },
        r#"{"Touch":["left","right"]}"#,
    ),
    (
        "no type and no prompt",
        r#"{"Prompt":null}"#,
        |ask, answers| match ask {
            QuestionKind::Other(q) => {
                q.answer(answers, ["x"]).unwrap_err();
                q.answer_under(answers, "a key", ["x"])
            }
            other => panic!("{other:?}"),
        },
        r#"{"a key":["x"]}"#,
    ),
    (
        "a choice of nothing",
        r#"{"Type":"MultipleChoice","Prompt":"Choose"}"#,
        |ask, answers| match ask {
            QuestionKind::Other(_) => ask.answer_raw(answers, ["anything"]),
            other => panic!("{other:?}"),
        },
        r#"{"Choose":["anything"]}"#,
    ),
    (
        "a known type, answered raw",
        r#"{"Type":"WaitUntilEUAccept","Prompt":"Approve"}"#,
        |ask, answers| ask.answer_raw(answers, ["DENIED"]),
        r#"{"Approve":["DENIED"]}"#,
    ),
];

#[tokio::test(start_paused = true)]
async fn each_type_has_its_key_and_its_values() {
    for (name, challenge, answer, expected) in TABLE {
        let (service, client, round) = round(&format!("[{challenge}]")).await;
        let mut answers = round.answers();
        let question = round.questions().next().unwrap();
        answer(question.kind(), &mut answers).unwrap_or_else(|error| panic!("{name}: {error}"));
        let outcome = client.answer(answers.finish().unwrap()).await.unwrap();
        assert!(matches!(outcome, Authorize::Authorized(_)), "{name}");
        let expected = format!(r#"{{"RequestId":"{REQUEST_ID}","SecurityResponses":{expected}}}"#);
        assert_eq!(service.requests()[1].text(), expected, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_is_answered_in_its_order_and_at_once() {
    let challenges = r#"[{"Type":"QuestionAndAnswer","Prompt":"z"},
        {"Type":"QuestionAndAnswer","Prompt":"a"},{"Type":"QuestionAndAnswer","Prompt":"m"}]"#;
    let (service, client, round) = round(challenges).await;
    let mut answers = round.answers();
    for question in round.questions() {
        let QuestionKind::Text(q) = question.kind() else {
            panic!("{question:?}")
        };
        q.answer(&mut answers, "wrong").unwrap();
        q.answer(&mut answers, q.text().to_uppercase()).unwrap();
    }
    drop(client.answer(answers.finish().unwrap()).await.unwrap());
    let body = service.requests()[1].text();
    assert!(
        body.contains(r#"{"z":["Z"],"a":["A"],"m":["M"]}"#),
        "{body}"
    );
}

/// Challenges, wrong answers to them, and the number of the question that the refusal names.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "each row takes the types it is about"
)]
const WRONG: &[(&str, &str, Answer, u8)] = &[
    (
        "an empty answer",
        r#"{"Type":"QuestionAndAnswer","Prompt":"a"}"#,
        |ask, answers| match ask {
            QuestionKind::Text(q) => q.answer(answers, ""),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "no answer",
        r#"{"Type":"QuestionAndAnswer","Prompt":"a"}"#,
        |_, _| Ok(()),
        1,
    ),
    (
        "a choice not offered",
        r#"{"Type":"MultipleChoice","Prompt":"a","Iterables":["b"]}"#,
        |ask, answers| match ask {
            QuestionKind::SingleChoice(q) => q.choose(answers, "B"),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "no choice",
        r#"{"Type":"MultipleChoiceMultipleAnswers","Prompt":"a","Iterables":["b"]}"#,
        |ask, answers| match ask {
            QuestionKind::MultipleChoice(q) => q.choose(answers, Vec::<String>::new()),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "a choice twice",
        r#"{"Type":"MultipleChoiceMultipleAnswers","Prompt":"a","Iterables":["b"]}"#,
        |ask, answers| match ask {
            QuestionKind::MultipleChoice(q) => q.choose(answers, ["b", "b"]),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "another's choice",
        r#"{"Type":"MultipleChoiceMultipleAnswers","Prompt":"a","Iterables":["b"]}"#,
        |ask, answers| match ask {
            QuestionKind::MultipleChoice(q) => q.choose(answers, ["b", "c"]),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "another image",
        r#"{"Type":"ImageSelection","Prompt":"a","Iterables":["b"]}"#,
        |ask, answers| match ask {
            QuestionKind::Image(q) => q.choose(answers, "c"),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "another number",
        r#"{"Type":"TextOrCall","Prompt":"a","Iterables":["b"]}"#,
        |ask, answers| match ask {
            QuestionKind::Phone(q) => q.send_to(answers, "a", Channel::Call),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "five digits",
        r#"{"Type":"QuestionAndAnswer","Prompt":"Entrez votre code SECURID"}"#,
        |ask, answers| match ask {
            QuestionKind::Code(q) => q.enter(answers, "12345"),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "six letters",
        r#"{"Type":"QuestionAndAnswer","Prompt":"Enter your SecurID"}"#,
        |ask, answers| match ask {
            QuestionKind::Code(q) => q.enter(answers, "12345a"),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "a question not offered",
        r#"{"Type":"QuestionAndAnswer","Prompt":"a","Iterables":["b"]}"#,
        |ask, answers| match ask {
            QuestionKind::NewQuestion(q) => q.choose(answers, "a", "x"),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "a new question without an answer",
        r#"{"Type":"QuestionAndAnswer","Prompt":"a","Iterables":["b"]}"#,
        |ask, answers| match ask {
            QuestionKind::NewQuestion(q) => q.choose(answers, "b", ""),
            other => panic!("{other:?}"),
        },
        1,
    ),
    (
        "a raw answer without a value",
        r#"{"Type":"New","Prompt":"a"}"#,
        |ask, answers| ask.answer_raw(answers, Vec::<String>::new()),
        1,
    ),
    (
        "the same prompt twice",
        r#"{"Type":"QuestionAndAnswer","Prompt":"a"},{"Type":"Date","Prompt":"a"}"#,
        |ask, answers| ask.answer_raw(answers, ["x"]),
        2,
    ),
    (
        "three new questions that are two",
        r#"{"Type":"QuestionAndAnswer","Prompt":"1","Iterables":["dog","mother"]},
           {"Type":"QuestionAndAnswer","Prompt":"2","Iterables":["dog","mother"]},
           {"Type":"QuestionAndAnswer","Prompt":"3","Iterables":["dog","mother"]}"#,
        |ask, answers| match ask {
            QuestionKind::NewQuestion(q) if q.text() == "2" => q.choose(answers, "mother", "x"),
            QuestionKind::NewQuestion(q) => q.choose(answers, "dog", "x"),
            other => panic!("{other:?}"),
        },
        3,
    ),
];

#[tokio::test(start_paused = true)]
async fn wrong_answers_are_refused_before_anything_is_sent() {
    for (name, challenges, answer, number) in WRONG {
        let (service, _, round) = round(&format!("[{challenges}]")).await;
        let mut answers = round.answers();
        let answered = round
            .questions()
            .try_for_each(|question| answer(question.kind(), &mut answers));
        let error = match answered {
            Err(error) => error,
            Ok(()) => answers.finish().expect_err(name),
        };
        assert_eq!(
            (error.kind(), error.delivery(), error.operation()),
            (
                ErrorKind::Input,
                Delivery::NotSent,
                Some("legacy.authorize")
            ),
            "{name}"
        );
        let text = error.to_string();
        assert!(
            text.contains(&format!("question {number} ")),
            "{name}: {text}"
        );
        assert_eq!(service.count(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_of_another_round_is_refused() {
    let challenge = r#"[{"Type":"QuestionAndAnswer","Prompt":"a"}]"#;
    let (_, _, first) = round(challenge).await;
    let (_, _, second) = round(challenge).await;
    let question = first.questions().next().unwrap();
    let error = question
        .kind()
        .answer_raw(&mut second.answers(), ["x"])
        .unwrap_err();
    assert!(error.to_string().contains("another round"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn nothing_shows_prompts_or_answers() {
    let challenges = r#"[{"Type":"TextOrCall","Prompt":"canary-prompt","Iterables":["canary-number"]},
        {"Type":"canary-type","Prompt":"canary-prompt-2"}]"#;
    let (_, _, round) = round(challenges).await;
    let mut answers = round.answers();
    let mut shown = format!("{round:?}{round:#?}");
    for question in round.questions() {
        question
            .kind()
            .answer_raw(&mut answers, ["canary-answer"])
            .unwrap();
        shown += &format!("{question:?}{:?}", question.kind());
    }
    let given = format!("{answers:?}");
    assert!(given.contains("questions: 2, answered: 2"), "{given}");
    shown += &given;
    shown += &format!("{:?}", answers.finish().unwrap());
    assert!(!shown.contains("canary"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn keys_and_choices_come_back_to_the_byte(prompt in "(?s).{1,40}", choice in "(?s).{0,40}") {
        prop_assume!(!prompt.to_ascii_lowercase().contains("securid"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let challenges = serde_json::json!([
            {"Type": "QuestionAndAnswer", "Prompt": prompt},
            {"Type": "QuestionAndAnswer", "Prompt": "new", "Iterables": [format!("{prompt}?"), choice]},
            {"Type": "MultipleChoice", "Prompt": format!("{prompt}:"), "Iterables": [choice]},
        ]);
        let sent = runtime.block_on(async {
            let (service, client, round) = round(&challenges.to_string()).await;
            let mut answers = round.answers();
            for question in round.questions() {
                #[expect(clippy::wildcard_enum_match_arm, reason = "the round has three types")]
                match question.kind() {
                    QuestionKind::Text(q) => q.answer(&mut answers, &prompt).unwrap(),
                    QuestionKind::NewQuestion(q) => {
                        let first = q.choices().next().unwrap();
                        q.choose(&mut answers, first, "answer").unwrap();
                    }
                    QuestionKind::SingleChoice(q) => q.choose(&mut answers, q.choices().next().unwrap()).unwrap(),
                    other => panic!("{other:?}"),
                }
            }
            drop(client.answer(answers.finish().unwrap()).await.unwrap());
            service.requests()[1].text()
        });
        let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
        let expected = serde_json::json!({
            prompt.clone(): [prompt],
            format!("{prompt}?"): ["answer"],
            format!("{prompt}:"): [choice],
        });
        prop_assert_eq!(&sent["SecurityResponses"], &expected);
    }
}
