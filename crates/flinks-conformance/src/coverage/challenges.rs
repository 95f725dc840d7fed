//! The questions of a round as rows of their matrix, and how each is answered.

use serde_json::Value;

/// The documented types, of which one asks in three ways, and those to come.
pub(crate) const ROWS: [&str; 11] = [
    "Date",
    "ImageSelection",
    "MultipleChoice",
    "MultipleChoiceMultipleAnswers",
    "OneTimeVerification",
    "QuestionAndAnswer",
    "QuestionAndAnswer, new question",
    "QuestionAndAnswer, SecurID",
    "TextOrCall",
    "WaitUntilEUAccept",
    "a type of tomorrow",
];

/// The row and the column of each question that is answered right, or of the one at fault.
pub(crate) fn read(
    asked: &[Value],
    given: &Value,
    is_right: bool,
) -> Vec<(&'static str, &'static str)> {
    if is_right {
        return asked
            .iter()
            .map(|question| (row(question), "right"))
            .collect();
    }
    let is_left_out = |question: &&Value| {
        let prompt = question.get("Prompt").and_then(Value::as_str);
        prompt.is_some_and(|prompt| given.get(prompt).is_none())
    };
    let left_out = asked.iter().find(is_left_out);
    let at_fault = left_out.map(|question| (row(question), "missing"));
    let at_fault = at_fault.or_else(|| Some((row(asked.first()?), "wrong")));
    at_fault.into_iter().collect()
}

/// Types are read in any case, as the client reads them.
fn row(question: &Value) -> &'static str {
    let text = |key: &str| {
        let text = question.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_lowercase()
    };
    let choices = question.get("Iterables").and_then(Value::as_array);
    let has_choices = choices.is_some_and(|choices| !choices.is_empty());
    match (text("Type").as_str(), has_choices) {
        ("questionandanswer", true) => "QuestionAndAnswer, new question",
        ("questionandanswer", false) if text("Prompt").contains("securid") => {
            "QuestionAndAnswer, SecurID"
        }
        (word, _) => ROWS
            .into_iter()
            .find(|row| row.eq_ignore_ascii_case(word))
            .unwrap_or("a type of tomorrow"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_is_sorted_by_its_type_and_how_it_asks() {
        for (question, sorted) in [
            (json!({ "Type": "Date" }), "Date"),
            (
                json!({ "Type": "TEXTORCALL", "Iterables": ["1"] }),
                "TextOrCall",
            ),
            (
                json!({ "Type": "QuestionAndAnswer", "Prompt": "Who?" }),
                "QuestionAndAnswer",
            ),
            (
                json!({ "Type": "QuestionAndAnswer", "Iterables": [] }),
                "QuestionAndAnswer",
            ),
            (
                json!({ "Type": "QuestionAndAnswer", "Iterables": ["Who?"] }),
                "QuestionAndAnswer, new question",
            ),
            (
                json!({ "Type": "QuestionAndAnswer", "Prompt": "Enter your SecurID" }),
                "QuestionAndAnswer, SecurID",
            ),
            (
                json!({ "Type": "HoldUpThreeFingers" }),
                "a type of tomorrow",
            ),
            (json!({}), "a type of tomorrow"),
        ] {
            assert_eq!(row(&question), sorted, "{question}");
        }
    }

    #[test]
    fn the_question_at_fault_is_the_one_left_out_or_else_the_first() {
        let asked = [
            json!({ "Type": "Date", "Prompt": "When?" }),
            json!({ "Type": "TextOrCall", "Prompt": "Where?" }),
        ];
        let both = json!({ "When?": "today", "Where?": "here" });
        assert_eq!(
            read(&asked, &both, true),
            [("Date", "right"), ("TextOrCall", "right")]
        );
        assert_eq!(read(&asked, &both, false), [("Date", "wrong")]);
        let one = json!({ "When?": "today" });
        assert_eq!(read(&asked, &one, false), [("TextOrCall", "missing")]);
        // What has no text cannot be answered under it, and so is not left out.
        let nameless = [json!({ "Type": "Date" })];
        assert_eq!(read(&nameless, &one, false), [("Date", "wrong")]);
        assert_eq!(read(&[], &one, false), []);
    }
}
