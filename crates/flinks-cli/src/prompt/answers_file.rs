//! The answers file: a JSON array with one object per round, from a question's text to its answer.

use std::path::Path;

use flinks_legacy::{Answers, ChallengeRound, Channel, Question, QuestionKind};
use flinks_transport::{Error, ErrorKind};
use flinks_types::text;
use serde_json::{Map, Value};

use crate::output::error::CliError;
use crate::output::io_error::reason;
use crate::state::files;

/// Far more than any answers need.
const MAX_BYTES: u64 = 1 << 20;

/// The answers of a file, by round. It has no `Debug`: they are secrets.
pub(crate) struct AnswersFile(std::vec::IntoIter<RoundAnswers>);

/// The answers to one round; empty if the file has no more rounds.
#[derive(Default)]
pub(crate) struct RoundAnswers(Map<String, Value>);

impl AnswersFile {
    /// An answers file without answers.
    pub(crate) fn empty() -> Self {
        Self(Vec::new().into_iter())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read or has another format. No message quotes it.
    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        // The path is not shown: answers may have been given in its place.
        let failed =
            |reason: &str| CliError::settings(format!("the answers file (--answers) {reason}"));
        let bytes = files::read(path, MAX_BYTES)
            .map_err(|error| failed(&format!("cannot be read: {}", reason(&error))))?;
        let text = text::read(&bytes).ok_or_else(|| failed("is not text"))?;
        parse(&text).map_err(|reason| failed(&reason))
    }

    /// Returns the answers to the next round.
    pub(crate) fn next_round(&mut self) -> RoundAnswers {
        self.0.next().unwrap_or_default()
    }
}

fn parse(text: &str) -> Result<AnswersFile, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("is not valid JSON: see line {line}, column {column}")
    })?;
    let form = "must be a JSON array of objects, one per round: see flinks authorize --help";
    let Value::Array(rounds) = value else {
        return Err(form.to_owned());
    };
    let rounds = rounds.into_iter().map(|round| match round {
        Value::Object(answers) => Some(RoundAnswers(answers)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    });
    let rounds: Option<Vec<_>> = rounds.collect();
    let rounds = rounds.ok_or_else(|| form.to_owned())?;
    Ok(AnswersFile(rounds.into_iter()))
}

impl RoundAnswers {
    /// Returns how many answers are to no question of the round.
    pub(crate) fn unmatched(&self, round: &ChallengeRound) -> usize {
        let is_asked = |key: &str| round.questions().any(|question| question.text() == key);
        self.0.keys().filter(|key| !is_asked(key)).count()
    }

    /// Answers the question at `index` of its round. Returns `false` if the file has no answer.
    ///
    /// # Errors
    /// [`ErrorKind::Input`]: the answer is not valid.
    pub(crate) fn answer(
        &self,
        index: usize,
        question: &Question<'_>,
        answers: &mut Answers,
    ) -> Result<bool, Error> {
        let Some(given) = self.0.get(question.text()) else {
            return Ok(false);
        };
        let form = |form: &str| {
            let message = format!("the answer to question {} must be {form}", index + 1);
            Error::new(ErrorKind::Input, message)
        };
        let text = || given.as_str().ok_or_else(|| form("a text"));
        let field = |name: &str| given.get(name).and_then(Value::as_str);
        match question.kind() {
            QuestionKind::Text(q) => q.answer(answers, text()?),
            QuestionKind::Code(q) => q.enter(answers, text()?),
            QuestionKind::Date(q) => q.answer(answers, text()?),
            QuestionKind::SingleChoice(q) => match texts(given).as_deref() {
                Some([choice]) => q.choose(answers, choice),
                Some(_) | None => Err(form("one of its choices")),
            },
            QuestionKind::MultipleChoice(q) => {
                let choices = texts(given).ok_or_else(|| form("an array of its choices"))?;
                q.choose(answers, choices)
            }
            QuestionKind::Image(q) => {
                let place = given.get("image").and_then(Value::as_u64);
                let place = place.and_then(|place| usize::try_from(place).ok());
                let image = place
                    .and_then(|place| q.images().nth(place))
                    .ok_or_else(|| {
                        let last = q.images().len().saturating_sub(1);
                        form(&format!("{{\"image\": number}}, a number from 0 to {last}"))
                    })?;
                q.choose(answers, image)
            }
            QuestionKind::Phone(q) => match (field("to"), field("by").and_then(channel)) {
                (Some(number), Some(channel)) => q.send_to(answers, number, channel),
                _ => Err(form("{\"to\": number, \"by\": \"Text\" or \"Call\"}")),
            },
            QuestionKind::Approval(q) if given == &Value::Bool(true) => q.approved(answers),
            QuestionKind::Approval(_) => Err(form("true")),
            QuestionKind::NewQuestion(q) => match (field("question"), field("answer")) {
                (Some(question), Some(answer)) => q.choose(answers, question, answer),
                _ => Err(form("{\"question\": text, \"answer\": text}")),
            },
            other @ (QuestionKind::Other(_) | _) => {
                let values = texts(given).ok_or_else(|| form("a text or an array of texts"))?;
                other.answer_raw(answers, values)
            }
        }
        .map(|()| true)
    }
}

