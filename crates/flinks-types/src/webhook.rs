//! Webhooks: what every body says about itself, and the customer-identity (KYC) event.

use std::fmt;

use serde::Deserialize;

use crate::open_enum::open_enum;
use crate::wire::{Shown, wire_struct};
use crate::{Holder, Login, LoginId, RequestId, Timestamp};

open_enum! {
    /// The type of a webhook: the service's `ResponseType`.
    ///
    /// That of an Upload fraud alert is not published.
    ///
    /// Source: docs.flinks.com, Webhooks.
    pub WebhookType {
        /// The accounts of a login, as [`AccountsResponse`](crate::AccountsResponse).
        AccountsDetail = "GetAccountsDetail",
        /// The identity of the account holders, as [`KycResponse`].
        Kyc = "KYC",
    }
}

/// What the body of any webhook says about itself.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(from = "EnvelopeWire")]
#[non_exhaustive]
pub struct WebhookEnvelope {
    /// The type of the webhook.
    pub response_type: Option<WebhookType>,
    /// The login that the webhook is about: `Login.Id`, `Login.LoginId` or `LoginId` on the wire.
    pub login_id: Option<LoginId>,
    /// The id of the request.
    pub request_id: Option<RequestId>,
    /// The tag of the upload or session.
    pub tag: Option<String>,
    /// The time of the login's last refresh, the only date that a body is known to have.
    pub last_refresh: Option<Timestamp>,
}

wire_struct! {
    strict struct EnvelopeWire {
        response_type: Option<WebhookType> = "ResponseType",
        login: Option<WebhookLogin> = "Login",
        login_id: Option<LoginId> = "LoginId",
        request_id: Option<RequestId> = "RequestId",
        tag: Option<String> = "Tag",
    }
}

wire_struct! {
    loose struct WebhookLogin {
        id: Option<LoginId> = "Id",
        login_id: Option<LoginId> = "LoginId",
        request_id: Option<RequestId> = "RequestId",
        tag: Option<String> = "Tag",
        last_refresh: Option<Timestamp> = "LastRefresh",
    }
}

impl From<EnvelopeWire> for WebhookEnvelope {
    fn from(wire: EnvelopeWire) -> Self {
        let login = wire.login.unwrap_or_default();
        Self {
            response_type: wire.response_type,
            login_id: login.id.or(login.login_id).or(wire.login_id),
            request_id: wire.request_id.or(login.request_id),
            tag: wire.tag.or(login.tag),
            last_refresh: login.last_refresh,
        }
    }
}

impl fmt::Debug for WebhookEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookEnvelope")
            .field("response_type", &self.response_type)
            .field("login_id", &self.login_id)
            .field("request_id", &self.request_id)
            .field("tag", &Shown(&self.tag))
            .field("last_refresh", &self.last_refresh)
            .finish()
    }
}

wire_struct! {
    /// The identity of a login's account holders, as the KYC webhook sends it.
    ///
    /// Source: docs.flinks.com, KYC webhook. The sample printed there is not valid JSON.
    pub strict struct KycResponse {
        /// The status in the body.
        pub http_status_code: Option<u16> = "HttpStatusCode",
        /// The id of the session.
        pub request_id: Option<RequestId> = "RequestId",
        /// The login of the holders.
        pub login: Option<Login> = "Login",
        /// The institution, by its name in requests.
        pub institution: Option<String> = "Institution",
        /// The tag given when the session was opened.
        pub tag: Option<String> = "Tag",
        /// The account holders; `None` if the body has no list, which does not mean that there are none.
        pub holders: Option<Vec<Holder>> = "Holders",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_json;

    #[test]
    fn reads_where_a_login_id_may_be() {
        for body in [
            r#"{"ResponseType":"KYC","Login":{"Id":"b0debb48"}}"#,
            r#"{"ResponseType":"kyc","Login":{"LoginId":"b0debb48","Id":null}}"#,
            r#"{"ResponseType":"KYC","LoginId":"b0debb48","Login":7}"#,
        ] {
            let envelope: WebhookEnvelope = from_json(body.as_bytes()).unwrap();
            assert_eq!(envelope.response_type, Some(WebhookType::Kyc), "{body}");
            assert_eq!(envelope.login_id.unwrap().as_str(), "b0debb48", "{body}");
        }
        let twice = br#"{"ResponseType":"KYC","ResponseType":"GetAccountsDetail"}"#;
        assert!(from_json::<WebhookEnvelope>(twice).is_err());
    }

    #[test]
    fn reads_an_identity_and_shows_none_of_it() {
        let body = br#"{"ResponseType":"KYC","HttpStatusCode":200,"Tag":"canary","Holders":[{"Name":"canary",
            "Address":{"City":"canary"},"Email":"canary","PhoneNumber":"canary"}],
            "Login":{"Id":"b0debb48","Username":"canary","LastRefresh":"2025-01-31T10:00:00.1"}}"#;
        let kyc: KycResponse = from_json(body).unwrap();
        let envelope: WebhookEnvelope = from_json(body).unwrap();
        assert_eq!(
            kyc.holders.as_ref().unwrap()[0].name.as_deref(),
            Some("canary")
        );
        assert_eq!(
            envelope.last_refresh,
            kyc.login.as_ref().unwrap().last_refresh
        );
        let debug = format!("{kyc:?} {envelope:?}");
        assert!(
            !debug.contains("canary") && !debug.contains("2025"),
            "{debug}"
        );
        assert!(from_json::<KycResponse>(br#"{"Holders":{}}"#).is_err());
    }
}
