//! The kinds of question, each with the answers that its type allows and the key they are sent under.

use std::fmt;
use std::sync::Arc;

use flinks_transport::Error;
use flinks_types::{ChallengeType, SecurityChallenge};

use super::answers::{Answers, invalid};

/// The position of a question in its round.
#[derive(Clone, Copy)]
pub(super) struct Position<'r> {
    pub(super) round: &'r Arc<[SecurityChallenge]>,
    pub(super) index: usize,
    pub(super) challenge: &'r SecurityChallenge,
}

impl<'r> Position<'r> {
    pub(super) fn text(self) -> &'r str {
        self.challenge.prompt.as_deref().unwrap_or_default()
    }

    fn choices(self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.challenge.iterables.iter().map(String::as_str)
    }

    fn require_choice(self, choice: &str) -> Result<(), Error> {
        if self.choices().any(|offered| offered == choice) {
            Ok(())
        } else {
            Err(invalid(
                self.index,
                "has an answer that is not one of its choices",
            ))
        }
    }

    fn insert<V: AsRef<str>>(
        self,
        answers: &mut Answers,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<(), Error> {
        let values = values.into_iter().map(|value| value.as_ref().into());
        answers.insert(self.round, self.index, key, values.collect())
    }

    fn insert_text(self, answers: &mut Answers, key: &str, text: &str) -> Result<(), Error> {
        if text.is_empty() {
            return Err(invalid(self.index, "has an empty answer"));
        }
        self.insert(answers, key, [text])
    }

    /// SecurID is a question like any other on the wire; only its text says that six digits answer it.
    pub(super) fn is_secur_id(self) -> bool {
        self.text().to_ascii_lowercase().contains("securid")
    }
}

/// Defines a question's type with what all of them have.
macro_rules! question {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'r>(pub(super) Position<'r>);

        impl<'r> $name<'r> {
            /// Returns the bank's text, to show to its customer.
            #[must_use]
            pub fn text(&self) -> &'r str {
                self.0.text()
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(self.0.challenge).finish()
            }
        }
    };
}

question! {
    /// A question answered by free text.
    TextQuestion
}

impl TextQuestion<'_> {
    /// Answers the question. The text is sent unchanged.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the answer is empty, or the
    /// question belongs to another round.
    pub fn answer(self, answers: &mut Answers, text: impl AsRef<str>) -> Result<(), Error> {
        self.0.insert_text(answers, self.text(), text.as_ref())
    }
}

question! {
    /// A question answered by a one-time code.
    CodeQuestion
}

impl CodeQuestion<'_> {
    /// Returns the number of digits of the code if it is known: six for SecurID.
    #[must_use]
    pub fn digits(&self) -> Option<usize> {
        self.0.is_secur_id().then_some(6)
    }

    /// Answers the question.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the code is empty, a SecurID code
    /// does not have six digits, or the question belongs to another round.
    pub fn enter(self, answers: &mut Answers, code: impl AsRef<str>) -> Result<(), Error> {
        let code = code.as_ref();
        let fits = |digits| code.len() == digits && code.bytes().all(|b| b.is_ascii_digit());
        if !self.digits().is_none_or(fits) {
            return Err(invalid(
                self.0.index,
                "has an invalid answer: a SecurID code has six digits",
            ));
        }
        self.0.insert_text(answers, self.text(), code)
    }
}

question! {
    /// A question answered by a date. Its format is not documented: follow the bank's text.
    DateQuestion
}

impl DateQuestion<'_> {
    /// Answers the question. The text is sent unchanged.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the date is empty, or the
    /// question belongs to another round.
    pub fn answer(self, answers: &mut Answers, date: impl AsRef<str>) -> Result<(), Error> {
        self.0.insert_text(answers, self.text(), date.as_ref())
    }
}

question! {
    /// A question answered by one of its choices: the service's `MultipleChoice`.
    SingleChoiceQuestion
}

impl<'r> SingleChoiceQuestion<'r> {
    /// Returns the choices.
    #[must_use]
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Answers with one of the choices.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the text is not among the
    /// choices, or the question belongs to another round.
    pub fn choose(self, answers: &mut Answers, choice: impl AsRef<str>) -> Result<(), Error> {
        self.0.require_choice(choice.as_ref())?;
        self.0.insert(answers, self.text(), [choice])
    }
}

question! {
    /// A question answered by one or more of its choices: the service's
    /// `MultipleChoiceMultipleAnswers`.
    MultipleChoiceQuestion
}