/// Returns a string, or an array of strings.
fn texts(given: &Value) -> Option<Vec<&str>> {
    match given.as_array() {
        Some(array) => array.iter().map(Value::as_str).collect(),
        None => given.as_str().map(|text| vec![text]),
    }
}

fn channel(word: &str) -> Option<Channel> {
    [Channel::Call, Channel::Text]
        .into_iter()
        .find(|channel| channel.as_str().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::session_file::tests::round;

    fn given(question: &Value, answer: &Value) -> Result<bool, Error> {
        let round = round(std::slice::from_ref(question));
        let mut answers = round.answers();
        let prompt = question["prompt"].as_str().unwrap_or_default();
        let file = parse(&json!([{ prompt: answer }]).to_string());
        let question = round.questions().next().expect("a question");
        let outcome = file
            .expect("valid")
            .next_round()
            .answer(0, &question, &mut answers)?;
        if outcome {
            answers.finish()?;
        }
        Ok(outcome)
    }

    fn question(kind: &str, choices: &[&str]) -> Value {
        json!({ "type": kind, "prompt": "P", "choices": choices })
    }

    #[test]
    fn every_type_takes_one_form_of_answer() {
        let q = "QuestionAndAnswer";
        let rows = [
            (question(q, &[]), json!("CANARY")),
            (question("OneTimeVerification", &[]), json!("123")),
            (question("Date", &[]), json!("1990-01-31")),
            (question("MultipleChoice", &["a", "b"]), json!("b")),
            (
                question("MultipleChoiceMultipleAnswers", &["a", "b"]),
                json!(["b", "a"]),
            ),
            (
                question("ImageSelection", &["AA==", "AQ=="]),
                json!({ "image": 1 }),
            ),
            (
                question("TextOrCall", &["#1"]),
                json!({ "to": "#1", "by": "Call" }),
            ),
            (question("WaitUntilEUAccept", &[]), json!(true)),
            (
                question(q, &["one", "two"]),
                json!({ "question": "two", "answer": "CANARY" }),
            ),
        ];
        for (index, (question, answer)) in rows.iter().enumerate() {
            assert_eq!(given(question, answer).ok(), Some(true), "{question}");
            for (other, (_, wrong)) in rows.iter().enumerate() {
                let texts = wrong.is_string() && answer.is_string();
                let choice = index == 4 && other == 3;
                if index == other || (texts && index != 3) || choice {
                    continue;
                }
                let error = given(question, wrong).expect_err("another form");
                assert_eq!(error.kind(), ErrorKind::Input);
                assert!(!error.to_string().contains("CANARY"), "{error}");
            }
        }
        let unknown = question("PaperToken", &[]);
        assert_eq!(given(&unknown, &json!("maple")).ok(), Some(true));
        given(&unknown, &json!(false)).expect_err("no text");
        let image = question("ImageSelection", &["AA=="]);
        given(&image, &json!({ "image": 1 })).expect_err("there is one");
    }

    #[test]
    fn a_question_may_have_no_answer() {
        let round = round(&[question("QuestionAndAnswer", &[])]);
        let question = round.questions().next().expect("a question");
        let mut file = parse(r#"[{"Q": "a"}]"#).expect("valid");
        let mut unmatched = Vec::new();
        for _ in 0..2 {
            let given = file.next_round();
            let outcome = given.answer(0, &question, &mut round.answers());
            assert_eq!(outcome.ok(), Some(false));
            unmatched.push(given.unmatched(&round));
        }
        assert_eq!(unmatched, [1, 0]);
    }

    #[test]
    fn another_format_is_refused_without_quoting_it() {
        for wrong in [
            "",
            "{\"CANARY\": 1}",
            "[\"CANARY\"]",
            "[{\"CANARY\": x}]",
            "[{]",
        ] {
            let why = parse(wrong).err().expect(wrong);
            assert!(!why.contains("CANARY"), "{why}");
        }
    }
}
