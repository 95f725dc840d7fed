//! Answers in the words of the program's answers file, put into a round by the types of its questions.

use flinks_legacy::{Answers, ChallengeRound, Channel, QuestionKind};
use flinks_transport::{Error, ErrorKind};
use serde_json::{Map, Value};

/// What an answer can be.
pub(super) enum Given<'v> {
    Text(&'v str),
    Several(Vec<&'v str>),
    Image(usize),
    NewQuestion {
        question: &'v str,
        answer: &'v str,
    },
    Phone {
        to: &'v str,
        by: Channel,
    },
    Approved,
    /// Not the program's: whatever the type is, under the question's own text.
    Raw(Vec<&'v str>),
    /// Not the program's either: whatever the type is, under this key.
    Under {
        key: &'v str,
        values: Vec<&'v str>,
    },
}

impl<'v> Given<'v> {
    fn read(value: &'v Value) -> Option<Self> {
        let text = |key: &str| value.get(key)?.as_str();
        Some(match value {
            Value::String(text) => Self::Text(text),
            Value::Array(_) => Self::Several(texts(value)?),
            Value::Bool(true) => Self::Approved,
            Value::Object(_) => {
                if let Some(image) = value.get("image") {
                    Self::Image(usize::try_from(image.as_u64()?).ok()?)
                } else if let Some(question) = text("question") {
                    let answer = text("answer")?;
                    Self::NewQuestion { question, answer }
                } else if let Some(to) = text("to") {
                    let by = match text("by")? {
                        "Call" => Channel::Call,
                        "Text" => Channel::Text,
                        _ => return None,
                    };
                    Self::Phone { to, by }
                } else if let Some(key) = text("under") {
                    let values = texts(value.get("values")?)?;
                    Self::Under { key, values }
                } else {
                    Self::Raw(texts(value.get("raw")?)?)
                }
            }
            Value::Bool(false) | Value::Null | Value::Number(_) => return None,
        })
    }

    /// What of it a person typed or chose.
    pub(super) fn texts(value: &Value) -> Vec<String> {
        let given = match Given::read(value) {
            Some(Given::Text(text)) => vec![text],
            Some(Given::Several(texts) | Given::Raw(texts)) => texts,
            Some(Given::NewQuestion { question, answer }) => vec![question, answer],
            Some(Given::Phone { to, .. }) => vec![to],
            Some(Given::Under { key, mut values }) => {
                values.push(key);
                values
            }
            Some(Given::Image(_) | Given::Approved) | None => Vec::new(),
        };
        given.into_iter().map(ToOwned::to_owned).collect()
    }
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// Answers each question that has one; whether all have is for the library to say.
pub(super) fn of(round: &ChallengeRound, given: &Map<String, Value>) -> Result<Answers, Error> {
    let mut answers = round.answers();
    for question in round.questions() {
        if let Some(value) = given.get(question.text()) {
            let given = Given::read(value).ok_or_else(|| no_answer("is of no known shape"))?;
            put(question.kind(), &mut answers, given)?;
        }
    }
    Ok(answers)
}

fn put(ask: QuestionKind<'_>, answers: &mut Answers, given: Given<'_>) -> Result<(), Error> {
    match (ask, given) {
        (any, Given::Raw(values)) => any.answer_raw(answers, values),
        (QuestionKind::Approval(q), Given::Approved) => q.approved(answers),
        (QuestionKind::Code(q), Given::Text(text)) => q.enter(answers, text),
        (QuestionKind::Date(q), Given::Text(text)) => q.answer(answers, text),
        (QuestionKind::Image(q), Given::Image(index)) => {
            // An image that is not there is a choice that is not offered.
            let image = q.images().nth(index).unwrap_or("no such image");
            q.choose(answers, image)
        }
        (QuestionKind::NewQuestion(q), Given::NewQuestion { question, answer }) => {
            q.choose(answers, question, answer)
        }
        (QuestionKind::SingleChoice(q), Given::Text(text)) => q.choose(answers, text),
        (QuestionKind::Other(q), Given::Text(text)) => q.answer(answers, [text]),
        (QuestionKind::Other(q), Given::Several(texts)) => q.answer(answers, texts),
        (QuestionKind::Other(q), Given::Under { key, values }) => {
            q.answer_under(answers, key, values)
        }
        (QuestionKind::Phone(q), Given::Phone { to, by }) => q.send_to(answers, to, by),
        (QuestionKind::MultipleChoice(q), Given::Several(texts)) => q.choose(answers, texts),
        (QuestionKind::Text(q), Given::Text(text)) => q.answer(answers, text),
        _ => Err(no_answer("does not fit the question's type")),
    }
}

/// An error in the case itself, which no case can expect: an answer never has the kind `config`.
fn no_answer(why: &'static str) -> Error {
    Error::new(ErrorKind::Config, format!("an answer of the case {why}"))
}
