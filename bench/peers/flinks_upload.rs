//! This SDK as a library: one session with a ledger in a file, as the program `flinks` keeps it.

use std::env::{args, var};
use std::error::Error;
use std::fs;

use flinks_upload::{
    ClientCredentials, ClientIdentity, Document, Endpoint, FileLedger, Paths, Roots, Transport,
    UploadClient,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let identity = ClientIdentity::from_pem_files(var("FLINKS_CERT")?, var("FLINKS_KEY")?)?;
    let transport = Transport::builder()
        .identity(identity)
        .roots(Roots::pem_file(var("FLINKS_CA")?)?);
    let uploads = UploadClient::with_endpoint(
        transport.build()?,
        Endpoint::new(&var("FLINKS_UPLOAD_URL")?)?,
        Paths::default(),
        ClientCredentials::new(var("FLINKS_CLIENT_ID")?, var("FLINKS_CLIENT_SECRET")?),
    )?;
    let documents: Result<Vec<_>, _> = args().skip(1).map(Document::open).collect();
    let ledger = format!("{}/ledger", var("XDG_STATE_HOME")?);
    let concurrency = var("BENCH_CONCURRENCY").map_or(Ok(1), |number| number.parse())?;
    uploads
        .session()
        .ledger(FileLedger::create(&ledger)?)
        .concurrency(concurrency)
        .upload(documents?)
        .await?;
    fs::remove_file(ledger)?;
    Ok(())
}
