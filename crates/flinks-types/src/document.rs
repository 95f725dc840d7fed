//! What the fraud analysis calls a document's `Status` and `DocumentType`.

use crate::open_enum::open_enum;

open_enum! {
    /// How far the analysis of a document is.
    ///
    /// Only `COMPLETED` is documented (Upload guide, Fraud Analysis Endpoint); the others are the
    /// words of products alike.
    pub DocumentStatus {
        /// The analysis is finished.
        Completed = "COMPLETED",
        /// The document is gone. Final.
        Deleted = "DELETED",
        /// The document could not be processed. Final.
        DocumentProcessingFailed = "DOCUMENT_PROCESSING_FAILED",
        /// The analysis has not begun.
        Pending = "PENDING",
        /// The analysis is under way.
        Processing = "PROCESSING" | "IN_PROGRESS",
        /// The document could not be read. Final.
        UnableToProcess = "UNABLE_TO_PROCESS",
        /// Documents of this kind are not analysed. Final.
        Unsupported = "UNSUPPORTED",
    }
}

impl DocumentStatus {
    /// Whether the analysis is finished and its signals can be relied on.
    #[must_use]
    pub const fn is_completed(&self) -> bool {
        matches!(self, Self::Completed)
    }

    /// Whether waiting longer changes nothing: finished or failed. Unknown words are not final.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        match self {
            Self::Completed
            | Self::Deleted
            | Self::DocumentProcessingFailed
            | Self::UnableToProcess
            | Self::Unsupported => true,
            Self::Pending | Self::Processing | Self::Other(_) => false,
        }
    }
}

open_enum! {
    /// What kind of document the service takes an uploaded one for.
    pub DocumentType {
        /// A bank statement: the one kind that is checked for fraud.
        BankStatement = "BANK_STATEMENT" | "BANKSTATEMENT",
        /// A form of another kind.
        Form = "FORM",
        /// A pay stub.
        Paystub = "PAYSTUB" | "PAY_STUB",
        /// A void cheque: read, but never checked for fraud.
        VoidCheque = "VOID_CHEQUE" | "VOIDCHEQUE" | "VOID_CHECK" | "VOIDCHECK",
        /// A W-2 wage statement.
        W2 = "W2" | "W_2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_completed_counts_as_completed() {
        let statuses = [
            ("completed", true, true),
            ("Completed", true, true),
            ("PENDING", false, false),
            ("in progress", false, false),
            ("Document_Processing_Failed", false, true),
            ("UNABLE_TO_PROCESS", false, true),
            ("unsupported", false, true),
            ("DELETED", false, true),
            ("COMPLETED ", false, false),
            ("NOT_COMPLETED", false, false),
            ("", false, false),
        ];
        for (text, completed, terminal) in statuses {
            let status = DocumentStatus::from(text);
            assert_eq!(
                (status.is_completed(), status.is_terminal()),
                (completed, terminal),
                "{text}"
            );
        }
    }

    #[test]
    fn a_void_cheque_is_known_in_any_spelling() {
        for text in ["VOID_CHEQUE", "VoidCheque", "void cheque", "Void-Check"] {
            assert_eq!(DocumentType::from(text), DocumentType::VoidCheque, "{text}");
        }
    }
}
