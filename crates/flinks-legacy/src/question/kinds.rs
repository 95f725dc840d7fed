//! The kinds of question, each with just the answers that its type allows, and the key they go out under.

use std::fmt;

use flinks_transport::Error;
use flinks_types::ChallengeType;

use super::{Asked, Channel, is_secur_id};
use crate::answers::{Answers, refused};

/// Defines a question's type with what all of them have.
macro_rules! question {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'r>(pub(super) Asked<'r>);

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
