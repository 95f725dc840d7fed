//! The `Status` and the `DocumentType` of a document in the fraud analysis.

use crate::open_enum::open_enum;

open_enum! {
    /// The status of a document's analysis.
    ///
    /// Only `COMPLETED` is documented (Upload guide, Fraud Analysis Endpoint); the others are used
    /// by similar products.
    pub DocumentStatus {
        /// The analysis is finished.
        Completed = "COMPLETED",
        /// The document was deleted. Final.
        Deleted = "DELETED",
        /// The document could not be processed. Final.
        DocumentProcessingFailed = "DOCUMENT_PROCESSING_FAILED",
        /// The analysis has not started.
        Pending = "PENDING",
        /// The analysis is in progress.
        Processing = "PROCESSING" | "IN_PROGRESS",
        /// The document could not be read. Final.
        UnableToProcess = "UNABLE_TO_PROCESS",
        /// Documents of this type are not analyzed. Final.
        Unsupported = "UNSUPPORTED",
    }
}

impl DocumentStatus {
    /// Returns whether the analysis is finished, so that its signals are complete.
    #[must_use]
    pub const fn is_completed(&self) -> bool {
        matches!(self, Self::Completed)
    }

    /// Returns whether the status is final: finished or failed. An unknown status is not.
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
    /// The type that the service assigns to an uploaded document.
    pub DocumentType {
        /// A bank statement, the only type that is checked for fraud.
        BankStatement = "BANK_STATEMENT" | "BANKSTATEMENT",
        /// Another form.
        Form = "FORM",
        /// A pay stub.
        Paystub = "PAYSTUB" | "PAY_STUB",
        /// A void cheque. It is read but never checked for fraud.
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
