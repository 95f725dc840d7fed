//! What the report says of one borrower.

use flinks_fraud::Verdict;
use flinks_types::text::escaped;
use flinks_upload::{AggregationId, Completed, LoginId};
use serde_json::{Map, Value, json};

use crate::output::error::CliError;
use crate::output::exit_status::Exit;

/// How far a borrower is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Status {
    /// Not decided yet: the same command continues.
    #[default]
    Pending,
    Completed,
    /// The same command tries again.
    Failed,
    /// The service may have acted: a person has to decide.
    Unknown,
}

impl Status {
    pub(crate) const ALL: [Self; 4] = [Self::Completed, Self::Failed, Self::Unknown, Self::Pending];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// A verdict that was read in this run or an earlier one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KnownVerdict {
    /// `clean`, `flagged` or `undetermined`.
    pub(crate) name: String,
    /// Why it is undetermined.
    pub(crate) reason: Option<String>,
}

impl KnownVerdict {
    pub(crate) const CLEAN: &str = "clean";
    pub(crate) const FLAGGED: &str = "flagged";

    /// Whether it stays as it is.
    pub(crate) fn is_final(&self) -> bool {
        self.name == Self::CLEAN || self.name == Self::FLAGGED
    }
}

impl From<&Verdict> for KnownVerdict {
    fn from(verdict: &Verdict) -> Self {
        let reason = if let Verdict::Undetermined(reason) = verdict {
            Some(reason.to_string())
        } else {
            None
        };
        Self {
            name: verdict.as_str().to_owned(),
            reason,
        }
    }
}

/// Why a borrower is not completed, or its verdict not read.
#[derive(Clone, Debug)]
pub(crate) struct RowError {
    pub(crate) exit: Exit,
    message: String,
    /// The fields of the JSON output of `flinks upload`.
    fields: Map<String, Value>,
}

impl From<&CliError> for RowError {
    fn from(error: &CliError) -> Self {
        let fields = error.to_json().as_object().cloned().unwrap_or_default();
        Self {
            exit: error.exit(),
            message: error.message(),
            fields,
        }
    }
}

/// One row of the report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) status: Status,
    pub(crate) aggregation_id: Option<AggregationId>,
    pub(crate) login_id: Option<LoginId>,
    /// The number of files in the completed session.
    pub(crate) files: usize,
    abandoned: Vec<AggregationId>,
    abandoned_unnamed: u64,
    pub(crate) verdict: Option<KnownVerdict>,
    pub(crate) error: Option<RowError>,
}

impl Row {
    /// A borrower whose session is completed.
    pub(crate) fn completed(completed: Completed) -> Self {
        Self {
            status: Status::Completed,
            aggregation_id: Some(completed.aggregation_id),
            login_id: Some(completed.login_id),
            files: completed.files.len(),
            abandoned: completed.abandoned,
            abandoned_unnamed: completed.abandoned_unknown,
            ..Self::default()
        }
    }

    /// A borrower whose upload ended in this error.
    pub(crate) fn failed(aggregation_id: Option<AggregationId>, error: &CliError) -> Self {
        let error = RowError::from(error);
        let status = if error.exit == Exit::Unknown {
            Status::Unknown
        } else {
            Status::Failed
        };
        Self {
            status,
            aggregation_id,
            error: Some(error),
            ..Self::default()
        }
    }

    /// Returns the exit status of this row. `wait` and `fail_on_flagged` are the options.
    pub(crate) fn exit(&self, wait: bool, fail_on_flagged: bool) -> Exit {
        if let Some(error) = &self.error {
            return error.exit;
        }
        match &self.verdict {
            Some(_) if self.is_flagged() && fail_on_flagged => Exit::Flagged,
            Some(verdict) if !verdict.is_final() && wait => Exit::Undetermined,
            _ => Exit::Done,
        }
    }

    pub(crate) fn is_flagged(&self) -> bool {
        let verdict = self.verdict.as_ref();
        verdict.is_some_and(|verdict| verdict.name == KnownVerdict::FLAGGED)
    }

