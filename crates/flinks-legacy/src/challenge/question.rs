//! One question of a round, and its kind: which decides the answers that it takes.

use std::fmt;

use flinks_transport::Error;
use flinks_types::{ChallengeType, SecurityChallenge};

use super::answers::Answers;
use super::kinds::{
    ApprovalQuestion, CodeQuestion, DateQuestion, ImageQuestion, MultipleChoiceQuestion,
    NewQuestion, OtherQuestion, PhoneQuestion, Position, SingleChoiceQuestion, TextQuestion,
};

/// One question of a round.
#[derive(Clone, Copy)]
pub struct Question<'r>(pub(super) Position<'r>);

impl<'r> Question<'r> {
    /// Returns the bank's text, to show to its customer.
    #[must_use]
    pub fn text(&self) -> &'r str {
        self.0.text()
    }

    /// Returns the challenge as the service sent it.
    #[must_use]
    pub fn challenge(&self) -> &'r SecurityChallenge {
        self.0.challenge
    }

    /// Returns the question as its kind, whose methods take the answers that it allows.
    #[must_use]
    pub fn kind(&self) -> QuestionKind<'r> {
        let Self(question) = *self;
        let has_prompt = question.challenge.prompt.is_some();
        let has_choices = !question.challenge.iterables.is_empty();
        let other = QuestionKind::Other(OtherQuestion(question));
        match &question.challenge.r#type {
            // The chosen text is the key: whether there is a prompt does not matter.
            Some(ChallengeType::QuestionAndAnswer) if has_choices => {
                QuestionKind::NewQuestion(NewQuestion(question))
            }
            Some(ChallengeType::TextOrCall) if has_choices => {
                QuestionKind::Phone(PhoneQuestion(question))
            }
            _ if !has_prompt => other,
            Some(ChallengeType::QuestionAndAnswer) if question.is_secur_id() => {
                QuestionKind::Code(CodeQuestion(question))
            }
            Some(ChallengeType::QuestionAndAnswer) => QuestionKind::Text(TextQuestion(question)),
            Some(ChallengeType::MultipleChoice) if has_choices => {
                QuestionKind::SingleChoice(SingleChoiceQuestion(question))
            }
            Some(ChallengeType::MultipleChoiceMultipleAnswers) if has_choices => {
                QuestionKind::MultipleChoice(MultipleChoiceQuestion(question))
            }
            Some(ChallengeType::ImageSelection) if has_choices => {
                QuestionKind::Image(ImageQuestion(question))
            }
            Some(ChallengeType::WaitUntilEuAccept) => {
                QuestionKind::Approval(ApprovalQuestion(question))
            }
            Some(ChallengeType::OneTimeVerification) => QuestionKind::Code(CodeQuestion(question)),
            Some(ChallengeType::Date) => QuestionKind::Date(DateQuestion(question)),
            // A choice without choices cannot be answered as one.
            Some(_) | None => other,
        }
    }
}

impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Question").field(self.0.challenge).finish()
    }
}

/// A question by its kind.
///
/// Types that this version does not know are [`QuestionKind::Other`]; so are questions that their
/// type cannot answer, such as a choice without choices.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum QuestionKind<'r> {
    /// An approval on the customer's device.
    Approval(ApprovalQuestion<'r>),
    /// A one-time code.
    Code(CodeQuestion<'r>),
    /// A date.
    Date(DateQuestion<'r>),
    /// One of several images.
    Image(ImageQuestion<'r>),
    /// One or more of several texts.
    MultipleChoice(MultipleChoiceQuestion<'r>),
    /// A security question to choose from a list, and the answer to store for it.
    NewQuestion(NewQuestion<'r>),
    /// A type that this version does not know: the caller chooses the answer's key and values.
    Other(OtherQuestion<'r>),
    /// A phone number that gets a code, by text message or by call.
    Phone(PhoneQuestion<'r>),
    /// One of several texts.
    SingleChoice(SingleChoiceQuestion<'r>),
    /// Free text.
    Text(TextQuestion<'r>),
}

impl<'r> QuestionKind<'r> {
    /// Answers a question of any kind with the given values, under the question's text. They are
    /// sent unchecked.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the question has no text, there is
    /// no value, or the question belongs to another round.
    pub fn answer_raw<V: AsRef<str>>(
        self,
        answers: &mut Answers,
        values: impl IntoIterator<Item = V>,
    ) -> Result<(), Error> {
        OtherQuestion(self.position()).answer(answers, values)
    }

    fn position(self) -> Position<'r> {
        match self {
            Self::Approval(q) => q.0,
            Self::Code(q) => q.0,
            Self::Date(q) => q.0,
            Self::Image(q) => q.0,
            Self::MultipleChoice(q) => q.0,
            Self::NewQuestion(q) => q.0,
            Self::Other(q) => q.0,
            Self::Phone(q) => q.0,
            Self::SingleChoice(q) => q.0,
            Self::Text(q) => q.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_choice_without_choices_is_of_another_kind() {
        let prompt = || Some("Choose".to_owned());
        for word in [
            ChallengeType::ImageSelection,
            ChallengeType::MultipleChoice,
            ChallengeType::MultipleChoiceMultipleAnswers,
            ChallengeType::TextOrCall,
        ] {
            let round = [SecurityChallenge::new(Some(word), prompt(), vec![])].into();
            assert!(
                matches!(question(&round).kind(), QuestionKind::Other(_)),
                "{round:?}"
            );
        }
    }

    #[test]
    fn a_question_without_a_text_to_answer_under_is_of_another_kind() {
        for word in [
            ChallengeType::Date,
            ChallengeType::OneTimeVerification,
            ChallengeType::QuestionAndAnswer,
            ChallengeType::WaitUntilEuAccept,
        ] {
            let round = [SecurityChallenge::new(Some(word), None, vec![])].into();
            assert!(
                matches!(question(&round).kind(), QuestionKind::Other(_)),
                "{round:?}"
            );
        }
    }

    #[test]
    fn a_question_has_the_challenge_as_it_came() {
        let word = Some(ChallengeType::TextOrCall);
        let numbers = vec!["PhoneNumber #1".to_owned()];
        let challenge = SecurityChallenge::new(word, Some("Choose".to_owned()), numbers);
        let round = [challenge.clone()].into();
        assert_eq!(question(&round).challenge(), &challenge);
    }

    fn question(round: &Arc<[SecurityChallenge]>) -> Question<'_> {
        Question(Position {
            round,
            index: 0,
            challenge: &round[0],
        })
    }
}
