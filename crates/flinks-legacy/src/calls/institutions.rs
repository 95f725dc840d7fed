//! The institutions that can be connected: `legacy.institutions`, page by page or as a stream.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec::IntoIter;

use bytes::Bytes;
use flinks_transport::{
    Body, Call, CallMeta, Credential, CustomerEndpoint, DecodeError, Error, ErrorKind, Operation,
    Replay, Route,
};
use flinks_types::{ApiError, Institution, InstitutionsResponse, from_json};
use futures_core::Stream;
use http::{Request, Response, Uri};

use crate::answer::require_done;
use crate::client::LegacyClient;

const ROUTE: Route = Route::get("/v3/{customerId}/BankingServices/Institutions");

impl LegacyClient {
    /// Fetches one page of the institutions: `take` of them after the first `skip`.
    /// `legacy.institutions`.
    ///
    /// *Effect:* none. The service returns at most [`Institutions::PAGE`] a page.
    pub fn institutions(&self, skip: u32, take: u32) -> Call<Institutions> {
        self.transport()
            .call(Institutions::new(self.endpoint().clone(), skip, take))
    }

    /// Streams all institutions and fetches each page when it is needed: `legacy.institutions`.
    ///
    /// *Effect:* none. The stream implements `futures_core::Stream`.
    pub fn all_institutions(&self) -> InstitutionStream {
        InstitutionStream::new(self.clone(), Institutions::PAGE)
    }
}

/// Fetches one page of the institutions: `legacy.institutions`.
///
/// *Effect:* none; it may be sent any number of times.
#[derive(Clone, Debug)]
pub struct Institutions {
    endpoint: CustomerEndpoint,
    skip: u32,
    take: u32,
}

impl Institutions {
    /// The most institutions that a page can hold.
    pub const PAGE: u32 = 1000;

    /// Creates a call for `take` institutions after the first `skip`.
    #[must_use]
    pub fn new(endpoint: CustomerEndpoint, skip: u32, take: u32) -> Self {
        Self {
            endpoint,
            skip,
            take,
        }
    }
}

impl Operation for Institutions {
    type Output = InstitutionsResponse;

    fn meta(&self) -> CallMeta {
        CallMeta::new("legacy.institutions", ROUTE, Replay::Safe)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        if !(1..=Self::PAGE).contains(&self.take) {
            return Err(Error::new(
                ErrorKind::Input,
                "a page holds 1 to 1,000 institutions",
            ));
        }
        let mut request = self.endpoint.request(ROUTE, &[])?;
        let url = format!("{}?skip={}&take={}", request.uri(), self.skip, self.take);
        *request.uri_mut() =
            Uri::try_from(url).map_err(|_| Error::new(ErrorKind::Input, "the URL is too long"))?;
        Ok(request)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<InstitutionsResponse, DecodeError> {
        let (parts, body) = response.into_parts();
        let page: InstitutionsResponse =
            from_json(&body).map_err(|error| DecodeError::json(&error))?;
        if page.data.is_none() {
            let error = ApiError::from_body(&body).unwrap_or_default();
            let code = error.flinks_code.as_ref();
            require_done(parts.status, error.http_status_code, code, &body)?;
        }
        Ok(page)
    }
}

type PendingPage = Pin<Box<dyn Future<Output = Result<InstitutionsResponse, Error>> + Send>>;

/// A stream of all institutions; see [`LegacyClient::all_institutions`].
///
/// It ends after the last institution, or after the first error.
#[must_use = "a stream does nothing until polled"]
pub struct InstitutionStream {
    client: LegacyClient,
    skip: u32,
    take: u32,
    page: IntoIter<Institution>,
    state: State,
}

enum State {
    /// The page is used up, and another may follow.
    Ready,
    Pending(PendingPage),
    /// The current page is the last.
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

    /// Returns the next institution, for callers that do not use the `Stream` trait.
    pub async fn next(&mut self) -> Option<Result<Institution, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Stores a page, and returns whether another may follow it.
    fn next_page(&mut self, answer: InstitutionsResponse) -> State {
        let page = answer.data.unwrap_or_default();
        let length = u32::try_from(page.len()).unwrap_or(u32::MAX);
        self.skip = self.skip.saturating_add(length);
        self.page = page.into_iter();
        // A page shorter than requested need not be the last: the count decides.
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
                    this.state = State::Pending(call.into_future());
                }
                State::Pending(page) => match ready!(page.as_mut().poll(cx)) {
                    Ok(answer) => this.state = this.next_page(answer),
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use flinks_auth::LegacyKeys;
    use flinks_transport::Endpoint;
    use flinks_transport::testing::{Reply, ScriptedService};
    use flinks_types::CustomerId;

    use super::*;

    /// Serves `total` institutions in pages of `page`, and fails at request `fails`.
    fn client(total: usize, page: usize, fails: Option<usize>) -> (LegacyClient, ScriptedService) {
        let starts = (0..total.max(1)).step_by(page).enumerate();
        let service = ScriptedService::new(starts.map(|(index, start)| {
            let data = vec!["{}"; page.min(total - start)].join(",");
            let status = if fails == Some(index) { 404 } else { 200 };
            Reply::json(status, format!(r#"{{"Data":[{data}],"Count":{total}}}"#))
        }));
        let transport = service.builder().build().expect("a transport");
        let endpoint = Endpoint::instance("toolbox").expect("an instance");
        let customer = CustomerId::new("customer").expect("an id");
        let client = LegacyClient::new(transport, endpoint, customer, LegacyKeys::new());
        (client.expect("a client"), service)
    }

    /// The institutions before the end or the first error, after which the stream is over.
    async fn collect(mut stream: InstitutionStream) -> (usize, Option<Error>) {
        let mut seen = 0;
        let mut next = async || poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await;
        let error = loop {
            match next().await {
                Some(Ok(_)) => seen += 1,
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        assert!(next().await.is_none(), "the stream continues after its end");
        (seen, error)
    }

    #[tokio::test(start_paused = true)]
    async fn pages_follow_each_other_until_all_are_seen() {
        for (total, page, requests) in [(0, 10, 1), (10, 10, 1), (25, 10, 3), (249, 1000, 1)] {
            let (client, service) = client(total, page, None);
            let (seen, error) = collect(client.all_institutions()).await;
            assert_eq!((seen, error.is_none()), (total, true));
            let sent = service.requests();
            assert_eq!(sent.len(), requests, "{total} in pages of {page}");
            for (index, request) in sent.iter().enumerate() {
                let query = format!("skip={}&take=1000", index * page);
                assert_eq!(request.uri.query(), Some(query.as_str()));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_ends_the_stream() {
        let (client, service) = client(25, 10, Some(1));
        let (seen, error) = collect(client.all_institutions()).await;
        assert_eq!((seen, error.is_some(), service.count()), (10, true, 2));
    }
}
