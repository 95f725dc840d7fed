//! Users that a tester adds.

use std::fmt;

use super::users::{Conduct, Flow, PASSWORD, User, institution_id};

/// A user of a bank, for [`SandboxBuilder::user`](crate::SandboxBuilder::user).
///
/// Text questions are challenges of the type `QuestionAndAnswer` (legacy guide, "MFA Types"). Each makes
/// a round of its own, in the order in which they are added. Without any, *Authorize* succeeds at once.
///
/// ```
/// use flinks_sandbox::{Sandbox, SandboxUser};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let user = SandboxUser::new("Maple Credit Union", "zoe")
///     .password("correct horse")
///     .question("What is the name of your cat?", "Mia");
/// let sandbox = Sandbox::builder().user(user).start().await?;
/// # drop(sandbox);
/// # Ok::<(), std::io::Error>(()) })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a user is added to a sandbox with `SandboxBuilder::user`"]
pub struct SandboxUser {
    institution: String,
    username: String,
    password: String,
    questions: Vec<(String, String)>,
}

impl SandboxUser {
    /// Makes a user of a bank, which may be a new one, with the password `Everyday`.
    pub fn new(institution: &str, username: &str) -> Self {
        Self {
            institution: institution.to_owned(),
            username: username.to_owned(),
            password: PASSWORD.to_owned(),
            questions: Vec::new(),
        }
    }

    /// Sets the password, which may be sent in any casing.
    pub fn password(mut self, password: &str) -> Self {
        password.clone_into(&mut self.password);
        self
    }

    /// Adds a question and its right answer, which may be sent in any casing.
    pub fn question(mut self, prompt: &str, answer: &str) -> Self {
        self.questions.push((prompt.to_owned(), answer.to_owned()));
        self
    }

    /// Makes it one of the sandbox's users. They live as long as the process, like the built-in ones.
    pub(crate) fn into_static(self) -> &'static User {
        let questions = self.questions.into_iter().map(|(prompt, answer)| {
            let answers: &'static [&'static str] = vec![&*answer.leak()].leak();
            (&*prompt.leak(), answers)
        });
        let questions: Vec<_> = questions.collect();
        let institution: &'static str = self.institution.leak();
        Box::leak(Box::new(User {
            institution,
            institution_id: institution_id(institution),
            name: self.username.leak(),
            password: self.password.leak(),
            conduct: Conduct::Ordinary,
            flow: Flow::Questions(questions.leak()),
        }))
    }
}

impl fmt::Debug for SandboxUser {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SandboxUser")
            .field("institution", &self.institution)
            .field("questions", &self.questions.len())
            .finish_non_exhaustive()
    }
}
