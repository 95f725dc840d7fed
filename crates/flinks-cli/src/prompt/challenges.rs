//! A round of a bank's questions: answered from the answers file, else by somebody at the terminal.

use flinks_legacy::{Answers, ChallengeRound, Channel, CompletedAnswers, Question, QuestionKind};
use flinks_transport::{Error, ErrorKind};
use flinks_types::Secret;

use crate::output::error::CliError;
use crate::prompt::answers_file::RoundAnswers;
use crate::prompt::image_files::decoded;
use crate::prompt::terminal::{Terminal, Typing};
use crate::prompt::terminal_images::Protocol;
use flinks_types::text::escaped;

/// Who answers.
pub(crate) struct Interview<'a> {
    pub(crate) file: RoundAnswers,
    pub(crate) terminal: Option<&'a mut Terminal>,
    /// How the terminal shows images.
    pub(crate) protocol: Option<Protocol>,
}

impl Interview<'_> {
    /// Answers all questions of a round; nothing when one of them has no answer.
    ///
    /// # Errors
    /// An answer of the file cannot be right, or the terminal cannot be read.
    pub(crate) async fn answers(
        &mut self,
        round: &ChallengeRound,
    ) -> Result<Option<CompletedAnswers>, CliError> {
        loop {
            let mut answers = round.answers();
            let mut asked = None;
            for (index, question) in round.questions().enumerate() {
                if self.file.give(index, &question, &mut answers)? {
                    continue;
                }
                let Some(terminal) = self.terminal.as_deref_mut() else {
                    return Ok(None);
                };
                let mut asking = Asking {
                    terminal,
                    protocol: self.protocol,
                    answers: &mut answers,
                };
                if !asking.until_answered(&question).await? {
                    return Ok(None);
                }
                asked = Some(());
            }
            match (answers.finish(), asked.and(self.terminal.as_deref_mut())) {
                (Ok(answered), _) => return Ok(Some(answered)),
                (Err(error), Some(terminal)) => terminal.show(&refused(&error)),
                (Err(error), None) => return Err(error.into()),
            }
        }
    }
}

/// Somebody is asked one question.
struct Asking<'a> {
    terminal: &'a mut Terminal,
    protocol: Option<Protocol>,
    answers: &'a mut Answers,
}

