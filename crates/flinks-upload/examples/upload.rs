//! Uploads the files that its arguments name: `upload january.pdf february.pdf`. Settings come from the environment.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example reads its settings and shows its result"
)]

// README:begin
use std::env::{args, var};

use flinks_upload::{
    ClientCredentials, ClientIdentity, Document, Endpoint, Paths, Roots, Transport, UploadClient,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let identity = ClientIdentity::from_pem_files(var("FLINKS_CERT")?, var("FLINKS_KEY")?)?;
    let mut transport = Transport::builder().identity(identity);
    if let Ok(ca) = var("FLINKS_CA") {
        transport = transport.roots(Roots::pem_file(ca)?); // only for the sandbox
    }
    let uploads = UploadClient::with_endpoint(
        transport.build()?,
        Endpoint::new(&var("FLINKS_UPLOAD_URL")?)?,
        Paths::default(),
        ClientCredentials::new(var("FLINKS_CLIENT_ID")?, var("FLINKS_CLIENT_SECRET")?),
    )?;

    let files: Vec<Document> = args()
        .skip(1)
        .map(Document::open)
        .collect::<Result<_, _>>()?;
    let session = uploads.session().client_name("Zoë");
    let done = session.upload(files).await?; // checks the files, uploads them, completes the session
    println!("{}", done.login_id.as_str());
    Ok(())
}
// README:end
