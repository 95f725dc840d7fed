//! The bank's questions and their answers: a round, its questions by kind, the answers collected.

mod answers;
mod kinds;
mod question;
mod round;

pub(crate) use answers::OPERATION;
pub use answers::{Answers, CompletedAnswers};
pub use kinds::{
    ApprovalQuestion, Channel, CodeQuestion, DateQuestion, ImageQuestion, MultipleChoiceQuestion,
    NewQuestion, OtherQuestion, PhoneQuestion, SingleChoiceQuestion, TextQuestion,
};
pub use question::{Question, QuestionKind};
pub use round::ChallengeRound;
