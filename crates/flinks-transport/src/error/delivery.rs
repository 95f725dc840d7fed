//! Whether the service may have acted on a failed call, and which of its requests failed.

use http::StatusCode;

/// Whether the service may have acted on a call that failed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Delivery {
    /// No complete request was sent. It may be sent again.
    NotSent,
    /// The service answered that it refused the request.
    Rejected,
    /// The request may have arrived and may have been acted on.
    Unknown,
    /// The service has acted, but its answer was lost or cannot be read.
    Delivered,
}

impl Delivery {
    /// Whether sending the request once more could act twice.
    #[must_use]
    pub const fn may_have_acted(self) -> bool {
        match self {
            Self::NotSent | Self::Rejected => false,
            Self::Unknown | Self::Delivered => true,
        }
    }

    /// The word in `snake_case`, as the program's JSON output and the fixtures name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Delivered => "delivered",
        }
    }

    /// What a status says about the request it answers.
    ///
    /// Only a 4xx is a refusal. Gateways send a 5xx after the origin has acted, and any other
    /// status (1xx, 3xx, 600 and above) is not one that the service documents.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        Self::of_code(status.as_u16())
    }

    /// As [`of_status`](Self::of_status), for a number that need not be an HTTP status.
    pub(crate) fn of_code(code: u16) -> Self {
        match code {
            200..=299 => Self::Delivered,
            400..=499 => Self::Rejected,
            _ => Self::Unknown,
        }
    }
}

/// Which request of a call failed. Flinks' support asks for it (Upload guide, Support).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// The API call itself.
    #[default]
    Call,
    /// The token request that the call needed.
    Token,
}

impl Step {
    /// The word in `snake_case`, as the program's JSON output and the fixtures name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Token => "token",
        }
    }
}
