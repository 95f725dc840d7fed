//! The banks and their users, each with its challenges.

use super::challenges::{Challenge, Right};
use super::images;

/// The password of every user that is built in.
pub(super) const PASSWORD: &str = "Everyday";

/// The language of a session and of its prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    French,
}

impl Language {
    pub(super) fn with_code(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::English),
            "fr" => Some(Self::French),
            _ => None,
        }
    }
}

/// A bank's customer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(super) institution: &'static str,
    pub(super) institution_id: u32,
    pub(super) name: &'static str,
    pub(super) password: &'static str,
    pub(super) conduct: Conduct,
    pub(super) flow: Flow,
}

/// What is special about a user, besides the challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conduct {
    Ordinary,
    /// Every live session is refused with this FlinksCode.
    Refused(&'static str),
    /// A live session is refused as already authorized, and can be used.
    AlreadyAuthorized,
    /// A live session is refused while another one is open.
    OneAtATime,
    /// A wrong answer in the first round brings the three questions of RBC.
    TripleAfterWrong,
    /// A wrong answer ends the session, with a code that says so.
    NoRetry,
    /// A wrong answer in the second round ends the session, with a code that does not say so.
    EndsAfterWrong,
    /// Data stay pending.
    Pending,
    /// Data are dispatched to a background process first.
    Dispatched,
}

/// The challenges of a user, round by round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    None,
    OneByOne,
    Together,
    OneQuestion,
    OtherTypes,
    DogFirst,
    NewQuestions,
    Image,
    SecurId,
    Reset,
    SecurityCode,
    Device,
    /// Prompts with their right answers, each a round.
    Questions(&'static [(&'static str, &'static [&'static str])]),
}

const fn user(institution: &'static str, name: &'static str, conduct: Conduct, flow: Flow) -> User {
    User {
        institution,
        institution_id: match institution.as_bytes() {
            b"FlinksCapital" => 14,
            b"RBC" => 2,
            b"Laurentienne" => 8,
            b"National" => 9,
            b"Scotia" => 5,
            _ => 4,
        },
        name,
        password: PASSWORD,
        conduct,
        flow,
    }
}

const CAPITAL: &str = "FlinksCapital";

#[rustfmt::skip]
pub(super) static USERS: [User; 21] = [
    user(CAPITAL, "Greatday", Conduct::Ordinary, Flow::OneByOne),
    user(CAPITAL, "greatday_together", Conduct::Ordinary, Flow::Together),
    user(CAPITAL, "greatday_nomfa", Conduct::Ordinary, Flow::None),
    user(CAPITAL, "greatday_noretry", Conduct::NoRetry, Flow::OneQuestion),
    user(CAPITAL, "greatday_other_types", Conduct::Ordinary, Flow::OtherTypes),
    user(CAPITAL, "test_disabled_account", Conduct::Refused("DISABLED_LOGIN"), Flow::None),
    user(CAPITAL, "test_service_unavailable", Conduct::Refused("RETRY_LATER"), Flow::None),
    user(CAPITAL, "test_already_authorized", Conduct::AlreadyAuthorized, Flow::None),
    user(CAPITAL, "test_concurrent_session", Conduct::OneAtATime, Flow::None),
    user(CAPITAL, "test_dispatched", Conduct::Dispatched, Flow::None),
    user(CAPITAL, "test_pending", Conduct::Pending, Flow::None),
    user("RBC", "rbc_triple", Conduct::TripleAfterWrong, Flow::DogFirst),
    user("RBC", "rbc_new_questions", Conduct::Ordinary, Flow::NewQuestions),
    user("RBC", "rbc_device", Conduct::Ordinary, Flow::Device),
    user("RBC", "Greatday", Conduct::Ordinary, Flow::None),
    user("Laurentienne", "laurentienne_image", Conduct::Ordinary, Flow::Image),
    user("National", "national_securid", Conduct::Ordinary, Flow::SecurId),
    user("National", "Greatday", Conduct::Ordinary, Flow::None),
    user("Scotia", "scotia_reset", Conduct::Ordinary, Flow::Reset),
    user("TD", "td_code", Conduct::EndsAfterWrong, Flow::SecurityCode),
    user("TD", "Greatday", Conduct::Ordinary, Flow::None),
];

