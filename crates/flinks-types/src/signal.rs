//! The `Type` of a fraud signal and the `DataType` of its details.

use crate::open_enum::open_enum;

open_enum! {
    /// The type of a fraud signal.
    ///
    /// Flinks documents the names in its dashboard, not those on the wire: expect `Other` as often
    /// as a known variant.
    pub SignalType {
        /// An account number, a name or an address was altered.
        AccountInformationEdits = "Account information edits",
        /// A date was altered.
        DateEdits = "Date edits",
        /// The description of a transaction was altered.
        DescriptionEdits = "Description edits",
        /// An amount or a balance was altered.
        DollarAmountEdits = "Dollar amount edits",
        /// The document's metadata names an editor.
        EditingSoftwareDetected = "Editing software detected",
        /// A section for transactions is empty.
        EmptyTransactionData = "Empty transaction data",
        /// Text is misaligned.
        MisalignedText = "Misaligned text",
        /// Transactions are missing.
        MissingTransactionData = "Missing transaction data",
        /// The running balances do not add up.
        UnreconciledBalances = "Unreconciled balances",
        /// The document was not produced the way banks produce theirs. A statement printed to a PDF
        /// gives the same signal.
        UnusualDocumentSource = "Unusual document source",
    }
}

open_enum! {
    /// The type of a detail's `Value`, which is text on the wire.
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
