//! A program without `async`: one runtime, and threads that share one client.

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::thread;

use flinks_sandbox::{Sandbox, upload_client};
use flinks_upload::{BoxError, Document, UploadClient};
use tokio::runtime::{self, Handle};

/// An ordinary function: it returns when the session is completed.
fn upload(runtime: &Handle, uploads: &UploadClient, name: &str) -> Result<String, BoxError> {
    let statement = Document::from_bytes(name, "%PDF-1.7\nstartxref\n0\n%%EOF\n")?;
    let done = runtime.block_on(uploads.session().upload([statement]))?;
    Ok(done.login_id.as_str().to_owned())
}

fn main() -> Result<(), BoxError> {
    // The runtime owns the connections, so it must live as long as the client.
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let sandbox = runtime.block_on(Sandbox::start())?;
    let uploads = upload_client!(sandbox)?;

    thread::scope(|threads| {
        let started: Vec<_> = ["january.pdf", "february.pdf"]
            .map(|name| threads.spawn(|| upload(runtime.handle(), &uploads, name)))
            .into();
        for thread in started {
            println!("{}", thread.join().map_err(|_| "a thread panicked")??);
        }
        Ok(())
    })
}
