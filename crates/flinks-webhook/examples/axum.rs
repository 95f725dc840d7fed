//! Receives webhooks with axum: `cargo run --example axum`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "this is a program"
)]

// README:begin
use std::convert::Infallible;
use std::env::var;

use axum::Router;
use flinks_webhook::{Event, Secret, Verifier, Webhook, WebhookService};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = Verifier::new(Secret::new(var("FLINKS_WEBHOOK_SECRET")?))?;
    let app = Router::new().route_service("/flinks", WebhookService::new(verifier, handle));

    let address = var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/flinks", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

// An error is answered with 500, and Flinks delivers again.
async fn handle(webhook: Webhook) -> Result<(), Infallible> {
    let login = webhook.login_id().map_or("no login", |id| id.as_str());
    match webhook.event() {
        Event::AccountsDetail(answer) => {
            let accounts = answer.accounts.as_deref().unwrap_or_default();
            println!("{login}: {} accounts", accounts.len());
        }
        Event::Kyc(_) => println!("{login}: the holders' identity"),
        // A fraud alert may be one: a reason to poll the analysis, never the verdict.
        other => println!("{login}: {other:?}"),
    }
    Ok(())
}
// README:end