impl Asking<'_> {
    /// Asks again until the answer can be right; `false` when there will be none.
    async fn until_answered(&mut self, question: &Question<'_>) -> Result<bool, CliError> {
        self.terminal
            .show(&format!("\n{}\n", escaped(question.text())));
        loop {
            match self.once(question.kind()).await? {
                Some(Ok(())) => return Ok(true),
                None => return Ok(false),
                Some(Err(error)) if error.kind() == ErrorKind::Input => {
                    self.terminal.show(&refused(&error));
                }
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    async fn once(&mut self, ask: QuestionKind<'_>) -> Result<Option<Result<(), Error>>, CliError> {
        Ok(Some(match ask {
            QuestionKind::Text(q) => {
                let Some(text) = self.secret("Answer (hidden): ").await? else {
                    return Ok(None);
                };
                q.answer(self.answers, text.expose())
            }
            QuestionKind::Code(q) => {
                let Some(code) = self.secret("Code (hidden): ").await? else {
                    return Ok(None);
                };
                q.enter(self.answers, code.expose())
            }
            QuestionKind::Date(q) => {
                let Some(date) = self.line("Date: ").await? else {
                    return Ok(None);
                };
                q.answer(self.answers, date.expose())
            }
            QuestionKind::SingleChoice(q) => {
                let Some(choice) = self.pick(q.choices().collect()).await? else {
                    return Ok(None);
                };
                q.choose(self.answers, choice)
            }
            QuestionKind::MultipleChoice(q) => {
                let Some(choices) = self.pick_several(q.choices().collect()).await? else {
                    return Ok(None);
                };
                q.choose(self.answers, choices)
            }
            QuestionKind::Image(q) => {
                let Some(image) = self.pick_image(q.images().collect()).await? else {
                    return Ok(None);
                };
                q.choose(self.answers, image)
            }
            QuestionKind::Phone(q) => {
                let Some(number) = self.pick(q.numbers().collect()).await? else {
                    return Ok(None);
                };
                let channels = [Channel::Text, Channel::Call];
                let words = channels.map(Channel::as_str).to_vec();
                let Some(word) = self.pick(words).await? else {
                    return Ok(None);
                };
                let channel = channels.into_iter().find(|one| one.as_str() == word);
                q.send_to(self.answers, number, channel.unwrap_or(Channel::Text))
            }
            QuestionKind::Approval(q) => {
                let prompt = "Approve on your device first, then press Enter: ";
                if self.line(prompt).await?.is_none() {
                    return Ok(None);
                }
                q.approved(self.answers)
            }
            QuestionKind::NewQuestion(q) => {
                let Some(question) = self.pick(q.choices().collect()).await? else {
                    return Ok(None);
                };
                // Seen, because a slip would lock the customer out later.
                let Some(answer) = self.line("Its answer from now on: ").await? else {
                    return Ok(None);
                };
                q.choose(self.answers, question, answer.expose())
            }
            QuestionKind::Other(q) if q.choices().len() > 0 => {
                let Some(choices) = self.pick_several(q.choices().collect()).await? else {
                    return Ok(None);
                };
                q.answer(self.answers, choices)
            }
            other @ (QuestionKind::Other(_) | _) => {
                let Some(text) = self.secret("Answer (hidden): ").await? else {
                    return Ok(None);
                };
                other.answer_raw(self.answers, [text.expose()])
            }
        }))
    }

    async fn secret(&mut self, prompt: &str) -> Result<Option<Secret>, CliError> {
        self.terminal.ask(prompt, Typing::Hidden).await
    }

    async fn line(&mut self, prompt: &str) -> Result<Option<Secret>, CliError> {
        self.terminal.ask(prompt, Typing::Visible).await
    }

    /// One of a list, by its number from 1.
    async fn pick<'c>(&mut self, choices: Vec<&'c str>) -> Result<Option<&'c str>, CliError> {
        self.list(&choices);
        let prompt = format!("Number (1 to {}): ", choices.len());
        self.numbered(&prompt, |line| {
            let number: usize = line.trim().parse().ok()?;
            choices.get(number.checked_sub(1)?).copied()
        })
        .await
    }

    /// Several of a list, by their numbers from 1.
    async fn pick_several<'c>(
        &mut self,
        choices: Vec<&'c str>,
    ) -> Result<Option<Vec<&'c str>>, CliError> {
        self.list(&choices);
        let prompt = format!("Numbers (1 to {}, with commas): ", choices.len());
        self.numbered(&prompt, |line| {
            let numbers = line.split([',', ' ']).filter(|part| !part.is_empty());
            let chosen = numbers.map(|part| {
                let number: usize = part.parse().ok()?;
                choices.get(number.checked_sub(1)?).copied()
            });
            chosen.collect()
        })
        .await
    }

    /// One of the images, by its number from 0, as in the names of the files.
    async fn pick_image<'c>(&mut self, images: Vec<&'c str>) -> Result<Option<&'c str>, CliError> {
        for (number, image) in images.iter().enumerate() {
            let shown = self.protocol.and_then(|protocol| {
                let image = decoded(image)?;
                protocol.sequence(&image)
            });
            if let Some(shown) = shown {
                self.terminal.show(&format!("  {number}  {shown}\n"));
            }
        }
        let last = images.len().saturating_sub(1);
        let prompt = format!("Number of the image (0 to {last}): ");
        self.numbered(&prompt, |line| {
            images.get(line.trim().parse::<usize>().ok()?).copied()
        })
        .await
    }

    fn list(&mut self, choices: &[&str]) {
        for (index, choice) in choices.iter().enumerate() {
            let number = index + 1;
            self.terminal
                .show(&format!("  {number:>2}  {}\n", escaped(choice)));
        }
    }

    /// Asks until the line means something.
    async fn numbered<T: Send>(
        &mut self,
        prompt: &str,
        chosen: impl Fn(&str) -> Option<T> + Send,
    ) -> Result<Option<T>, CliError> {
        loop {
            let Some(line) = self.line(prompt).await? else {
                return Ok(None);
            };
            if let Some(chosen) = chosen(line.expose()) {
                return Ok(Some(chosen));
            }
        }
    }
}

fn refused(error: &Error) -> String {
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
        let mut interview = Interview {
            file: RoundAnswers::default(),
            terminal: Some(&mut terminal),
            protocol: Some(Protocol::Iterm),
        };
        let answered = interview.answers(&round(questions)).await;
        let answered = answered.ok().expect("no error").is_some();
        match terminal {
            Terminal::Script { lines, seen } => (answered, lines.len(), seen),
            Terminal::Standard => panic!("it was a script"),
        }
    }

    #[tokio::test]
    async fn every_type_is_asked_until_its_answer_can_be_right() {
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
            (question("ImageSelection", &["AA==", "AQ=="]), &["2", "0"]),
            (question("TextOrCall", &["#1", "#2"]), &["2", "3", "1"]),
            (question("WaitUntilEUAccept", &[]), &[""]),
            (question(q, &["one", "two"]), &["1", "", "2", "Paul"]),
            (question("PaperToken", &[]), &["maple"]),
            (question("PaperGrid", &["A1", "B2"]), &["1 2"]),
        ];
        for (question, lines) in rows {
            let (answered, left, seen) = interview(&[question], lines).await;
            assert!(answered && left == 0, "{seen}");
            assert!(seen.contains("?\\u{1b}\n"), "the text is made safe: {seen}");
        }
    }

    #[tokio::test]
    async fn a_secur_id_has_six_digits() {
        let question = json!({ "type": "QuestionAndAnswer", "prompt": "SecurID", "choices": [] });
        let (answered, left, seen) = interview(&[question], &["12345", "123456"]).await;
        assert!(
            answered && left == 0 && seen.contains("six digits"),
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
        let (answered, left, seen) = interview(&[new(1), new(2)], &lines).await;
        assert!(answered && left == 0 && seen.contains("lost"), "{seen}");
    }

    #[tokio::test]
    async fn images_are_shown_where_the_terminal_can() {
        let images = question("ImageSelection", &["R0lGOA==", "\u{1b}]0;title\u{7}"]);
        let (answered, _, seen) = interview(&[images], &["0"]).await;
        assert!(answered && seen.contains("1337;File=inline=1"), "{seen}");
        assert!(
            !seen.contains("title"),
            "what is no image is not shown: {seen}"
        );
    }
}
