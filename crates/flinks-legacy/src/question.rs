//! A bank's question in the type that offers just the answers it allows.

mod kinds;

use std::fmt;
use std::sync::Arc;

use flinks_transport::Error;
use flinks_types::{ChallengeType, SecurityChallenge};

use crate::answers::{Answers, refused};

pub use kinds::{
    ApprovalQuestion, CodeQuestion, DateQuestion, ImageQuestion, NewQuestion, OneOfQuestion,
    OtherQuestion, PhoneQuestion, SeveralOfQuestion, TextQuestion,
};

/// A question's place in its round.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) round: &'r Arc<[SecurityChallenge]>,
    pub(crate) index: usize,
    pub(crate) challenge: &'r SecurityChallenge,
}

impl<'r> Asked<'r> {
    fn text(self) -> &'r str {
        self.challenge.prompt.as_deref().unwrap_or_default()
    }

    fn choices(self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.challenge.iterables.iter().map(String::as_str)
    }

    fn offered(self, choice: &str) -> Result<(), Error> {
        if self.choices().any(|offered| offered == choice) {
            Ok(())
        } else {
            Err(refused(self.index, "is answered with none of its choices"))
        }
    }

    fn answer(self, answers: &mut Answers, key: &str, value: &str) -> Result<(), Error> {
        if value.is_empty() {
            return Err(refused(self.index, "has an empty answer"));
        }
        answers.put(self, key, vec![value.into()])
    }
}

/// One question of a round.
#[derive(Clone, Copy)]
pub struct Question<'r>(pub(crate) Asked<'r>);

impl<'r> Question<'r> {
    /// The bank's text, to show to its customer.
    #[must_use]
    pub fn text(&self) -> &'r str {
        self.0.text()
    }

    /// The challenge as it came.
    #[must_use]
    pub fn challenge(&self) -> &'r SecurityChallenge {
        self.0.challenge
    }

    /// The question in the type that offers just the answers it allows.
    #[must_use]
    pub fn ask(&self) -> Ask<'r> {
        let Self(asked) = *self;
        let has_prompt = asked.challenge.prompt.is_some();
        let has_choices = !asked.challenge.iterables.is_empty();
        let other = Ask::Other(OtherQuestion(asked));
        match &asked.challenge.r#type {
            // The chosen text is the key: whether there is a prompt does not matter.
            Some(ChallengeType::QuestionAndAnswer) if has_choices => {
                Ask::NewQuestion(NewQuestion(asked))
            }
            Some(ChallengeType::TextOrCall) if has_choices => Ask::Phone(PhoneQuestion(asked)),
            _ if !has_prompt => other,
            Some(ChallengeType::QuestionAndAnswer) if is_secur_id(asked.text()) => {
                Ask::Code(CodeQuestion(asked))
            }
            Some(ChallengeType::QuestionAndAnswer) => Ask::Text(TextQuestion(asked)),
            Some(ChallengeType::MultipleChoice) if has_choices => Ask::OneOf(OneOfQuestion(asked)),
            Some(ChallengeType::MultipleChoiceMultipleAnswers) if has_choices => {
                Ask::SeveralOf(SeveralOfQuestion(asked))
            }
            Some(ChallengeType::ImageSelection) if has_choices => Ask::Image(ImageQuestion(asked)),
            Some(ChallengeType::WaitUntilEuAccept) => Ask::Approval(ApprovalQuestion(asked)),
            Some(ChallengeType::OneTimeVerification) => Ask::Code(CodeQuestion(asked)),
            Some(ChallengeType::Date) => Ask::Date(DateQuestion(asked)),
            // A choice of nothing cannot be made.
            Some(_) | None => other,
        }
    }
}

impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Question").field(self.0.challenge).finish()
    }
}

/// SecurID is a question like any other on the wire; only its text tells that six digits answer it.
fn is_secur_id(prompt: &str) -> bool {
    prompt.to_ascii_lowercase().contains("securid")
}

/// A question in its type.
///
/// Types that this version does not know are [`Ask::Other`]; so are types that cannot be answered
/// as they should, such as a choice without choices.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Ask<'r> {
    /// An approval on the customer's device.
    Approval(ApprovalQuestion<'r>),
    /// A one-time code.
    Code(CodeQuestion<'r>),
    /// A date.
    Date(DateQuestion<'r>),
    /// One of several images.
    Image(ImageQuestion<'r>),
    /// A question to choose from a list, and the answer that it shall have from now on.
    NewQuestion(NewQuestion<'r>),
    /// One of several texts.
    OneOf(OneOfQuestion<'r>),
    /// A type without rules: the caller says what to send.
    Other(OtherQuestion<'r>),
    /// A phone number that gets a code, by text or by call.
    Phone(PhoneQuestion<'r>),
    /// One or more of several texts.
    SeveralOf(SeveralOfQuestion<'r>),
    /// Free text.
    Text(TextQuestion<'r>),
}

impl<'r> Ask<'r> {
    /// Answers a question of any type with values of the caller's, under the question's text.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): there is no text, no value, or
    /// the question is not of this round.
    pub fn raw<V: AsRef<str>>(
        self,
        answers: &mut Answers,
        values: impl IntoIterator<Item = V>,
    ) -> Result<(), Error> {
        OtherQuestion(self.asked()).answer(answers, values)
    }

    fn asked(self) -> Asked<'r> {
        match self {
            Self::Approval(q) => q.0,
            Self::Code(q) => q.0,
            Self::Date(q) => q.0,
            Self::Image(q) => q.0,
            Self::NewQuestion(q) => q.0,
            Self::OneOf(q) => q.0,
            Self::Other(q) => q.0,
            Self::Phone(q) => q.0,
            Self::SeveralOf(q) => q.0,
            Self::Text(q) => q.0,
        }
    }
}

/// How a code reaches a phone.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Channel {
    /// A call.
    Call,
    /// A text message.
    Text,
}

impl Channel {
    /// The service's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "Call",
            Self::Text => "Text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_nothing_cannot_be_made_in_its_type() {
        let prompt = || Some("Choose".to_owned());
        for word in [
            ChallengeType::ImageSelection,
            ChallengeType::MultipleChoice,
            ChallengeType::MultipleChoiceMultipleAnswers,
            ChallengeType::TextOrCall,
        ] {
            let round = [SecurityChallenge::new(Some(word), prompt(), vec![])].into();
            assert!(matches!(asked(&round).ask(), Ask::Other(_)), "{round:?}");
        }
    }

    #[test]
    fn an_answer_that_would_go_out_under_no_text_is_for_the_caller_to_place() {
        for word in [
            ChallengeType::Date,
            ChallengeType::OneTimeVerification,
            ChallengeType::QuestionAndAnswer,
            ChallengeType::WaitUntilEuAccept,
        ] {
            let round = [SecurityChallenge::new(Some(word), None, vec![])].into();
            assert!(matches!(asked(&round).ask(), Ask::Other(_)), "{round:?}");
        }
    }

    #[test]
    fn a_question_shows_the_challenge_as_it_came() {
        let word = Some(ChallengeType::TextOrCall);
        let numbers = vec!["PhoneNumber #1".to_owned()];
        let challenge = SecurityChallenge::new(word, Some("Choose".to_owned()), numbers);
        let round = [challenge.clone()].into();
        assert_eq!(asked(&round).challenge(), &challenge);
    }

    fn asked(round: &Arc<[SecurityChallenge]>) -> Question<'_> {
        Question(Asked {
            round,
            index: 0,
            challenge: &round[0],
        })
    }
}
