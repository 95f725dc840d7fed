//! Waits for the verdict on an upload: `verdict LOGIN_ID`; settings come from the environment.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example reads its settings and shows its result"
)]

// README:begin
use std::env::{args, var};

use flinks_fraud::{
    ApiSecret, CustomerId, Endpoint, FraudClient, LoginId, Roots, Transport, Verdict,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut transport = Transport::builder();
    if let Ok(ca) = var("FLINKS_CA") {
        transport = transport.roots(Roots::pem_file(ca)?); // only for the sandbox
    }
    let fraud = FraudClient::new(
        transport.build()?,
        Endpoint::new(&var("FLINKS_API_URL")?)?,
        CustomerId::new(var("FLINKS_CUSTOMER_ID")?)?,
        ApiSecret::new(var("FLINKS_API_SECRET")?),
    )?;

    let login_id = LoginId::new(args().nth(1).ok_or("usage: verdict LOGIN_ID")?)?;
    match fraud.wait(&login_id).await?.verdict() {
        Verdict::Clean => println!("clean"),
        Verdict::Flagged(flags) => println!("{} signals: have a person look", flags.len()),
        Verdict::Undetermined(reason) => println!("ask a person: {reason}"),
        _ => println!("ask a person"),
    }
    Ok(())
}
// README:end