/// Stands for the uploads, whose cards have no credentials.
pub(super) static UPLOAD: User = user(CAPITAL, "upload", Conduct::Ordinary, Flow::None);

/// Returns a user that is built in, by names in any casing.
pub(super) fn find(institution: &str, name: &str) -> Option<&'static User> {
    USERS.iter().find(|user| user.is_named(institution, name))
}

/// Returns the id of an institution; 999 for one that is not built in.
pub(super) fn institution_id(institution: &str) -> u32 {
    let known = USERS.iter().find(|user| user.is_of(institution));
    known.map_or(999, |user| user.institution_id)
}

/// The questions of Greatday in both languages.
fn great_day(language: Language) -> [Challenge; 3] {
    const MONTREAL: &[&str] = &["Montreal", "Montréal"];
    match language {
        Language::English => [
            Challenge::question("What city were you born in?", MONTREAL),
            Challenge::question("What is the best country on earth?", &["Canada"]),
            Challenge::question("What shape do people like most?", &["Triangle"]),
        ],
        Language::French => [
            Challenge::question("Où êtes-vous né ?", MONTREAL),
            Challenge::question("Quel est le meilleur pays du monde ?", &["Canada"]),
            Challenge::question("Quelle forme préfère-t-on le plus ?", &["Triangle"]),
        ],
    }
}

/// The three questions of the legacy guide's first case.
pub(super) fn triple() -> Vec<Challenge> {
    vec![
        Challenge::question("What is the name of your mother", &["Louise"]),
        Challenge::question("What is the name of your father", &["Paul"]),
        dog(),
    ]
}

fn dog() -> Challenge {
    Challenge::question("What is the name of your dog", &["Wouf"])
}

/// All three lists are the same, as in the guide.
fn new_questions() -> Vec<Challenge> {
    const QUESTIONS: &[&str] = &[
        "What is the name of my mother",
        "What is the name of my father",
        "What is the name of my dog",
        "What was the make of my first car",
        "In what city did I go to school",
    ];
    let prompts = [
        "Personal Verification Question 1",
        "Personal Verification Question 2",
        "Personal Verification Question 3",
    ];
    prompts
        .map(|prompt| Challenge::new_question(prompt, QUESTIONS))
        .into()
}

impl User {
    pub(super) fn is_of(&self, institution: &str) -> bool {
        self.institution.eq_ignore_ascii_case(institution)
    }

    pub(super) fn is_named(&self, institution: &str, name: &str) -> bool {
        self.is_of(institution) && self.name.eq_ignore_ascii_case(name)
    }

    /// Returns all rounds in order; none for a user without challenges.
    pub(super) fn rounds(&self, language: Language) -> Vec<Vec<Challenge>> {
        match self.flow {
            Flow::None => Vec::new(),
            Flow::OneByOne => great_day(language).map(|one| vec![one]).into(),
            Flow::Together => vec![great_day(language).into()],
            Flow::OneQuestion => {
                let [.., shape] = great_day(language);
                vec![vec![shape]]
            }
            Flow::OtherTypes => vec![vec![
                Challenge::text(
                    "OneTimeVerification",
                    "Enter the code on your card",
                    &["123456"],
                ),
                Challenge::text("Date", "When were you born?", &["1990-01-31"]),
                Challenge::text("PaperToken", "Which word is on line 7?", &["maple"]),
            ]],
            Flow::DogFirst => vec![vec![dog()]],
            Flow::NewQuestions => vec![new_questions()],
            Flow::Image => vec![
                vec![dog()],
                vec![Challenge::image("Select an image", images::sixteen(), 3)],
            ],
            Flow::SecurId => vec![
                vec![Challenge::question("Enter your SecurID", &["123456"])],
                vec![dog()],
            ],
            Flow::Reset => vec![
                vec![
                    Challenge::choice(
                        "MultipleChoice",
                        "Choose one of the following:",
                        &["Something", "Something else", "None of the above"],
                        &["None of the above"],
                    ),
                    Challenge::choice(
                        "MultipleChoiceMultipleAnswers",
                        "What purchases did you make over the last 10 days?",
                        &[
                            "Purchase 1: $10.35",
                            "Purchase 2: $73.42",
                            "Purchase 3: $143.86",
                            "None of the above",
                        ],
                        &["Purchase 1: $10.35", "Purchase 3: $143.86"],
                    ),
                ],
                new_questions(),
            ],
            Flow::SecurityCode => vec![
                vec![Challenge::phone(
                    "Choose a phone number",
                    &["PhoneNumber #1", "PhoneNumber #2", "PhoneNumber #3"],
                )],
                vec![Challenge::question("Enter the security code", &["123456"])],
            ],
            Flow::Device => vec![vec![Challenge::approval(
                "Please verify your identity on your trusted device",
            )]],
            Flow::Questions(questions) => {
                let rounds = questions.iter();
                rounds
                    .map(|(prompt, right)| vec![Challenge::question(prompt, right)])
                    .collect()
            }
        }
    }

