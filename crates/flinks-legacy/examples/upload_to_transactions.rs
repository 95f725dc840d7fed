//! Uploads the files that its arguments name, waits for the verdict and prints the transactions; settings
//! come from the environment.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example reads its settings and shows its result"
)]

// README:begin
use std::env::{args, var};
use std::time::Duration;

use flinks_fraud::{ApiSecret, FraudClient};
use flinks_legacy::{CustomerId, Endpoint, LegacyClient, LegacyKeys, Roots, Transport};
use flinks_upload::{ClientCredentials, ClientIdentity, Document, Paths, UploadClient};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let identity = ClientIdentity::from_pem_files(var("FLINKS_CERT")?, var("FLINKS_KEY")?)?;
    let mut to_uploads = Transport::builder().identity(identity);
    let mut to_api = Transport::builder(); // the other host needs no client certificate
    if let Ok(ca) = var("FLINKS_CA") {
        to_uploads = to_uploads.roots(Roots::pem_file(&ca)?); // only for the sandbox
        to_api = to_api.roots(Roots::pem_file(&ca)?);
    }
    let uploads = UploadClient::with_endpoint(
        to_uploads.build()?,
        Endpoint::new(&var("FLINKS_UPLOAD_URL")?)?,
        Paths::default(),
        ClientCredentials::new(var("FLINKS_CLIENT_ID")?, var("FLINKS_CLIENT_SECRET")?),
    )?;
    let (to_api, api) = (to_api.build()?, Endpoint::new(&var("FLINKS_API_URL")?)?);
    let customer = CustomerId::new(var("FLINKS_CUSTOMER_ID")?)?;
    let secret = ApiSecret::new(var("FLINKS_API_SECRET")?);
    let fraud = FraudClient::new(to_api.clone(), api.clone(), customer.clone(), secret)?;
    let legacy = LegacyClient::new(to_api, api, customer, LegacyKeys::new())?; // or with your keys

    let files: Vec<Document> = args()
        .skip(1)
        .map(Document::open)
        .collect::<Result<_, _>>()?;
    let done = uploads.session().upload(files).await?;

    let analysis = fraud.wait(&done.login_id);
    let analysis = analysis.expected_documents(done.files.len()).await?;
    println!("{}", analysis.verdict().as_str()); // clean, flagged or undetermined

    let data = legacy.accounts_detail(&done.login_id); // opens a session on what was read
    let data = data.timeout(Duration::from_secs(4 * 60 * 60)).await?;
    for account in data.accounts.iter().flatten() {
        for transaction in account.transactions.iter().flatten() {
            let description = transaction.description.as_deref().unwrap_or_default();
            let amount = transaction.debit.as_ref().or(transaction.credit.as_ref());
            println!(
                "{} {description}",
                amount.map_or("?", |amount| amount.as_str())
            );
        }
    }
    Ok(())
}
// README:end
