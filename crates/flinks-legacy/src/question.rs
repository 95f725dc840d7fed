//! A bank's question in the type that offers just the answers it allows.

use std::fmt;
use std::sync::Arc;

use flinks_transport::Error;
use flinks_types::{ChallengeType, SecurityChallenge};

use crate::answers::{Answers, refused};

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

/// Defines a question's type with what all of them have.
macro_rules! question {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'r>(Asked<'r>);

        impl<'r> $name<'r> {
            /// The bank's text, to show to its customer.
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
    /// A question that free text answers.
    TextQuestion
}

impl TextQuestion<'_> {
    /// Answers it. The text is sent as it is.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the answer is empty, or the
    /// question is not of this round.
    pub fn answer(self, answers: &mut Answers, text: impl AsRef<str>) -> Result<(), Error> {
        self.0.answer(answers, self.text(), text.as_ref())
    }
}

question! {
    /// A question that a one-time code answers.
    CodeQuestion
}

impl CodeQuestion<'_> {
    /// How many digits the code has, where that is known: six for SecurID.
    #[must_use]
    pub fn digits(&self) -> Option<usize> {
        is_secur_id(self.text()).then_some(6)
    }

    /// Answers it.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the code is empty, a SecurID has
    /// not six digits, or the question is not of this round.
    pub fn enter(self, answers: &mut Answers, code: impl AsRef<str>) -> Result<(), Error> {
        let code = code.as_ref();
        let fits = |digits| code.len() == digits && code.bytes().all(|b| b.is_ascii_digit());
        if !self.digits().is_none_or(fits) {
            return Err(refused(
                self.0.index,
                "is a SecurID code: it has six digits",
            ));
        }
        self.0.answer(answers, self.text(), code)
    }
}

question! {
    /// A question that a date answers. The service does not say in which writing: follow the
    /// bank's text.
    DateQuestion
}

impl DateQuestion<'_> {
    /// Answers it. The text is sent as it is.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the date is empty, or the
    /// question is not of this round.
    pub fn answer(self, answers: &mut Answers, date: impl AsRef<str>) -> Result<(), Error> {
        self.0.answer(answers, self.text(), date.as_ref())
    }
}

question! {
    /// A question that one of its choices answers.
    OneOfQuestion
}

impl<'r> OneOfQuestion<'r> {
    /// What there is to choose from.
    #[must_use]
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Chooses one.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): it is not among the choices, or
    /// the question is not of this round.
    pub fn choose(self, answers: &mut Answers, choice: impl AsRef<str>) -> Result<(), Error> {
        self.0.offered(choice.as_ref())?;
        answers.put(self.0, self.text(), vec![choice.as_ref().into()])
    }
}

question! {
    /// A question that one or more of its choices answer.
    SeveralOfQuestion
}

impl<'r> SeveralOfQuestion<'r> {
    /// What there is to choose from.
    #[must_use]
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Chooses one or more.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): none is given, one is not among
    /// the choices or given twice, or the question is not of this round.
    pub fn choose<C: AsRef<str>>(
        self,
        answers: &mut Answers,
        choices: impl IntoIterator<Item = C>,
    ) -> Result<(), Error> {
        let chosen: Vec<C> = choices.into_iter().collect();
        let mut seen: Vec<&str> = Vec::new();
        for choice in chosen.iter().map(AsRef::as_ref) {
            self.0.offered(choice)?;
            if seen.contains(&choice) {
                return Err(refused(self.0.index, "is answered with one choice twice"));
            }
            seen.push(choice);
        }
        let values = seen.into_iter().map(Into::into).collect();
        answers.put(self.0, self.text(), values)
    }
}

question! {
    /// A question that one of its images answers.
    ImageQuestion
}

impl<'r> ImageQuestion<'r> {
    /// The images, each in base64 as it came.
    #[must_use]
    pub fn images(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Chooses one by its base64 text, which is sent back to the byte.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): it is not among the images, or
    /// the question is not of this round.
    pub fn choose(self, answers: &mut Answers, image: impl AsRef<str>) -> Result<(), Error> {
        self.0.offered(image.as_ref())?;
        answers.put(self.0, self.text(), vec![image.as_ref().into()])
    }
}

question! {
    /// A phone number to choose, which then gets a code for the next round.
    PhoneQuestion
}

impl<'r> PhoneQuestion<'r> {
    /// The numbers, as the bank shows them.
    #[must_use]
    pub fn numbers(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Has the code sent to a number.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): it is not among the numbers, or
    /// the question is not of this round.
    pub fn send_to(
        self,
        answers: &mut Answers,
        number: impl AsRef<str>,
        channel: Channel,
    ) -> Result<(), Error> {
        self.0.offered(number.as_ref())?;
        answers.put(self.0, number.as_ref(), vec![channel.as_str().into()])
    }
}

question! {
    /// An approval that the customer gives on a device. Send the answer only once it is given.
    ApprovalQuestion
}

impl ApprovalQuestion<'_> {
    /// Says that the customer has approved.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the question is not of this
    /// round.
    pub fn approved(self, answers: &mut Answers) -> Result<(), Error> {
        answers.put(self.0, self.text(), vec!["VERIFIED".into()])
    }
}

question! {
    /// A security question to choose from a list, with the answer that it shall have from now on.
    NewQuestion
}

impl<'r> NewQuestion<'r> {
    /// The questions to choose from. Other questions of the round may offer the same ones; each
    /// can be chosen once.
    #[must_use]
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// Chooses a question and answers it.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the question is not among the
    /// choices, the answer is empty, or this question is not of this round.
    pub fn choose(
        self,
        answers: &mut Answers,
        question: impl AsRef<str>,
        answer: impl AsRef<str>,
    ) -> Result<(), Error> {
        self.0.offered(question.as_ref())?;
        self.0.answer(answers, question.as_ref(), answer.as_ref())
    }
}

question! {
    /// A question whose type has no rules here.
    OtherQuestion
}

impl<'r> OtherQuestion<'r> {
    /// What there is to choose from, if anything.
    #[must_use]
    pub fn choices(&self) -> impl ExactSizeIterator<Item = &'r str> + Clone {
        self.0.choices()
    }

    /// The service's word for the type, if it gave one.
    #[must_use]
    pub fn r#type(&self) -> Option<&'r ChallengeType> {
        self.0.challenge.r#type.as_ref()
    }

    /// Answers it under its own text.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): it has no text, there is no
    /// value, or it is not of this round.
    pub fn answer<V: AsRef<str>>(
        self,
        answers: &mut Answers,
        values: impl IntoIterator<Item = V>,
    ) -> Result<(), Error> {
        self.answer_under(answers, self.text(), values)
    }

    /// Answers it under another key, as some types want it: a chosen number, a chosen question.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the key is empty, there is no
    /// value, or the question is not of this round.
    pub fn answer_under<V: AsRef<str>>(
        self,
        answers: &mut Answers,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<(), Error> {
        if key.is_empty() {
            return Err(refused(
                self.0.index,
                "has no text: answer it under a key of your own",
            ));
        }
        let values = values.into_iter().map(|value| value.as_ref().into());
        answers.put(self.0, key, values.collect())
    }
}
