//! The exit statuses, and which of them an error ends in.

use std::process::ExitCode;

use flinks_transport::{Delivery, Error, ErrorKind, Step};

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
            ErrorKind::ClientCertificate
            | ErrorKind::Config
            | ErrorKind::Input
            | ErrorKind::Journal => Self::Usage,
            ErrorKind::File => Self::File,
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

/// Whether the call that failed changes anything at the service.
fn acts(error: &Error) -> bool {
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
            (ErrorKind::Journal, Unknown, Exit::Usage),
            (ErrorKind::Layer, Unknown, Exit::Unknown),
            (ErrorKind::ServerCertificate, NotSent, Exit::Unreachable),
            (ErrorKind::Timeout, NotSent, Exit::Unreachable),
            (ErrorKind::Timeout, Unknown, Exit::Unknown),
        ];
        for (kind, delivery, exit) in rows {
            let error = Error::at(kind, delivery, "");
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
            let error = Error::at(kind, Delivery::Unknown, "").in_token_step();
            assert_eq!(Exit::of(&error), Exit::Unreachable, "{kind:?}");
        }
        let refused = Error::at(ErrorKind::Api, Delivery::Unknown, "").in_token_step();
        assert_eq!(Exit::of(&refused), Exit::Refused);
        let unreadable = Error::at(ErrorKind::Decode, Delivery::Delivered, "").in_token_step();
        assert_eq!(Exit::of(&unreadable), Exit::Unknown);
    }
}
