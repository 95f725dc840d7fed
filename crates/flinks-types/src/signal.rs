//! What the fraud analysis calls a signal's `Type` and a detail's `DataType`.

use crate::open_enum::open_enum;

open_enum! {
    /// What a fraud signal is about.
    ///
    /// Flinks publishes names for its dashboard, not the words on the wire, so expect `Other`
    /// with the raw text as often as a known variant.
    pub SignalType {
        /// An account number, a name or an address was altered.
        AccountInformationEdits = "Account information edits",
        /// A date was altered.
        DateEdits = "Date edits",
        /// The text of a transaction was altered.
        DescriptionEdits = "Description edits",
        /// An amount or a balance was altered.
        DollarAmountEdits = "Dollar amount edits",
        /// The document's metadata names an editor.
        EditingSoftwareDetected = "Editing software detected",
        /// A section for transactions is there but empty.
        EmptyTransactionData = "Empty transaction data",
        /// Text is out of line.
        MisalignedText = "Misaligned text",
        /// Transactions that should be there are missing.
        MissingTransactionData = "Missing transaction data",
        /// The running totals do not add up.
        UnreconciledBalances = "Unreconciled balances",
        /// The document was not made the way banks make theirs. A statement printed to a PDF
        /// looks the same.
        UnusualDocumentSource = "Unusual document source",
    }
}

open_enum! {
    /// How a detail's `Value`, which is always text on the wire, is meant.
    pub DataType {
        /// `true` or `false`.
        Boolean = "bool" | "boolean",
        /// A number with decimals.
        Float = "float" | "double" | "decimal",
        /// A whole number.
        Integer = "int" | "integer",
        /// Text.
        Text = "str" | "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_name_and_by_identifier() {
        for text in ["Editing software detected", "EDITING_SOFTWARE_DETECTED"] {
            assert_eq!(SignalType::from(text), SignalType::EditingSoftwareDetected);
        }
        assert_eq!(SignalType::from("SIGNAL_TYPE").as_str(), "SIGNAL_TYPE");
        assert_eq!(DataType::from("Boolean"), DataType::Boolean);
        assert_eq!(DataType::from("datetime").as_str(), "datetime");
    }
}
