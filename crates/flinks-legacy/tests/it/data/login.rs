//! Data of a LoginId in paused time: sessions that end while an upload is read, and how long that may go on.

use std::time::Duration;

use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Delivery, ErrorKind};
use tokio::time::Instant;

use crate::service::{LegacyService as _, login_id, opens, pending, ready};

const HOUR: Duration = Duration::from_secs(3600);

fn expired() -> Reply {
    Reply::json(
        400,
        r#"{"HttpStatusCode":400,"FlinksCode":"SESSION_EXPIRED"}"#,
    )
}

/// A session of half an hour that ends while the service still works: 6 requests.
fn session_that_ends() -> Vec<Reply> {
    let mut replies = vec![opens()];
    replies.extend(vec![pending(); 4]);
    replies.push(expired());
    replies
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_waited_for_through_many_sessions() {
    let mut replies = Vec::from_iter((0..4).flat_map(|_| session_that_ends()));
    // In the middle of a wait, what passes is waited out when a session is opened too.
    replies.extend([Reply::status(503), Reply::refuse(), opens(), ready()]);
    let service = ScriptedService::new(replies).repeat_last();
    let client = service.client_without_retries();
    let wait = client.accounts_detail(&login_id()).timeout(4 * HOUR);
    let answer = wait.interval(Duration::from_secs(400)).await.unwrap();
    assert_eq!(answer.accounts.as_ref().unwrap().len(), 1);
    let opened = service
        .lines()
        .iter()
        .filter(|line| line.ends_with("/Authorize"))
        .count();
    assert_eq!((opened, service.count()), (7, 28));
}

#[tokio::test(start_paused = true)]
async fn sessions_are_replaced_no_longer_than_the_wait_lasts() {
    let endless = (0..200).flat_map(|_| [opens(), pending(), expired()]);
    let service = ScriptedService::new(endless).repeat_last();
    let start = Instant::now();
    let wait = service
        .client_without_retries()
        .accounts_summary(&login_id());
    let error = wait.await.unwrap_err();
    assert!(error.is_wait_over(), "{error:?}");
    assert!(
        error.to_string().contains("this LoginId again later"),
        "{error}"
    );
    assert!(start.elapsed() <= HOUR / 2);
    // Every session but the last waited twice: for the first poll and after the last one.
    assert!(service.count() <= 3 * 1800 / 18 + 3, "{}", service.count());
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_to_open_a_session_is_returned_at_once() {
    for (reply, kind, delivery) in [
        (Reply::refuse(), ErrorKind::Connect, Delivery::NotSent),
        (
            Reply::disconnect(),
            ErrorKind::Connection,
            Delivery::Unknown,
        ),
    ] {
        let service = ScriptedService::new([reply]).repeat_last();
        let client = service.client_without_retries();
        let error = client.statements(&login_id()).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (kind, delivery));
        assert_eq!(error.operation(), Some("legacy.authorize"));
        assert_eq!(service.count(), 1);
    }
}
