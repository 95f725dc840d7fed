//! Uploads two statements and prints the LoginId: `upload_and_check CLIENT_ID CLIENT_SECRET`.

use flinks_auth::ClientCredentials;
use flinks_transport::{ClientIdentity, Transport};
use flinks_upload::{Document, UploadClient};
use tower::limit::ConcurrencyLimitLayer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(client_id), Some(client_secret)) = (arguments.next(), arguments.next()) else {
        return Err("usage: upload_and_check CLIENT_ID CLIENT_SECRET".into());
    };
    // README:begin
    let transport = Transport::builder()
        .identity(ClientIdentity::from_pem_files("client.pem", "client.key")?)
        .layer(ConcurrencyLimitLayer::new(4)) // any tower layer of yours
        .build()?;
    let uploads = UploadClient::new(transport, ClientCredentials::new(client_id, client_secret))?;

    let done = uploads
        .session()
        .client_name("Zoë")
        .upload([
            Document::open("january.pdf")?,
            Document::open("february.pdf")?,
        ])
        .await?; // checks, upload, restart if an outcome is unknown, complete
    // README:end
    #[allow(clippy::print_stdout, reason = "an example shows its result")]
    {
        println!("{}", done.login_id.as_str());
    }
    Ok(())
}
