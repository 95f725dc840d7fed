//! The list of institutions, page by page.

use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, Credential, DecodeError, Endpoint, Error, ErrorKind, Operation, Replay, Route,
};
use flinks_types::{ApiError, CustomerId, InstitutionsResponse, from_json};
use http::{Method, Request, Response, Uri};

use super::card::done;
use super::place::Place;

/// Asks for one page of the institutions: `legacy.institutions`.
///
/// *Effect:* none; it may be sent any number of times.
#[derive(Clone, Debug)]
pub struct Institutions {
    place: Place,
    skip: u32,
    take: u32,
}

impl Institutions {
    /// How many institutions a page can hold.
    pub const PAGE: u32 = 1000;

    /// Asks `endpoint` for `take` institutions after the first `skip`.
    #[must_use]
    pub fn new(endpoint: Endpoint, customer_id: CustomerId, skip: u32, take: u32) -> Self {
        Self::at(Place::new(endpoint, customer_id), skip, take)
    }

    pub(crate) fn at(place: Place, skip: u32, take: u32) -> Self {
        Self { place, skip, take }
    }
}

impl Operation for Institutions {
    type Output = InstitutionsResponse;

    fn meta(&self) -> CallMeta {
        let route = Route::get("/v3/{customerId}/BankingServices/Institutions");
        CallMeta::new("legacy.institutions", route, Replay::Safe)
            .with_credential(Credential::ApiKey)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        if !(1..=Self::PAGE).contains(&self.take) {
            return Err(Error::new(
                ErrorKind::Input,
                "a page holds 1 to 1,000 institutions",
            ));
        }
        let mut request = self.place.ask(Method::GET, "Institutions", None)?;
        let url = format!("{}?skip={}&take={}", request.uri(), self.skip, self.take);
        *request.uri_mut() = Uri::try_from(url)
            .map_err(|_| Error::new(ErrorKind::Input, "this is too long for a URL"))?;
        Ok(request)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<InstitutionsResponse, DecodeError> {
        let (parts, body) = response.into_parts();
        let read: InstitutionsResponse =
            from_json(&body).map_err(|error| DecodeError::json(&error))?;
        if read.data.is_none() {
            let said = ApiError::from_body(&body).unwrap_or_default();
            let code = said.flinks_code.as_ref();
            done(parts.status, said.http_status_code, code, &body)?;
        }
        Ok(read)
    }
}
