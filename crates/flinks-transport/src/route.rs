//! The method and path of a call, without the ids in it.

use std::fmt;

use http::Uri;

/// The method and path template of a call, such as `GET /v3/{customerId}/BankingServices/Institutions`.
///
/// It contains no id and no account data, so it may be logged and used as a metric's label. Where a
/// setting chooses the path, the template is a documented path or the setting's name, such as `{upload}`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Route {
    method: &'static str,
    path: &'static str,
}

impl Route {
    /// A route of any method.
    #[must_use]
    pub const fn new(method: &'static str, path: &'static str) -> Self {
        Self { method, path }
    }

    /// A `GET` route.
    #[must_use]
    pub const fn get(path: &'static str) -> Self {
        Self::new("GET", path)
    }

    /// A `POST` route.
    #[must_use]
    pub const fn post(path: &'static str) -> Self {
        Self::new("POST", path)
    }

    /// A `POST` route whose path a setting chooses: the first of `known` that `uri` has, or else `name`,
    /// so that a route never contains a path of the user's own.
    #[must_use]
    pub fn post_chosen(uri: &Uri, known: &[&'static str], name: &'static str) -> Self {
        let path = known.iter().find(|path| **path == uri.path());
        Self::post(path.copied().unwrap_or(name))
    }

    /// A `PATCH` route.
    #[must_use]
    pub const fn patch(path: &'static str) -> Self {
        Self::new("PATCH", path)
    }

    /// A `DELETE` route.
    #[must_use]
    pub const fn delete(path: &'static str) -> Self {
        Self::new("DELETE", path)
    }

    /// The HTTP method.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// The path template: each `{name}` is replaced by a value.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
