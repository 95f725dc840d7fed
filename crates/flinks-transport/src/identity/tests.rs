//! Loading identities.
