//! Opens a bank session, asks its questions on the terminal and counts the accounts.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "an example reads its settings, shows its result and answers what is asked"
)]

// README:begin
use std::env::var;

use flinks_legacy::{
    Authorize, Credentials, CustomerId, Endpoint, LegacyClient, LegacyKeys, QuestionKind, Roots,
    Transport,
};

/// Asks on the terminal.
fn ask(question: &str) -> std::io::Result<String> {
    println!("{question}");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut transport = Transport::builder();
    if let Ok(ca) = var("FLINKS_CA") {
        transport = transport.roots(Roots::pem_file(ca)?); // only for the sandbox
    }
    let legacy = LegacyClient::new(
        transport.build()?,
        Endpoint::new(&var("FLINKS_API_URL")?)?,
        CustomerId::new(var("FLINKS_CUSTOMER_ID")?)?,
        LegacyKeys::new(), // or the keys that Flinks gave you
    )?;

    let credentials = Credentials::new("FlinksCapital", "Greatday", ask("Password?")?);
    let mut step = legacy.authorize(credentials).await?;
    let session = loop {
        step = match step {
            Authorize::Authorized(session) => break session,
            Authorize::Challenged(round) => {
                let mut answers = round.answers();
                for question in round.questions() {
                    let answer = ask(question.text())?;
                    match question.kind() {
                        QuestionKind::Text(text) => text.answer(&mut answers, answer)?,
                        other => other.answer_raw(&mut answers, [answer])?,
                    }
                }
                legacy.answer(answers.finish()?).await? // refused here if a question has no answer
            }
            _ => return Err("a form of answer that this program does not know".into()),
        };
    };
    let accounts = legacy.accounts_detail(&session).await?; // waits while the bank's data is fetched
    let count = accounts.accounts.as_ref().map_or(0, Vec::len);
    println!("{count} accounts");
    Ok(())
}
// README:end
