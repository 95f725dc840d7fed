//! Security challenges and their right answers (legacy guide, "MFA Types").

use std::borrow::Cow;

use serde_json::{Value, json};

/// One question of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) kind: &'static str,
    pub(super) prompt: Cow<'static, str>,
    pub(super) iterables: Vec<Cow<'static, str>>,
    pub(super) right: Right,
}

/// Which answers are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// One of these texts, in any casing.
    Text(&'static [&'static str]),
    /// Exactly these of the Iterables, in any order.
    Choices(&'static [&'static str]),
    /// The Iterable at this place, from 0, byte for byte.
    Place(usize),
    /// The key is one of the Iterables, and any text is a right answer.
    NewQuestion,
    /// The key is one of the Iterables, the value `Text` or `Call`.
    Phone,
    /// `VERIFIED`.
    Approval,
}

/// Whether the answers to a round are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerCheck {
    Right,
    Wrong,
    /// A challenge has no answer.
    Incomplete,
    /// An answer belongs to no challenge.
    UnknownKey,
}

impl Challenge {
    fn new(kind: &'static str, prompt: &'static str, right: Right) -> Self {
        Self {
            kind,
            prompt: prompt.into(),
            iterables: Vec::new(),
            right,
        }
    }

    pub(super) fn question(prompt: &'static str, right: &'static [&'static str]) -> Self {
        Self::text("QuestionAndAnswer", prompt, right)
    }

    /// A text question of any type, known or not.
    pub(super) fn text(
        kind: &'static str,
        prompt: &'static str,
        right: &'static [&'static str],
    ) -> Self {
        Self::new(kind, prompt, Right::Text(right))
    }

    pub(super) fn choice(
        kind: &'static str,
        prompt: &'static str,
        iterables: &[&'static str],
        right: &'static [&'static str],
    ) -> Self {
        Self::new(kind, prompt, Right::Choices(right)).offering(iterables)
    }

    pub(super) fn new_question(prompt: &'static str, iterables: &[&'static str]) -> Self {
        Self::new("QuestionAndAnswer", prompt, Right::NewQuestion).offering(iterables)
    }

    pub(super) fn image(prompt: &'static str, images: Vec<String>, right: usize) -> Self {
        Self {
            iterables: images.into_iter().map(Cow::Owned).collect(),
            ..Self::new("ImageSelection", prompt, Right::Place(right))
        }
    }

    pub(super) fn phone(prompt: &'static str, numbers: &[&'static str]) -> Self {
        Self::new("TextOrCall", prompt, Right::Phone).offering(numbers)
    }

    pub(super) fn approval(prompt: &'static str) -> Self {
        Self::new("WaitUntilEUAccept", prompt, Right::Approval)
    }

    fn offering(self, iterables: &[&'static str]) -> Self {
        Self {
            iterables: iterables.iter().map(|&text| text.into()).collect(),
            ..self
        }
    }

    pub(super) fn json(&self) -> Value {
        let mut json = json!({"Type": self.kind, "Prompt": self.prompt});
        if let Some(json) = json.as_object_mut()
            && !self.iterables.is_empty()
        {
            json.insert("Iterables".to_owned(), json!(self.iterables));
        }
        json
    }

    /// Whether an answer under this key is meant for this challenge.
    fn takes(&self, key: &str) -> bool {
        match self.right {
            Right::NewQuestion | Right::Phone => self.iterables.iter().any(|text| text == key),
            Right::Text(_) | Right::Choices(_) | Right::Place(_) | Right::Approval => {
                self.prompt == key
            }
        }
    }

    fn accepts(&self, values: &[String]) -> bool {
        if let Right::Choices(right) = self.right {
            let is_chosen = |one: &&str| values.iter().any(|value| value == one);
            return values.len() == right.len() && right.iter().all(is_chosen);
        }
        let [value] = values else {
            return false;
        };
        match self.right {
            Right::Text(right) => right.iter().any(|text| same_text(text, value)),
            Right::Choices(_) => false,
            Right::Place(place) => self.iterables.get(place).is_some_and(|text| text == value),
            Right::NewQuestion => !value.is_empty(),
            Right::Phone => value == "Text" || value == "Call",
            Right::Approval => value == "VERIFIED",
        }
    }
}

fn same_text(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.trim().to_lowercase()
}