    /// Whether a person should look at it.
    pub(crate) fn needs_a_person(&self) -> bool {
        let is_clean = |verdict: &KnownVerdict| verdict.name == KnownVerdict::CLEAN;
        self.error.is_some()
            || self
                .verdict
                .as_ref()
                .is_some_and(|verdict| !is_clean(verdict))
    }

    /// Returns what is wrong, in one line: the error, or why the verdict is undetermined.
    pub(crate) fn error_text(&self) -> String {
        let error = self.error.as_ref().map(|error| error.message.as_str());
        let reason = || {
            self.verdict
                .as_ref()
                .and_then(|verdict| verdict.reason.as_deref())
        };
        escaped(error.or_else(reason).unwrap_or_default()).into_owned()
    }

    /// Returns why there is no analysis to show.
    pub(crate) fn outcome_text(&self) -> String {
        let text = self.error_text();
        if text.is_empty() {
            self.status.as_str().to_owned()
        } else {
            format!("{}: {text}", self.status.as_str())
        }
    }

    /// Returns the path of the ledger to resume from by hand, if the row has one.
    pub(crate) fn ledger(&self) -> Option<&str> {
        self.error.as_ref()?.fields.get("ledger")?.as_str()
    }

    pub(crate) fn to_json(&self, id: &str) -> Value {
        let mut object = Map::new();
        let mut set = |key: &str, value: Value| {
            if !value.is_null() {
                object.insert(key.to_owned(), value);
            }
        };
        set("id", json!(id));
        set("status", json!(self.status.as_str()));
        let aggregation_id = self.aggregation_id.as_ref();
        set(
            "aggregation_id",
            json!(aggregation_id.map(AggregationId::as_str)),
        );
        set(
            "login_id",
            json!(self.login_id.as_ref().map(LoginId::as_str)),
        );
        let verdict = self.verdict.as_ref();
        set("verdict", json!(verdict.map(|verdict| &verdict.name)));
        set(
            "reason",
            json!(verdict.and_then(|verdict| verdict.reason.as_ref())),
        );
        if !self.abandoned.is_empty() || self.abandoned_unnamed > 0 {
            let ids: Vec<_> = self.abandoned.iter().map(AggregationId::as_str).collect();
            set("abandoned", json!(ids));
            set("abandoned_unnamed", json!(self.abandoned_unnamed));
        }
        if let Some(error) = &self.error {
            object.extend(error.fields.clone());
        }
        Value::Object(object)
    }
}

/// The exit statuses of a batch, the worst first.
const WORST_FIRST: [Exit; 9] = [
    Exit::Unknown,
    Exit::Usage,
    Exit::Refused,
    Exit::Unreachable,
    Exit::File,
    Exit::Deadline,
    Exit::Undetermined,
    Exit::Flagged,
    Exit::Done,
];

/// Returns the worst of these exit statuses.
pub(crate) fn worst(exits: impl IntoIterator<Item = Exit>) -> Exit {
    let place = |exit: &Exit| WORST_FIRST.iter().position(|other| other == exit);
    exits.into_iter().min_by_key(place).unwrap_or(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_row_decides_the_exit_status() {
        let verdict = |name: &str| Row {
            status: Status::Completed,
            verdict: Some(KnownVerdict {
                name: name.to_owned(),
                reason: None,
            }),
            ..Row::default()
        };
        let exit = |rows: &[Row]| worst(rows.iter().map(|row| row.exit(true, true)));
        assert_eq!(exit(&[]), Exit::Done);
        let mut rows = vec![verdict("clean"), Row::default()];
        assert_eq!(exit(&rows), Exit::Done);
        let settings = CliError::settings("missing");
        for (row, expected) in [
            (verdict("flagged"), Exit::Flagged),
            (verdict("undetermined"), Exit::Undetermined),
            (Row::failed(None, &settings), Exit::Usage),
        ] {
            rows.push(row);
            assert_eq!(exit(&rows), expected);
        }
        assert_eq!(verdict("flagged").exit(true, false), Exit::Done);
        assert_eq!(verdict("undetermined").exit(false, true), Exit::Done);
    }
}
