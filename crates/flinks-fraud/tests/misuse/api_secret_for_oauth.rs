//! The API secret opens the results host, and gets no token.

use flinks_auth::{ApiSecret, OAuth};
use flinks_transport::Transport;

fn misuse(transport: &Transport) {
    let secret = ApiSecret::new("secret");
    let _ = OAuth::new(transport, http::Uri::default(), secret);
}

fn main() {}