/// Compares answers with a round. Each answer serves one challenge: two challenges that offer the
/// same questions need two answers.
pub(super) fn check(round: &[Challenge], answers: &[(String, Vec<String>)]) -> AnswerCheck {
    let mut left: Vec<_> = answers.iter().collect();
    if left
        .iter()
        .any(|(key, _)| !round.iter().any(|challenge| challenge.takes(key)))
    {
        return AnswerCheck::UnknownKey;
    }
    let mut all_right = true;
    for challenge in round {
        let Some(place) = left.iter().position(|(key, _)| challenge.takes(key)) else {
            return AnswerCheck::Incomplete;
        };
        let (_, values) = left.remove(place);
        all_right &= challenge.accepts(values);
    }
    match (left.is_empty(), all_right) {
        (false, _) => AnswerCheck::UnknownKey,
        (true, false) => AnswerCheck::Wrong,
        (true, true) => AnswerCheck::Right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(round: &[Challenge], answers: &[(&str, &[&str])]) -> AnswerCheck {
        let answers: Vec<_> = answers
            .iter()
            .map(|(key, values)| {
                let values = values.iter().map(|&value| value.to_owned()).collect();
                ((*key).to_owned(), values)
            })
            .collect();
        check(round, &answers)
    }

    #[test]
    fn texts_choices_and_approvals_are_kept_apart() {
        let round = [
            Challenge::question("Où ?", &["Montréal", "Montreal"]),
            Challenge::choice(
                "MultipleChoiceMultipleAnswers",
                "Which?",
                &["a", "b", "c"],
                &["a", "c"],
            ),
            Challenge::approval("Approve"),
        ];
        let good: [(&str, &[&str]); 3] = [
            ("Où ?", &["MONTRÉAL"]),
            ("Which?", &["c", "a"]),
            ("Approve", &["VERIFIED"]),
        ];
        assert_eq!(checked(&round, &good), AnswerCheck::Right);
        assert_eq!(checked(&round, &good[..2]), AnswerCheck::Incomplete);
        for (place, values) in [
            (0, &["Toronto"][..]),
            (0, &[]),
            (0, &["Montreal", "Montreal"]),
            (1, &["a"]),
            (1, &["a", "b", "c"]),
            (1, &["a", "a"]),
            (2, &["verified"]),
        ] {
            let mut answers = good;
            answers[place].1 = values;
            assert_eq!(checked(&round, &answers), AnswerCheck::Wrong, "{values:?}");
        }
        let mut unknown = good;
        unknown[0].0 = "où ?";
        assert_eq!(checked(&round, &unknown), AnswerCheck::UnknownKey);
    }

    #[test]
    fn each_new_question_is_chosen_once() {
        let questions = ["mother", "dog", "street"];
        let round = [
            Challenge::new_question("1", &questions),
            Challenge::new_question("2", &questions),
        ];
        let one: (&str, &[&str]) = ("dog", &["Wouf"]);
        let two: (&str, &[&str]) = ("mother", &["Louise"]);
        let three: (&str, &[&str]) = ("street", &["Main"]);
        assert_eq!(checked(&round, &[one, two]), AnswerCheck::Right);
        assert_eq!(checked(&round, &[one]), AnswerCheck::Incomplete);
        assert_eq!(checked(&round, &[one, two, three]), AnswerCheck::UnknownKey);
        assert_eq!(
            checked(&round, &[one, ("1", &["x"])]),
            AnswerCheck::UnknownKey
        );
        assert_eq!(
            checked(&round, &[one, ("mother", &[""])]),
            AnswerCheck::Wrong
        );
    }

    #[test]
    fn the_number_is_the_key_and_the_way_the_value() {
        let round = [Challenge::phone(
            "Choose",
            &["PhoneNumber #1", "PhoneNumber #2"],
        )];
        assert_eq!(
            checked(&round, &[("PhoneNumber #2", &["Call"])]),
            AnswerCheck::Right
        );
        assert_eq!(
            checked(&round, &[("PhoneNumber #2", &["call"])]),
            AnswerCheck::Wrong
        );
        assert_eq!(
            checked(&round, &[("Choose", &["Text"])]),
            AnswerCheck::UnknownKey
        );
    }

    #[test]
    fn an_image_is_echoed() {
        let images = vec!["first".to_owned(), "second".to_owned()];
        let round = [Challenge::image("Select an image", images, 1)];
        assert_eq!(
            checked(&round, &[("Select an image", &["second"])]),
            AnswerCheck::Right
        );
        for wrong in [&["first"][..], &["1"], &["SECOND"], &["first", "second"]] {
            assert_eq!(
                checked(&round, &[("Select an image", wrong)]),
                AnswerCheck::Wrong
            );
        }
    }
}
