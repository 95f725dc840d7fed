//! Waits for the verdict on an upload: `verdict CUSTOMER_ID LOGIN_ID FILE_WITH_API_SECRET`.

use flinks_auth::ApiSecret;
use flinks_fraud::{FraudClient, Verdict};
use flinks_transport::{Endpoint, Transport};
use flinks_types::{CustomerId, LoginId};

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, reason = "an example shows its result")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [customer_id, login_id, secret_file] = arguments.as_slice() else {
        return Err("usage: verdict CUSTOMER_ID LOGIN_ID FILE_WITH_API_SECRET".into());
    };
    let customer_id = CustomerId::new(customer_id)?;
    let login_id = LoginId::new(login_id)?;
    let file = std::fs::read_to_string(secret_file)?;
    let secret = file.trim_end();
    // README:begin
    let fraud = FraudClient::new(
        Transport::builder().build()?,
        Endpoint::instance("toolbox")?,
        customer_id,
        &ApiSecret::new(secret),
    )?;
    match fraud.wait(&login_id).await?.verdict() {
        Verdict::Clean => println!("clean"),
        Verdict::Flagged(flags) => println!("{} signals: have a person look", flags.len()),
        Verdict::Undetermined(reason) => println!("ask a person: {reason}"),
        _ => println!("ask a person"),
    }
    // README:end
    Ok(())
}
