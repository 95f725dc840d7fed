//! Answers a round of a bank's challenges: from the answers file, or at the terminal.

use flinks_legacy::{Answers, ChallengeRound, Channel, CompletedAnswers, Question, QuestionKind};
use flinks_transport::{Error, ErrorKind};
use flinks_types::Secret;
use flinks_types::text::escaped;

use crate::output::error::CliError;
use crate::prompt::answers_file::RoundAnswers;
use crate::prompt::image_files::decoded;
use crate::prompt::terminal::{Terminal, Typing};
use crate::prompt::terminal_images::Protocol;

/// Where the answers of a round come from.
pub(crate) struct AnswerSources<'a> {
    pub(crate) file: RoundAnswers,
    pub(crate) terminal: Option<&'a mut Terminal>,
    /// How the terminal shows images.
    pub(crate) protocol: Option<Protocol>,
    /// Whether the images are also in a folder.
    pub(crate) has_image_files: bool,
}

/// Why a question was not answered.
enum Unanswered {
    EndOfInput,
    Failed(CliError),
}

impl From<CliError> for Unanswered {
    fn from(error: CliError) -> Self {
        Self::Failed(error)
    }
}

impl AnswerSources<'_> {
    /// Answers all questions of a round; `None` if one of them has no answer.
    ///
    /// # Errors
    /// An answer of the file is not valid, or the terminal cannot be read.
    pub(crate) async fn answer(
        &mut self,
        round: &ChallengeRound,
    ) -> Result<Option<CompletedAnswers>, CliError> {
        match self.try_answer(round).await {
            Ok(answers) => Ok(Some(answers)),
            Err(Unanswered::EndOfInput) => Ok(None),
            Err(Unanswered::Failed(error)) => Err(error),
        }
    }

    async fn try_answer(&mut self, round: &ChallengeRound) -> Result<CompletedAnswers, Unanswered> {
        loop {
            let mut answers = round.answers();
            let mut asked = false;
            for (index, question) in round.questions().enumerate() {
                let from_file = self.file.answer(index, &question, &mut answers);
                if from_file.map_err(CliError::from)? {
                    continue;
                }
                let Some(terminal) = self.terminal.as_deref_mut() else {
                    return Err(Unanswered::EndOfInput);
                };
                let mut prompt = Prompt {
                    terminal,
                    protocol: self.protocol,
                    has_image_files: self.has_image_files,
                    answers: &mut answers,
                };
                prompt.ask(&question).await?;
                asked = true;
            }
            match (answers.finish(), self.terminal.as_deref_mut()) {
                (Ok(completed), _) => return Ok(completed),
                (Err(error), Some(terminal)) if asked => terminal.show(&error_line(&error)),
                (Err(error), _) => return Err(CliError::from(error).into()),
            }
        }
    }
}

/// Asks questions at the terminal.
struct Prompt<'a> {
    terminal: &'a mut Terminal,
    protocol: Option<Protocol>,
    has_image_files: bool,
    answers: &'a mut Answers,
}

