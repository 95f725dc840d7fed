//! The exit statuses, and which of them an error ends in.

use std::process::ExitCode;

use flinks_transport::{Delivery, Error, ErrorKind, Step};

use crate::output::io_error;

/// How the program ends; scripts rely on the numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Refused = 1,
    Usage = 2,
    File = 3,
    Unreachable = 4,
    Unknown = 5,
    Deadline = 6,
    Flagged = 7,
    Undetermined = 8,
    Waiting = 9,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The status of a failed call.
    pub(crate) fn of(error: &Error) -> Self {
        let delivery = if acts(error) {
            error.delivery()
        } else {
            harmless(error)
        };
        match error.kind() {
            // That the service may have acted is worse than anything else that is wrong.
            ErrorKind::ClientCertificate
            | ErrorKind::Config
            | ErrorKind::Input
            | ErrorKind::Journal
                if delivery.may_have_acted() =>
            {
                Self::Unknown
            }
            ErrorKind::ClientCertificate
            | ErrorKind::Config
            | ErrorKind::Input
            | ErrorKind::Journal => Self::Usage,
            _ if is_exhausted(error) && !delivery.may_have_acted() => Self::Usage,
            ErrorKind::File => Self::File,
            // A token that cannot be read opens nothing: the call was not made.
            ErrorKind::Decode if is_token(error) => Self::Unreachable,
            // An answer that cannot be read says that there was one.
            ErrorKind::Decode => Self::Unknown,
            ErrorKind::Timeout if is_awaited(error) => Self::Deadline,
            ErrorKind::Api
            | ErrorKind::Connect
            | ErrorKind::Connection
            | ErrorKind::Layer
            | ErrorKind::ServerCertificate
            | ErrorKind::Timeout
            | _ => match delivery {
                Delivery::Rejected => Self::Refused,
                Delivery::NotSent => Self::Unreachable,
                Delivery::Unknown | Delivery::Delivered | _ => Self::Unknown,
            },
        }
    }
}

/// Whether the token request failed, for a call or on its own.
fn is_token(error: &Error) -> bool {
    error.step() == Step::Token
        || matches!(
            error.operation(),
            Some("auth.token" | "auth.authorize_token")
        )
}

/// Whether this machine had no file descriptor left for it.
pub(crate) fn is_exhausted(error: &Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if cause.downcast_ref().is_some_and(io_error::is_exhausted) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Whether the call that failed changes anything at the service.
pub(crate) fn acts(error: &Error) -> bool {
    error.step() == Step::Call
        && matches!(
            error.operation(),
            None | Some(
                "upload.file" | "upload.complete" | "legacy.authorize" | "legacy.delete_card"
            )
        )
}

/// Whether the call that failed belongs to a wait with a deadline of its own.
fn is_awaited(error: &Error) -> bool {
    error.operation().is_some_and(|operation| {
        operation == "fraud.analysis"
            || operation.starts_with("legacy.accounts_")
            || operation.starts_with("legacy.statements")
    })
}

/// What the delivery of a call that changes nothing comes to: it was refused, or never answered.
fn harmless(error: &Error) -> Delivery {
    if error.kind() == ErrorKind::Api {
        Delivery::Rejected
    } else {
        Delivery::NotSent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_delivery_has_its_status() {
        use Delivery::{Delivered, NotSent, Rejected, Unknown};
        let rows = [
            (ErrorKind::Api, Rejected, Exit::Refused),
            (ErrorKind::Api, Unknown, Exit::Unknown),
            (ErrorKind::ClientCertificate, NotSent, Exit::Usage),
            (ErrorKind::Config, NotSent, Exit::Usage),
            (ErrorKind::Connect, NotSent, Exit::Unreachable),
            (ErrorKind::Connection, NotSent, Exit::Unreachable),
            (ErrorKind::Connection, Unknown, Exit::Unknown),
            (ErrorKind::Decode, Delivered, Exit::Unknown),
            (ErrorKind::File, NotSent, Exit::File),
            (ErrorKind::Input, NotSent, Exit::Usage),
            (ErrorKind::Journal, NotSent, Exit::Usage),
            (ErrorKind::Journal, Unknown, Exit::Unknown),
            (ErrorKind::Journal, Delivered, Exit::Unknown),
            (ErrorKind::ClientCertificate, Unknown, Exit::Unknown),
            (ErrorKind::Layer, Unknown, Exit::Unknown),
            (ErrorKind::ServerCertificate, NotSent, Exit::Unreachable),
            (ErrorKind::Timeout, NotSent, Exit::Unreachable),
            (ErrorKind::Timeout, Unknown, Exit::Unknown),
        ];
        for (kind, delivery, exit) in rows {
            let error = Error::new(kind, "").with_delivery(delivery);
            assert_eq!(Exit::of(&error), exit, "{kind:?} {delivery:?}");
        }
    }

    #[test]
    fn a_token_request_never_leaves_an_unknown_outcome() {
        for kind in [
            ErrorKind::Connection,
            ErrorKind::Timeout,
            ErrorKind::Connect,
        ] {
            let error = Error::new(kind, "")
                .with_delivery(Delivery::Unknown)
                .with_step(Step::Token);
            assert_eq!(Exit::of(&error), Exit::Unreachable, "{kind:?}");
        }
        let refused = Error::new(ErrorKind::Api, "")
            .with_delivery(Delivery::Unknown)
            .with_step(Step::Token);
        assert_eq!(Exit::of(&refused), Exit::Refused);
        let unreadable = Error::new(ErrorKind::Decode, "")
            .with_delivery(Delivery::Delivered)
            .with_step(Step::Token);
        assert_eq!(Exit::of(&unreadable), Exit::Unreachable);
        let alone = Error::new(ErrorKind::Decode, "")
            .with_delivery(Delivery::Delivered)
            .with_operation("auth.token");
        assert_eq!(Exit::of(&alone), Exit::Unreachable);
    }

    #[cfg(unix)]
    #[test]
    fn too_many_open_files_are_no_fault_of_a_file() {
        let exhausted = |kind| {
            let cause = std::io::Error::from(rustix::io::Errno::MFILE);
            Error::new(kind, "").with_source(cause)
        };
        assert_eq!(Exit::of(&exhausted(ErrorKind::File)), Exit::Usage);
        assert_eq!(Exit::of(&exhausted(ErrorKind::Connect)), Exit::Usage);
        let unknown = exhausted(ErrorKind::Connection).with_delivery(Delivery::Unknown);
        assert_eq!(Exit::of(&unknown), Exit::Unknown);
    }
}
