//! A wait that is notified, as by a webhook, in paused time: the poll decides, never the notification.

use std::future::ready;
use std::time::Duration;

use flinks_fraud::Verdict;
use flinks_transport::testing::Reply;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::leaf::{Leaf, answer, login_id};
use crate::wait::documents;

const SECOND: Duration = Duration::from_secs(1);

/// The times of the polls, in whole seconds, of a wait that is notified after some seconds.
async fn polls(replies: Vec<Reply>, notified_at: u64) -> (Verdict, Vec<u64>) {
    let leaf = Leaf::new(replies);
    let wait = leaf.client().wait(&login_id()).timeout(100 * SECOND);
    let analysis = wait
        .poll_when(sleep(notified_at as u32 * SECOND))
        .await
        .unwrap();
    let times = leaf
        .requests()
        .iter()
        .map(|request| request.at.as_secs())
        .collect();
    (analysis.verdict(), times)
}

#[tokio::test(start_paused = true)]
async fn a_final_or_flagged_analysis_ends_the_wait_at_once() {
    for (end, verdict) in [("COMPLETED", "clean"), ("FLAGGED", "flagged")] {
        // The second document of a flagged analysis is not final.
        let second = if end == "FLAGGED" { "PENDING" } else { end };
        let replies = || vec![answer(202, ""), documents(&[end, second])];
        let (said, times) = polls(replies(), 7).await;
        assert_eq!((said.as_str(), times), (verdict, vec![0, 7]));

        // Notified before the first poll, which is then the only one.
        let leaf = Leaf::new([documents(&[end, second])]);
        let wait = leaf.client().wait(&login_id()).poll_when(ready(()));
        assert_eq!(wait.await.unwrap().verdict().as_str(), verdict);
        assert_eq!(leaf.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_analysis_does_not() {
    let replies = vec![
        answer(202, ""),
        documents(&["COMPLETED", "PENDING"]),
        documents(&["COMPLETED", "COMPLETED"]),
    ];
    let (verdict, times) = polls(replies, 7).await;
    assert_eq!(verdict, Verdict::Clean);
    let [0, 7, third] = times[..] else {
        panic!("a poll at once");
    };
    assert!((34..=40).contains(&third), "{third}");

    // Later polls wait for all documents again.
    let flagged = documents(&["FLAGGED", "PENDING"]);
    let replies = vec![
        answer(202, ""),
        answer(202, ""),
        flagged,
        documents(&["FLAGGED", "FLAGGED"]),
    ];
    let (verdict, times) = polls(replies, 7).await;
    assert_eq!((verdict.as_str(), times.len()), ("flagged", 4));
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_its_pause_is_kept() {
    let later = || Reply::json(503, "{}").header("retry-after", "50");
    let replies = vec![later(), documents(&["FLAGGED", "PENDING"])];
    let (verdict, times) = polls(replies, 7).await;
    assert_eq!((verdict.as_str(), times), ("flagged", vec![0, 50]));
}

#[tokio::test(start_paused = true)]
async fn without_a_notification_nothing_changes() {
    let leaf = Leaf::new([documents(&["FLAGGED", "PENDING"])]);
    let (sender, receiver) = oneshot::channel::<()>();
    let start = Instant::now();
    let wait = leaf.client().wait(&login_id()).timeout(100 * SECOND);
    let wait = wait.poll_when(async { drop(receiver.await) });
    assert_eq!(wait.await.unwrap().verdict().as_str(), "flagged");
    assert!((4..=5).contains(&leaf.count()), "{}", leaf.count());
    assert!(start.elapsed() <= 100 * SECOND);
    // With the wait, the receiver is gone.
    assert!(sender.is_closed());

    // A sender that is dropped notifies: one more poll, and no busy loop.
    let leaf = Leaf::new([answer(202, "")]);
    let (sender, receiver) = oneshot::channel::<()>();
    drop(sender);
    let wait = leaf.client().wait(&login_id()).timeout(100 * SECOND);
    let wait = wait.poll_when(async { drop(receiver.await) });
    wait.await.unwrap();
    assert!((4..=5).contains(&leaf.count()), "{}", leaf.count());
}