impl<'r> MultipleChoiceQuestion<'r> {
    /// Returns the choices.
    #[must_use]
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Answers with one or more of the choices.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): there is none, one is not among
    /// the choices or is given twice, or the question belongs to another round.
    pub fn choose<C: AsRef<str>>(
        self,
        answers: &mut Answers,
        choices: impl IntoIterator<Item = C>,
    ) -> Result<(), Error> {
        let chosen: Vec<C> = choices.into_iter().collect();
        let mut seen: Vec<&str> = Vec::new();
        for choice in chosen.iter().map(AsRef::as_ref) {
            self.0.require_choice(choice)?;
            if seen.contains(&choice) {
                return Err(invalid(self.0.index, "is answered with one choice twice"));
            }
            seen.push(choice);
        }
        self.0.insert(answers, self.text(), seen)
    }
}

question! {
    /// A question answered by one of its images.
    ImageQuestion
}

impl<'r> ImageQuestion<'r> {
    /// Returns the images, each in base64.
    #[must_use]
    pub fn images(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Answers with an image, given by its base64 text.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the text is not among the images,
    /// or the question belongs to another round.
    pub fn choose(self, answers: &mut Answers, image: impl AsRef<str>) -> Result<(), Error> {
        self.0.require_choice(image.as_ref())?;
        self.0.insert(answers, self.text(), [image])
    }
}

question! {
    /// A choice of phone numbers. A code is sent to the chosen one, and the next round asks for it.
    PhoneQuestion
}

impl<'r> PhoneQuestion<'r> {
    /// Returns the numbers as the bank shows them.
    #[must_use]
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Has the code sent to one of the numbers.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the text is not among the
    /// numbers, or the question belongs to another round.
    pub fn send_to(
        self,
        answers: &mut Answers,
        number: impl AsRef<str>,
        channel: Channel,
    ) -> Result<(), Error> {
        self.0.require_choice(number.as_ref())?;
        self.0.insert(answers, number.as_ref(), [channel.as_str()])
    }
}

question! {
    /// An approval that the customer gives on a device. Send the answer only after the approval.
    ApprovalQuestion
}

impl ApprovalQuestion<'_> {
    /// Answers that the customer has approved.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the question belongs to
    /// another round.
    pub fn approved(self, answers: &mut Answers) -> Result<(), Error> {
        self.0.insert(answers, self.text(), ["VERIFIED"])
    }
}

question! {
    /// A security question to choose from a list, and the answer to store for it.
    NewQuestion
}

impl<'r> NewQuestion<'r> {
    /// Returns the questions to choose from. Other questions of the round may offer the same ones;
    /// each can be chosen once.
    #[must_use]
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Chooses a question and sets its answer.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the question is not among the
    /// choices, the answer is empty, or this question belongs to another round.
    pub fn choose(
        self,
        answers: &mut Answers,
        question: impl AsRef<str>,
        answer: impl AsRef<str>,
    ) -> Result<(), Error> {
        self.0.require_choice(question.as_ref())?;
        self.0
            .insert_text(answers, question.as_ref(), answer.as_ref())
    }
}

question! {
    /// A question of a type that this version does not know.
    OtherQuestion
}

impl<'r> OtherQuestion<'r> {
    /// Returns the choices, if there are any.
    #[must_use]
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Returns the service's name of the type, if the answer has one.
    #[must_use]
    pub fn r#type(&self) -> Option<&'r ChallengeType> {
        self.0.challenge.r#type.as_ref()
    }

    /// Answers the question under its own text.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the question has no text, there is
    /// no value, or the question belongs to another round.
    pub fn answer<V: AsRef<str>>(
        self,
        answers: &mut Answers,
        values: impl IntoIterator<Item = V>,
    ) -> Result<(), Error> {
        self.answer_under(answers, self.text(), values)
    }

    /// Answers the question under another key, as some types require: a chosen number or question.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the key is empty, there is no
    /// value, or the question belongs to another round.
    pub fn answer_under<V: AsRef<str>>(
        self,
        answers: &mut Answers,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<(), Error> {
        if key.is_empty() {
            return Err(invalid(
                self.0.index,
                "has no text: answer it under a key of your own",
            ));
        }
        self.0.insert(answers, key, values)
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
    /// Returns the service's name of the channel.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "Call",
            Self::Text => "Text",
        }
    }
}
