//! Waiting, in paused time: how often and when polls are made, and what ends them.

use std::future::{IntoFuture as _, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use flinks_fraud::{AnalysisWait, Reason, Verdict};
use flinks_transport::testing::Reply;
use flinks_transport::{Delivery, Error, ErrorKind, RetryConfig};
use flinks_types::FlinksCode;
use tokio::time::Instant;
use tower::Service as _;

use crate::answers::CLEAN;
use crate::leaf::{Leaf, answer, login_id};

const SECOND: Duration = Duration::from_secs(1);
const STATEMENT: &str = r#"{"DocumentType":"BANK_STATEMENT","FraudSignals":[]}"#;

/// An answer with documents of these statuses, analysed as far as they are completed.
pub(crate) fn documents(statuses: &[&str]) -> Reply {
    let documents: Vec<_> = statuses
        .iter()
        .map(|status| match *status {
            "COMPLETED" => format!(r#"{{"Status":"COMPLETED","FullAnalysis":[{STATEMENT}]}}"#),
            "FLAGGED" => r#"{"Status":"COMPLETED","FullAnalysis":[{"DocumentType":"BANK_STATEMENT","FraudSignals":[{"Type":"DATE_EDITS"}]}]}"#.to_owned(),
            other => format!(r#"{{"Status":"{other}"}}"#),
        })
        .collect();
    answer(
        200,
        format!(r#"{{"DocumentAnalysis":[{}]}}"#, documents.join(",")),
    )
}

fn code(status: u16, code: &str) -> Reply {
    answer(status, format!(r#"{{"FlinksCode":"{code}"}}"#))
}

fn is_jittered(gap: Duration, interval: Duration) -> bool {
    // The clock of paused time counts in milliseconds, and rounds up.
    gap >= interval.mul_f64(0.9) && gap <= interval.mul_f64(1.1) + Duration::from_millis(2)
}

#[tokio::test(start_paused = true)]
async fn the_first_poll_is_made_at_once() {
    let leaf = Leaf::new([answer(200, CLEAN)]);
    let start = Instant::now();
    let analysis = leaf.client().wait(&login_id()).await.unwrap();
    assert_eq!(analysis.verdict(), Verdict::Clean);
    assert_eq!((leaf.count(), start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn every_way_of_saying_pending_is_waited_through() {
    let pending = [
        documents(&["PENDING"]),
        documents(&["SOMETHING_NEW"]),
        answer(202, ""),
        answer(
            202,
            r#"{"HttpStatusCode":202,"FlinksCode":"OPERATION_PENDING"}"#,
        ),
        answer(200, r#"{"HttpStatusCode":202}"#),
        answer(200, r#"{"HttpStatusCode":200,"DocumentAnalysis":[]}"#),
        documents(&["COMPLETED", "PROCESSING"]),
    ];
    let polls = pending.len() + 1;
    let leaf = Leaf::new(pending.into_iter().chain([answer(200, CLEAN)]));
    let analysis = leaf.client().wait(&login_id()).await.unwrap();
    assert_eq!(analysis.verdict(), Verdict::Clean);
    assert_eq!(leaf.count(), polls);
    for gap in leaf.gaps() {
        assert!(is_jittered(gap, 30 * SECOND), "{gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_interval_is_jittered() {
    let leaf = Leaf::new([answer(202, "")]);
    let wait = leaf.client().wait(&login_id()).interval(10 * SECOND);
    wait.timeout(1_000 * SECOND).await.unwrap();
    let mut gaps = leaf.gaps();
    gaps.pop();
    assert!(gaps.len() > 80, "{}", gaps.len());
    assert!(gaps.iter().all(|gap| is_jittered(*gap, 10 * SECOND)));
    assert!(gaps.iter().any(|gap| *gap < 9_900 * SECOND / 1_000));
    assert!(gaps.iter().any(|gap| *gap > 10_100 * SECOND / 1_000));
}

#[tokio::test(start_paused = true)]
async fn partial_documents_are_seen_and_a_signal_does_not_end_the_wait() {
    let leaf = Leaf::new([
        documents(&["PENDING", "PENDING"]),
        documents(&["FLAGGED", "PENDING"]),
        documents(&["FLAGGED", "FLAGGED"]),
    ]);
    let seen = Arc::new(Mutex::new(vec![]));
    let noted = Arc::clone(&seen);
    let analysis = leaf
        .client()
        .wait(&login_id())
        .on_poll(move |analysis| {
            let word = analysis.verdict().as_str();
            noted.lock().unwrap().push((word, analysis.is_pending()));
        })
        .await
        .unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            ("undetermined", true),
            ("flagged", true),
            ("flagged", false)
        ]
    );
    let Verdict::Flagged(flags) = analysis.verdict() else {
        panic!("flagged");
    };
    let places: Vec<_> = flags.iter().map(|flag| flag.document).collect();
    assert_eq!(places, [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_known_number_of_files_is_waited_for() {
    let leaf = Leaf::new([
        documents(&["COMPLETED"]),
        documents(&["COMPLETED", "COMPLETED"]),
    ]);
    let analysis = leaf
        .client()
        .wait(&login_id())
        .expected_documents(2)
        .await
        .unwrap();
    assert_eq!((leaf.count(), analysis.verdict()), (2, Verdict::Clean));

    // The number is not forgotten when the wait ends without them all.
    let leaf = Leaf::new([documents(&["COMPLETED"])]);
    let wait = leaf.client().wait(&login_id()).expected_documents(2);
    let analysis = wait.timeout(100 * SECOND).await.unwrap();
    let fewer = Verdict::Undetermined(Reason::FewerDocuments {
        documents: 1,
        files: 2,
    });
    assert_eq!(analysis.verdict(), fewer);
    assert!(!analysis.is_final());
    assert_eq!(
        analysis.with_expected_documents(1).verdict(),
        Verdict::Clean
    );
    assert!(leaf.count() > 3);
}

#[tokio::test(start_paused = true)]
async fn known_failures_of_documents_are_final() {
    for status in [
        "UNABLE_TO_PROCESS",
        "UNSUPPORTED",
        "DELETED",
        "Document_Processing_Failed",
    ] {
        let leaf = Leaf::new([documents(&["COMPLETED", status])]);
        let analysis = leaf.client().wait(&login_id()).await.unwrap();
        assert_eq!(
            (leaf.count(), analysis.verdict().as_str()),
            (1, "undetermined")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_last_analysis_is_returned() {
    let leaf = Leaf::new([documents(&["COMPLETED", "PENDING"]), Reply::refuse()]);
    let start = Instant::now();
    let analysis = leaf
        .client()
        .wait(&login_id())
        .timeout(100 * SECOND)
        .await
        .unwrap();
    assert_eq!(
        analysis.verdict(),
        Verdict::Undetermined(Reason::Pending { document: 1 })
    );
    // One poll at once, two or three in between, and the last one 10 s before the deadline.
    assert!((4..=5).contains(&leaf.count()), "{}", leaf.count());
    let last = leaf.requests().last().unwrap().at;
    assert!(
        last >= 90 * SECOND && last < 90 * SECOND + SECOND / 100,
        "{last:?}"
    );
    assert!(start.elapsed() <= 100 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn no_poll_outlives_the_deadline() {
    let leaf = Leaf::new([answer(202, ""), Reply::hang()]);
    let start = Instant::now();
    let wait = leaf
        .client()
        .wait(&login_id())
        .interval(5 * SECOND)
        .timeout(20 * SECOND);
    let analysis = wait.await.unwrap();
    assert_eq!(
        analysis.verdict(),
        Verdict::Undetermined(Reason::NoDocuments)
    );
    assert_eq!(start.elapsed(), 20 * SECOND);

    let leaf = Leaf::new([Reply::hang()]);
    let start = Instant::now();
    let error = leaf
        .client()
        .wait(&login_id())
        .timeout(20 * SECOND)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Timeout, Delivery::Unknown)
    );
    assert_eq!(error.operation(), Some("fraud.analysis"));
    assert_eq!((start.elapsed(), leaf.count()), (20 * SECOND, 1));
}

#[tokio::test(start_paused = true)]
async fn the_transports_own_deadline_still_holds() {
    let leaf = Leaf::new([Reply::hang(), answer(200, CLEAN)]);
    let client = leaf.client_over(|builder| builder.retry(RetryConfig::none()).timeout(3 * SECOND));
    client.wait(&login_id()).await.unwrap();
    let gap = leaf.gaps()[0];
    assert!(is_jittered(gap - 3 * SECOND, 30 * SECOND), "{gap:?}");
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_failure_that_says_most_is_returned() {
    // The last poll hangs until the deadline cuts it off.
    let leaf = Leaf::new([code(401, "RETRY_LATER"), Reply::hang()]);
    let wait = leaf.client().wait(&login_id()).interval(60 * SECOND);
    let error = wait.timeout(40 * SECOND).await.unwrap_err();
    assert_eq!((leaf.count(), error.kind()), (2, ErrorKind::Api));
    assert_eq!(
        error.api().unwrap().flinks_code,
        Some(FlinksCode::RetryLater)
    );

    // The last failure is the one that counts.
    let leaf = Leaf::new([code(401, "RETRY_LATER"), Reply::refuse()]);
    let wait = leaf.client().wait(&login_id()).interval(60 * SECOND);
    let error = wait.timeout(40 * SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(AnalysisWait::is_transient(&error));
}

#[tokio::test(start_paused = true)]
async fn failures_that_pass_do_not_end_the_wait() {
    let passing = [
        Reply::refuse(),
        Reply::disconnect_before_body(),
        Reply::hang(),
        answer(408, ""),
        answer(429, ""),
        answer(500, "<html>"),
        answer(502, ""),
        answer(503, ""),
        answer(200, r#"{"HttpStatusCode":503}"#),
        answer(500, r#"{"HttpStatusCode":200}"#),
        code(401, "RETRY_LATER"),
        code(401, "TOO_MANY_REQUESTS"),
        code(400, "OPERATION_PENDING"),
        code(404, "OPERATION_DISPATCHED"),
        code(400, "CARD_IN_USE"),
        code(200, "RETRY_LATER"),
        code(500, "AGGREGATION_ERROR"),
    ];
    for act in passing {
        let leaf = Leaf::new([act.clone(), answer(200, CLEAN)]);
        let analysis = leaf
            .client()
            .wait(&login_id())
            .await
            .expect("a failure that passes");
        assert_eq!(
            (leaf.count(), analysis.verdict()),
            (2, Verdict::Clean),
            "{act:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_stay_end_the_wait_at_once() {
    let staying = [
        (code(401, "ACCESS_DENIED"), ErrorKind::Api),
        (code(401, "INVALID_LOGIN"), ErrorKind::Api),
        (code(401, "BRAND_NEW"), ErrorKind::Api),
        (code(503, "ACCESS_DENIED"), ErrorKind::Api),
        (code(500, "Document_Processing_Failed"), ErrorKind::Api),
        (code(200, "DOCUMENT_PROCESSING_FAILED"), ErrorKind::Api),
        (
            answer(
                200,
                r#"{"HttpStatusCode":401,"FlinksCode":"INVALID_LOGIN"}"#,
            ),
            ErrorKind::Api,
        ),
        (answer(500, r#"{"HttpStatusCode":404}"#), ErrorKind::Api),
        (answer(401, ""), ErrorKind::Api),
        (answer(403, ""), ErrorKind::Api),
        (answer(404, ""), ErrorKind::Api),
        (answer(302, ""), ErrorKind::Api),
        (answer(200, "<html>"), ErrorKind::Decode),
        (
            Reply::error(Error::new(ErrorKind::ServerCertificate, "untrusted")),
            ErrorKind::ServerCertificate,
        ),
    ];
    for (act, kind) in staying {
        // One analysis that was read before does not hide them.
        for (script, polls) in [
            (vec![act.clone()], 1),
            (vec![answer(202, ""), act.clone()], 2),
        ] {
            let leaf = Leaf::new(script);
            let error: Error = leaf.client().wait(&login_id()).await.unwrap_err();
            assert_eq!((leaf.count(), error.kind()), (polls, kind), "{act:?}");
            assert!(!AnalysisWait::is_transient(&error), "{act:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_retry_after_is_honoured_up_to_the_deadline() {
    let leaf = Leaf::new([
        Reply::json(503, String::new()).header("retry-after", "300"),
        Reply::json(429, String::new()).header("retry-after", "1"),
        answer(200, CLEAN),
    ]);
    leaf.client().wait(&login_id()).await.unwrap();
    let gaps = leaf.gaps();
    assert_eq!(gaps[0].as_secs(), 300);
    assert!(is_jittered(gaps[1], 30 * SECOND), "{gaps:?}");

    let leaf = Leaf::new([Reply::status(503).header("retry-after", &u64::MAX.to_string())]);
    let start = Instant::now();
    let wait = leaf.client().wait(&login_id()).timeout(60 * SECOND);
    assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::Api);
    assert_eq!((leaf.count(), start.elapsed().as_secs()), (2, 50));
}

#[tokio::test(start_paused = true)]
async fn within_a_poll_the_transport_retries_as_ever() {
    let leaf = Leaf::new([answer(503, ""), Reply::refuse(), answer(200, CLEAN)]);
    let start = Instant::now();
    let client = leaf.client_over(|builder| builder);
    client.wait(&login_id()).await.unwrap();
    assert_eq!(leaf.count(), 3);
    assert!(start.elapsed() < 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn limits_of_any_size_neither_spin_nor_overflow() {
    let leaf = Leaf::new([answer(202, "")]);
    let wait = leaf.client().wait(&login_id()).interval(Duration::ZERO);
    wait.timeout(SECOND).await.unwrap();
    assert!((60..=100).contains(&leaf.count()), "{}", leaf.count());

    let leaf = Leaf::new([answer(202, ""), answer(200, CLEAN)]);
    let wait = leaf.client().wait(&login_id()).interval(Duration::MAX);
    wait.timeout(Duration::MAX).await.unwrap();
    assert_eq!(leaf.count(), 2);

    let leaf = Leaf::new([Reply::hang()]);
    let wait = leaf.client().wait(&login_id()).timeout(Duration::ZERO);
    assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_was_never_reached_is_not_waited_for() {
    let leaf = Leaf::new([Reply::refuse()]);
    let error = leaf.client().wait(&login_id()).await.unwrap_err();
    assert_eq!((error.kind(), leaf.count()), (ErrorKind::Connect, 5));

    // Once it has answered, even with an error, it may be away until the deadline.
    let leaf = Leaf::new([answer(503, ""), Reply::refuse()]);
    let wait = leaf.client().wait(&login_id()).timeout(3600 * SECOND);
    let error = wait.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(leaf.count() > 100, "{} polls", leaf.count());
}

#[tokio::test(start_paused = true)]
async fn the_longest_times_do_not_overflow() {
    for interval in [Duration::ZERO, Duration::MAX] {
        let after = Reply::status(503).header("retry-after", &u64::MAX.to_string());
        let leaf = Leaf::new([after, answer(200, CLEAN)]);
        let wait = leaf.client().wait(&login_id());
        let analysis = wait.interval(interval).timeout(Duration::MAX).await;
        assert_eq!(analysis.unwrap().verdict(), Verdict::Clean);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_anywhere_leaves_nothing_behind() {
    for polls in 0..100 {
        let leaf = Leaf::new([
            answer(202, ""),
            Reply::disconnect_before_body(),
            answer(200, CLEAN),
        ]);
        let slow = (*leaf).clone();
        let slow = tower::service_fn(move |request| {
            let mut leaf = slow.clone();
            async move {
                tokio::task::yield_now().await;
                let answer = leaf.call(request).await;
                tokio::task::yield_now().await;
                answer
            }
        });
        let client = leaf.client_over(|builder| builder.retry(RetryConfig::none()).service(slow));
        let mut wait = client.wait(&login_id()).into_future();
        let mut left = polls;
        let outcome = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            wait.as_mut().poll(cx).map(Some)
        })
        .await;
        drop(wait);
        let sent = leaf.count();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(leaf.count(), sent, "{polls}");
        if let Some(analysis) = outcome {
            assert_eq!(analysis.unwrap().verdict(), Verdict::Clean);
            assert_eq!(sent, 3);
            assert!(polls > 8, "it was hardly ever dropped while it waited");
            return;
        }
    }
    panic!("it never ended");
}
