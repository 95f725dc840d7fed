//! All institutions, one after another, with each page fetched when it is needed.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec::IntoIter;

use flinks_transport::Error;
use flinks_types::{Institution, InstitutionsResponse};
use futures_core::Stream;

use super::Institutions;
use crate::LegacyClient;

type Asking = Pin<Box<dyn Future<Output = Result<InstitutionsResponse, Error>> + Send>>;

/// A stream of all institutions; see [`LegacyClient::all_institutions`].
///
/// It ends after the last institution, or after the first error.
#[must_use = "a stream asks for nothing until it is polled"]
pub struct InstitutionStream {
    client: LegacyClient,
    skip: u32,
    take: u32,
    page: IntoIter<Institution>,
    state: State,
}

enum State {
    /// The page is used up, and there may be more.
    Ready,
    Asking(Asking),
    /// The page at hand is the last.
    Last,
}

impl InstitutionStream {
    pub(crate) fn new(client: LegacyClient, take: u32) -> Self {
        let page = Vec::new().into_iter();
        Self {
            client,
            skip: 0,
            take,
            page,
            state: State::Ready,
        }
    }

    /// Takes a page over, and says whether another may follow it.
    fn turn(&mut self, answer: InstitutionsResponse) -> State {
        let page = answer.data.unwrap_or_default();
        let length = u32::try_from(page.len()).unwrap_or(u32::MAX);
        self.skip = self.skip.saturating_add(length);
        self.page = page.into_iter();
        // A service that gives less than was asked for may still have more: its count decides.
        let more = answer
            .count
            .map_or(length >= self.take, |count| self.skip < count);
        if more && length > 0 {
            State::Ready
        } else {
            State::Last
        }
    }
}

impl Stream for InstitutionStream {
    type Item = Result<Institution, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(institution) = this.page.next() {
                return Poll::Ready(Some(Ok(institution)));
            }
            match &mut this.state {
                State::Last => return Poll::Ready(None),
                State::Ready => {
                    let call = this.client.institutions(this.skip, this.take);
                    this.state = State::Asking(call.into_future());
                }
                State::Asking(asking) => match ready!(asking.as_mut().poll(cx)) {
                    Ok(answer) => this.state = this.turn(answer),
                    Err(error) => {
                        this.state = State::Last;
                        return Poll::Ready(Some(Err(error)));
                    }
                },
            }
        }
    }
}

impl fmt::Debug for InstitutionStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstitutionStream")
            .field("skip", &self.skip)
            .finish_non_exhaustive()
    }
}

impl LegacyClient {
    /// All institutions, page by page: `legacy.institutions`, as often as it takes.
    ///
    /// *Effect:* none. The stream is `futures_core::Stream`, which every stream library takes.
    pub fn all_institutions(&self) -> InstitutionStream {
        InstitutionStream::new(self.clone(), Institutions::PAGE)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::{Arc, Mutex};

    use flinks_auth::LegacyKeys;
    use flinks_transport::{Body, BoxError, Endpoint, Transport};
    use flinks_types::CustomerId;
    use http::{Request, Response};

    use super::*;

    /// Serves `total` institutions, at most `page` at a time, and fails at the `fails`-th request.
    fn client(total: u32, page: u32, fails: Option<usize>) -> (LegacyClient, Arc<Mutex<usize>>) {
        let asked = Arc::new(Mutex::new(0));
        let count = Arc::clone(&asked);
        let serve = tower::service_fn(move |request: Request<Body>| {
            let mut asked = asked.lock().expect("lock");
            *asked += 1;
            let failing = fails == Some(*asked);
            drop(asked);
            let query = request.uri().query().unwrap_or_default().to_owned();
            let skip = query
                .trim_start_matches("skip=")
                .split('&')
                .next()
                .map(str::parse::<u32>);
            let skip = skip.expect("a number").expect("a number");
            async move {
                let data: Vec<_> = (skip..total.min(skip + page))
                    .map(|id| format!(r#"{{"Id":{id}}}"#))
                    .collect();
                let body = format!(r#"{{"Data":[{}],"Count":{total}}}"#, data.join(","));
                let status = if failing { 404 } else { 200 };
                let response = Response::builder().status(status).body(Body::from(body));
                Ok::<_, BoxError>(response?)
            }
        });
        let transport = Transport::builder()
            .service(serve)
            .build()
            .expect("a transport");
        let endpoint = Endpoint::instance("toolbox").expect("an instance");
        let customer = CustomerId::new("customer").expect("an id");
        let client = LegacyClient::new(transport, endpoint, customer, LegacyKeys::new());
        (client.expect("a client"), count)
    }

    async fn collect(mut stream: InstitutionStream) -> (usize, Option<Error>) {
        let mut seen = 0;
        while let Some(next) = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
            match next {
                Ok(_) => seen += 1,
                Err(error) => return (seen, Some(error)),
            }
        }
        (seen, None)
    }

    #[tokio::test(start_paused = true)]
    async fn pages_follow_each_other_until_all_are_seen() {
        for (total, page, requests) in [(0, 10, 1), (10, 10, 1), (25, 10, 3), (249, 1000, 1)] {
            let (client, asked) = client(total, page, None);
            let (seen, error) = collect(client.all_institutions()).await;
            assert_eq!((seen, error.is_none()), (total as usize, true));
            assert_eq!(
                *asked.lock().expect("lock"),
                requests,
                "{total} in pages of {page}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_ends_the_stream() {
        let (client, asked) = client(25, 10, Some(2));
        let mut stream = client.all_institutions();
        let mut seen = 0;
        let error = loop {
            match poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
                Some(Ok(_)) => seen += 1,
                Some(Err(error)) => break error,
                None => panic!("the error was swallowed"),
            }
        };
        assert_eq!((seen, error.status().map(|s| s.as_u16())), (10, Some(404)));
        assert!(
            poll_fn(|cx| Pin::new(&mut stream).poll_next(cx))
                .await
                .is_none()
        );
        assert_eq!(*asked.lock().expect("lock"), 2);
    }
}