impl Prompt<'_> {
    /// Asks a question until the answer is valid.
    async fn ask(&mut self, question: &Question<'_>) -> Result<(), Unanswered> {
        self.terminal
            .show(&format!("\n{}\n", escaped(question.text())));
        loop {
            match self.ask_once(question.kind()).await? {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Input => {
                    self.terminal.show(&error_line(&error));
                }
                Err(error) => return Err(CliError::from(error).into()),
            }
        }
    }

    async fn ask_once(&mut self, kind: QuestionKind<'_>) -> Result<Result<(), Error>, Unanswered> {
        Ok(match kind {
            QuestionKind::Text(q) => {
                let text = self.secret("Answer (hidden): ").await?;
                q.answer(self.answers, text.expose())
            }
            QuestionKind::Code(q) => {
                let code = self.secret("Code (hidden): ").await?;
                q.enter(self.answers, code.expose())
            }
            QuestionKind::Date(q) => {
                let date = self.line("Date: ").await?;
                q.answer(self.answers, date.expose())
            }
            QuestionKind::SingleChoice(q) => {
                let choice = self.pick(q.choices().collect()).await?;
                q.choose(self.answers, choice)
            }
            QuestionKind::MultipleChoice(q) => {
                let choices = self.pick_several(q.choices().collect()).await?;
                q.choose(self.answers, choices)
            }
            QuestionKind::Image(q) => {
                let image = self.pick_image(q.images().collect()).await?;
                q.choose(self.answers, image)
            }
            QuestionKind::Phone(q) => {
                let number = self.pick(q.numbers().collect()).await?;
                self.terminal.show("How should the code be sent?\n");
                let channels = [Channel::Text, Channel::Call];
                let word = self.pick(channels.map(Channel::as_str).to_vec()).await?;
                let channel = channels.into_iter().find(|one| one.as_str() == word);
                q.send_to(self.answers, number, channel.unwrap_or(Channel::Text))
            }
            QuestionKind::Approval(q) => {
                self.line("Approve on your device first, then press Enter: ")
                    .await?;
                q.approved(self.answers)
            }
            QuestionKind::NewQuestion(q) => {
                let question = self.pick(q.choices().collect()).await?;
                // Shown while typed: a typo would lock the customer out later.
                let answer = self.line("New answer: ").await?;
                q.choose(self.answers, question, answer.expose())
            }
            QuestionKind::Other(q) if q.choices().len() > 0 => {
                let choices = self.pick_several(q.choices().collect()).await?;
                q.answer(self.answers, choices)
            }
            other @ (QuestionKind::Other(_) | _) => {
                let text = self.secret("Answer (hidden): ").await?;
                other.answer_raw(self.answers, [text.expose()])
            }
        })
    }

    async fn secret(&mut self, prompt: &str) -> Result<Secret, Unanswered> {
        let line = self.terminal.ask(prompt, Typing::Hidden).await?;
        line.ok_or(Unanswered::EndOfInput)
    }

    async fn line(&mut self, prompt: &str) -> Result<Secret, Unanswered> {
        let line = self.terminal.ask(prompt, Typing::Visible).await?;
        line.ok_or(Unanswered::EndOfInput)
    }

    /// Asks for one of a list, by its number from 1.
    async fn pick<'c>(&mut self, choices: Vec<&'c str>) -> Result<&'c str, Unanswered> {
        self.show_list(&choices);
        self.pick_number("Number", &choices).await
    }

    /// Asks for one of the choices by its number from 1.
    async fn pick_number<'c>(
        &mut self,
        what: &str,
        choices: &[&'c str],
    ) -> Result<&'c str, Unanswered> {
        let last = choices.len();
        let prompt = format!("{what} (1 to {last}): ");
        let expected = format!("Enter a number from 1 to {last}.\n");
        self.parsed(&prompt, &expected, |line| {
            let number: usize = line.trim().parse().ok()?;
            choices.get(number.checked_sub(1)?).copied()
        })
        .await
    }

    /// Asks for several of a list, by their numbers from 1.
    async fn pick_several<'c>(
        &mut self,
        choices: Vec<&'c str>,
    ) -> Result<Vec<&'c str>, Unanswered> {
        self.show_list(&choices);
        let last = choices.len();
        let prompt = format!("Numbers (1 to {last}, separated by commas): ");
        let expected = format!("Enter numbers from 1 to {last}, separated by commas.\n");
        self.parsed(&prompt, &expected, |line| {
            let numbers = line.split([',', ' ']).filter(|part| !part.is_empty());
            let chosen = numbers.map(|part| {
                let number: usize = part.parse().ok()?;
                choices.get(number.checked_sub(1)?).copied()
            });
            chosen.collect()
        })
        .await
    }

    /// Asks for an image, by its number from 1 as in the names of the image files.
    async fn pick_image<'c>(&mut self, images: Vec<&'c str>) -> Result<&'c str, Unanswered> {
        let mut is_shown = self.has_image_files;
        for (index, image) in images.iter().enumerate() {
            let sequence = self.protocol.and_then(|protocol| {
                let image = decoded(image)?;
                protocol.sequence(&image)
            });
            if let Some(sequence) = sequence {
                is_shown = true;
                let number = index + 1;
                self.terminal.show(&format!("  {number:>2}  {sequence}\n"));
            }
        }
        if !is_shown {
            self.terminal.show(
                "This terminal cannot show the images. To see them, press Ctrl-C and continue the \
                 session with --images DIR, which writes them to a folder.\n",
            );
        }
        self.pick_number("Number of the image", &images).await
    }

    fn show_list(&mut self, choices: &[&str]) {
        for (index, choice) in choices.iter().enumerate() {
            let number = index + 1;
            self.terminal
                .show(&format!("  {number:>2}  {}\n", escaped(choice)));
        }
    }

    /// Asks until `parse` accepts the line, and says what is expected if it does not.
    async fn parsed<T: Send>(
        &mut self,
        prompt: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T> + Send,
    ) -> Result<T, Unanswered> {
        loop {
            let line = self.line(prompt).await?;
            if let Some(value) = parse(line.expose()) {
                return Ok(value);
            }
            self.terminal.show(expected);
        }
    }
}