    /// Returns the simple questions, whose answers *AnswerMFAQuestions* can store.
    pub(super) fn questions(&self, language: Language) -> Vec<Challenge> {
        let rounds = self.rounds(language).into_iter().flatten();
        let is_simple = |one: &Challenge| {
            one.kind == "QuestionAndAnswer"
                && matches!(one.right, Right::Text(texts) if texts != ["123456"])
        };
        rounds.filter(is_simple).collect()
    }

    pub(super) fn is_upload(&self) -> bool {
        *self == UPLOAD
    }

    /// Whether the bank requires a code each time, so that no nightly refresh can succeed.
    pub(super) fn needs_a_code(&self) -> bool {
        matches!(self.flow, Flow::SecurId | Flow::SecurityCode | Flow::Device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_whatever_the_casing_at_their_own_bank() {
        assert!(find("flinkscapital", "greatday").is_some());
        assert_ne!(find("RBC", "Greatday"), find("FlinksCapital", "Greatday"));
        assert_eq!(find("TD", "rbc_device"), None);
        assert_eq!((institution_id("scotia"), institution_id("BMO")), (5, 999));
    }

    #[test]
    fn french_prompts_ask_the_same() {
        let user = find("FlinksCapital", "Greatday").unwrap();
        let french = user.rounds(Language::French);
        let prompts: Vec<_> = french.iter().flatten().map(|one| &*one.prompt).collect();
        for (prompt, word) in prompts.iter().zip(["Où", "Quel ", "Quelle"]) {
            assert!(prompt.contains(word), "{prompt}");
        }
        let right = |rounds: Vec<Vec<Challenge>>| -> Vec<_> {
            rounds.into_iter().flatten().map(|one| one.right).collect()
        };
        assert_eq!(right(french), right(user.rounds(Language::English)));
    }

    #[test]
    fn every_user_is_in_the_guide() {
        let table = include_str!("../../GUIDE.md");
        for user in &USERS {
            assert!(table.contains(&format!("`{}`", user.name)), "{}", user.name);
            assert!(table.contains(&format!("`{}`", user.institution)));
        }
    }

    #[test]
    fn no_round_asks_one_prompt_twice() {
        for user in &USERS {
            for round in user.rounds(Language::English) {
                let mut prompts: Vec<_> = round.iter().map(|one| &one.prompt).collect();
                prompts.sort();
                prompts.dedup();
                assert_eq!(prompts.len(), round.len(), "{}", user.name);
            }
        }
    }

    #[test]
    fn codes_cannot_be_answered_beforehand() {
        let questions = |institution, name| {
            find(institution, name)
                .unwrap()
                .questions(Language::English)
                .len()
        };
        assert_eq!(questions("FlinksCapital", "Greatday"), 3);
        assert_eq!(questions("National", "national_securid"), 1);
        assert_eq!(questions("TD", "td_code"), 0);
        assert_eq!(questions("RBC", "rbc_new_questions"), 0);
    }
}
