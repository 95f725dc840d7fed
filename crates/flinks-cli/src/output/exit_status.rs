//! The exit statuses, and which one a failed request ends in.

use std::process::ExitCode;

use flinks_transport::{Delivery, Error, ErrorKind, Step};

use crate::output::io_error::too_many_open_files;

/// The exit statuses, which scripts rely on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    Done,
    Refused,
    Usage,
    File,
    Unreachable,
    Unknown,
    Deadline,
    Flagged,
    Undetermined,
    Waiting,
    Interrupted,
    /// The exit status of the command that `flinks sandbox` ran.
    OfCommand(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What a request was for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Request {
    /// A call of an upload session.
    Upload,
    /// Reading a fraud analysis.
    FraudAnalysis,
    /// Opening a bank session, or deleting a login.
    BankLogin,
    /// Reading the data of a bank session.
    BankData,
    /// A check of the setup by `flinks doctor`.
    Check,
}

impl Request {
    /// Whether this error may have changed something at the service. Token requests never do.
    pub(crate) fn may_change_data(self, error: &Error) -> bool {
        error.step() == Step::Call && matches!(self, Self::Upload | Self::BankLogin)
    }

    /// Whether the request is part of a wait with its own timeout.
    fn is_polled(self) -> bool {
        matches!(self, Self::FraudAnalysis | Self::BankData)
    }
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::File => 3,
            Self::Unreachable => 4,
            Self::Unknown => 5,
            Self::Deadline => 6,
            Self::Flagged => 7,
            Self::Undetermined => 8,
            Self::Waiting => 9,
            Self::Interrupted => 130,
            Self::OfCommand(code) => code,
        }
    }

    /// Returns the exit status of a ledger that could not be used.
    pub(crate) fn of_ledger(delivery: Delivery) -> Self {
        if delivery.may_have_acted() {
            Self::Unknown
        } else {
            Self::Usage
        }
    }

    /// Returns the exit status of a failed request.
    pub(crate) fn of(request: Request, error: &Error) -> Self {
        let delivery = if request.may_change_data(error) {
            error.delivery()
        } else if error.kind() == ErrorKind::Api {
            Delivery::Rejected
        } else {
            // A lost answer to a call that only reads is as good as a call that was not made.
            Delivery::NotSent
        };
        match error.kind() {
            _ if request == Request::FraudAnalysis && error.is_wait_over() => Self::Deadline,
            // That the service may have acted outweighs any other fault.
            ErrorKind::ClientCertificate | ErrorKind::Config | ErrorKind::Input
                if delivery.may_have_acted() =>
            {
                Self::Unknown
            }
            ErrorKind::ClientCertificate | ErrorKind::Config | ErrorKind::Input => Self::Usage,
            // The user or the password of the proxy is a setting.
            ErrorKind::Proxy if is_of_credentials(error) && !delivery.may_have_acted() => {
                Self::Usage
            }
            _ if too_many_open_files(error) && !delivery.may_have_acted() => Self::Usage,
            ErrorKind::Local => Self::File,
            // Without a readable token the call was not made.
            ErrorKind::Decode if error.step() == Step::Token => Self::Unreachable,
            ErrorKind::Decode => Self::Unknown,
            ErrorKind::Timeout if request.is_polled() => Self::Deadline,
            ErrorKind::Api
            | ErrorKind::Connect
            | ErrorKind::Connection
            | ErrorKind::Layer
            | ErrorKind::Proxy
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

/// Whether the proxy requires a user and password, or refuses those it got.
fn is_of_credentials(error: &Error) -> bool {
    let status = error.proxy_status().map(|status| status.as_u16());
    matches!(status, Some(401 | 407))
}

#[cfg(test)]
mod tests {
    use super::*;

    use Delivery::{Delivered, NotSent, Rejected, Unknown};

    fn exit(request: Request, kind: ErrorKind, delivery: Delivery) -> Exit {
        Exit::of(request, &Error::new(kind, "").with_delivery(delivery))
    }

    #[test]
    fn a_ledger_error_after_an_unknown_outcome_is_unknown() {
        assert_eq!(Exit::of_ledger(NotSent), Exit::Usage);
        assert_eq!(Exit::of_ledger(Unknown), Exit::Unknown);
        assert_eq!(Exit::of_ledger(Delivered), Exit::Unknown);
    }

    #[test]
    fn every_kind_and_delivery_has_its_status() {
        let rows = [
            (ErrorKind::Api, Rejected, Exit::Refused),
            (ErrorKind::Api, Unknown, Exit::Unknown),
            (ErrorKind::ClientCertificate, NotSent, Exit::Usage),
            (ErrorKind::Config, NotSent, Exit::Usage),
            (ErrorKind::Connect, NotSent, Exit::Unreachable),
            (ErrorKind::Connection, NotSent, Exit::Unreachable),
            (ErrorKind::Connection, Unknown, Exit::Unknown),
            (ErrorKind::Decode, Delivered, Exit::Unknown),
            (ErrorKind::Local, NotSent, Exit::File),
            (ErrorKind::Input, NotSent, Exit::Usage),
            (ErrorKind::ClientCertificate, Unknown, Exit::Unknown),
            (ErrorKind::Layer, Unknown, Exit::Unknown),
            (ErrorKind::ServerCertificate, NotSent, Exit::Unreachable),
            (ErrorKind::Timeout, NotSent, Exit::Unreachable),
            (ErrorKind::Timeout, Unknown, Exit::Unknown),
        ];
        for (kind, delivery, status) in rows {
            for request in [Request::Upload, Request::BankLogin] {
                assert_eq!(
                    exit(request, kind, delivery),
                    status,
                    "{kind:?} {delivery:?}"
                );
            }
        }
    }

    #[test]
    fn a_call_that_only_reads_leaves_no_unknown_outcome() {
        let rows = [
            (ErrorKind::Api, Exit::Refused, Exit::Refused),
            (ErrorKind::Connection, Exit::Unreachable, Exit::Unreachable),
            (ErrorKind::Decode, Exit::Unknown, Exit::Unknown),
            (ErrorKind::Timeout, Exit::Deadline, Exit::Unreachable),
        ];
        for (kind, polled, checked) in rows {
            for request in [Request::FraudAnalysis, Request::BankData] {
                assert_eq!(exit(request, kind, Unknown), polled, "{kind:?}");
            }
            assert_eq!(exit(Request::Check, kind, Unknown), checked, "{kind:?}");
        }
    }

    #[test]
    fn a_token_request_leaves_no_unknown_outcome() {
        let rows = [
            (ErrorKind::Connection, Exit::Unreachable),
            (ErrorKind::Timeout, Exit::Unreachable),
            (ErrorKind::Connect, Exit::Unreachable),
            (ErrorKind::Api, Exit::Refused),
            (ErrorKind::Decode, Exit::Unreachable),
        ];
        for (kind, status) in rows {
            let error = Error::new(kind, "").with_delivery(Unknown);
            let error = error.with_step(Step::Token);
            assert_eq!(Exit::of(Request::Upload, &error), status, "{kind:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn too_many_open_files_are_no_fault_of_a_file() {
        let exhausted = |kind, delivery| {
            let cause = std::io::Error::from(rustix::io::Errno::MFILE);
            let error = Error::new(kind, "").with_source(cause);
            Exit::of(Request::Upload, &error.with_delivery(delivery))
        };
        assert_eq!(exhausted(ErrorKind::Local, NotSent), Exit::Usage);
        assert_eq!(exhausted(ErrorKind::Connect, NotSent), Exit::Usage);
        assert_eq!(exhausted(ErrorKind::Connection, Unknown), Exit::Unknown);
    }
}