fn error_line(error: &Error) -> String {
    format!("{}\n", escaped(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::state::session_file::tests::round;

    fn question(kind: &str, choices: &[&str]) -> Value {
        json!({ "type": kind, "prompt": format!("{kind}?\u{1b}"), "choices": choices })
    }

    /// Whether the round was answered, and what was shown.
    async fn interview(questions: &[Value], lines: &[&'static str]) -> (bool, usize, String) {
        let mut terminal = Terminal::Script {
            lines: lines.iter().copied().collect(),
            seen: String::new(),
        };
        let mut sources = AnswerSources {
            file: RoundAnswers::default(),
            terminal: Some(&mut terminal),
            protocol: Some(Protocol::Iterm),
            has_image_files: false,
        };
        let answered = sources.answer(&round(questions)).await;
        let answered = answered.ok().expect("no error").is_some();
        match terminal {
            Terminal::Script { lines, seen } => (answered, lines.len(), seen),
            Terminal::Standard => panic!("not a script"),
        }
    }

    #[tokio::test]
    async fn every_type_is_asked_until_its_answer_is_valid() {
        let q = "QuestionAndAnswer";
        let rows: [(Value, &[&'static str]); 11] = [
            (question(q, &[]), &["", "Wouf"]),
            (question("OneTimeVerification", &[]), &["", "123"]),
            (question("Date", &[]), &["1990-01-31"]),
            (
                question("MultipleChoice", &["a", "b"]),
                &["0", "3", "b", "2"],
            ),
            (
                question("MultipleChoiceMultipleAnswers", &["a", "b"]),
                &["", "1,1", "1, 2"],
            ),
            (
                question("ImageSelection", &["AA==", "AQ=="]),
                &["0", "3", "2"],
            ),
            (question("TextOrCall", &["#1", "#2"]), &["2", "3", "1"]),
            (question("WaitUntilEUAccept", &[]), &[""]),
            (question(q, &["one", "two"]), &["1", "", "2", "Paul"]),
            (question("PaperToken", &[]), &["maple"]),
            (question("PaperGrid", &["A1", "B2"]), &["1 2"]),
        ];
        for (question, lines) in rows {
            let (answered, unused, seen) = interview(&[question], lines).await;
            assert!(answered && unused == 0, "{seen}");
            assert!(seen.contains("?\\u{1b}\n"), "escaped: {seen}");
            let refused = lines.iter().any(|line| ["0", "3"].contains(line));
            assert_eq!(
                refused,
                seen.contains("Enter a number from 1 to 2."),
                "{seen}"
            );
        }
    }

    #[tokio::test]
    async fn a_secur_id_has_six_digits() {
        let question = json!({ "type": "QuestionAndAnswer", "prompt": "SecurID", "choices": [] });
        let (answered, unused, seen) = interview(&[question], &["12345", "123456"]).await;
        assert!(
            answered && unused == 0 && seen.contains("six digits"),
            "{seen}"
        );
    }

    #[tokio::test]
    async fn the_end_of_input_is_no_answer() {
        let text = question("QuestionAndAnswer", &[]);
        assert!(!interview(&[text.clone(), text], &["Wouf"]).await.0);
    }

    #[tokio::test]
    async fn the_same_new_question_twice_is_asked_again() {
        let new = |n: u8| json!({ "type": "QuestionAndAnswer", "prompt": format!("Question {n}"), "choices": ["one", "two"] });
        let lines = ["1", "a", "1", "b", "1", "a", "2", "b"];
        let (answered, unused, seen) = interview(&[new(1), new(2)], &lines).await;
        assert!(answered && unused == 0 && seen.contains("lost"), "{seen}");
    }

    #[tokio::test]
    async fn images_are_shown_where_the_terminal_can() {
        let images = question("ImageSelection", &["R0lGOA==", "\u{1b}]0;title\u{7}"]);
        let (answered, _, seen) = interview(&[images], &["1"]).await;
        assert!(answered && seen.contains("1337;File=inline=1"), "{seen}");
        assert!(!seen.contains("title"), "only images are shown: {seen}");
    }
}
