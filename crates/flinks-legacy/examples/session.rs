//! Opens a bank session against the sandbox, answers its questions and counts the transactions.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "an example answers what its customer is asked"
)]

use flinks_auth::LegacyKeys;
use flinks_legacy::{Ask, Authorize, LegacyClient};
use flinks_sandbox::{Config, Sandbox};
use flinks_transport::{Endpoint, Roots, Transport};
use flinks_types::{Credentials, CustomerId};

/// What the sandbox's customer answers.
fn answer_of(question: &str) -> &'static str {
    match question {
        question if question.contains("city") => "Montreal",
        question if question.contains("country") => "Canada",
        _ => "Triangle",
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start(Config::default()).await?;
    let legacy = LegacyClient::new(
        Transport::builder()
            .roots(Roots::pem(sandbox.ca_pem().as_bytes())?)
            .build()?,
        Endpoint::new(sandbox.results_url())?,
        CustomerId::new(sandbox.customer_id())?,
        LegacyKeys::new(),
    )?;
    let password = "Everyday";

    // README:begin
    let credentials = Credentials::new("FlinksCapital", "Greatday", password);
    let mut step = legacy.authorize(credentials).await?;
    let session = loop {
        step = match step {
            Authorize::Authorized(session) => break session,
            Authorize::Challenged(round) => {
                let mut answers = round.answers();
                for question in round.questions() {
                    match question.ask() {
                        Ask::Text(q) => q.answer(&mut answers, answer_of(question.text()))?,
                        other => other.raw(&mut answers, [answer_of(question.text())])?,
                    }
                }
                legacy.answer(answers.finish()?).await? // every prompt is answered, or nothing is sent
            }
            _ => return Err("a form of answer that this program does not know".into()),
        };
    };
    let accounts = legacy.accounts_detail(&session).await?; // waits while the bank's data is fetched
    // README:end

    #[allow(clippy::print_stdout, reason = "an example shows its result")]
    {
        println!(
            "{} accounts",
            accounts.accounts.as_ref().map_or(0, Vec::len)
        );
    }
    Ok(())
}
