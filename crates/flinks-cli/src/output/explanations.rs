//! What a signal and a verdict mean in plain words, and what to do next: for the terminal and the page.

use flinks_fraud::{Reason, Verdict};
use flinks_types::SignalType;

/// What something means, and what to do next.
#[derive(Clone, Copy)]
pub(crate) struct Explanation {
    pub(crate) meaning: &'static str,
    pub(crate) next: &'static str,
}

/// What is true of all details of signals.
pub(crate) const DETAILS: &str =
    "Flinks does not document what details such as \"delta\" measure, nor their currency.";

/// What is true of all documents of an analysis.
pub(crate) const ORDER: &str =
    "The service does not say which file a document is; its order may differ.";

/// What to do where there is no analysis.
pub(crate) const NO_VERDICT: Explanation = Explanation {
    meaning: "This is not a clean result: there is no analysis.",
    next: "Solve the cause and run the command again. What has a LoginId is uploaded: read its \
           analysis with flinks fraud, and do not upload it again.",
};

/// Explains a signal; `None` if Flinks does not document its type.
pub(crate) fn documented_signal(kind: &SignalType) -> Option<Explanation> {
    let (meaning, next) = match kind {
        SignalType::AccountInformationEdits => (
            "An account number, a name or an address was altered.",
            "Compare them with the application and with another proof of the account, such as a void \
             cheque.",
        ),
        SignalType::DateEdits => (
            "A date was altered.",
            "Check that the dates are in order and within the statement's period, and that the period \
             continues the statement before it.",
        ),
        SignalType::DescriptionEdits => (
            "The text of a transaction was altered.",
            "Compare payers and payees on the page with pay stubs and other statements.",
        ),
        SignalType::DollarAmountEdits => (
            "An amount or a balance was altered.",
            "Recalculate the balances around it, and compare deposits with pay stubs.",
        ),
        SignalType::EditingSoftwareDetected => (
            "The document's metadata names an editing program.",
            "Ask for the file as it was downloaded from the bank, and compare.",
        ),
        SignalType::EmptyTransactionData => (
            "A transaction section is empty.",
            "Find out whether the account had no activity or pages are missing; ask for the whole \
             statement.",
        ),
        SignalType::MisalignedText => (
            "Text is not aligned with its surroundings.",
            "Enlarge the page, and compare fonts and spacing with the lines around.",
        ),
        SignalType::MissingTransactionData => (
            "Transactions that should be there are missing.",
            "Check page numbers and balances for gaps; ask for the whole statement.",
        ),
        SignalType::UnreconciledBalances => (
            "The running balances do not match the transactions.",
            "Add up the transactions from the opening to the closing balance, and ask about a \
             difference.",
        ),
        SignalType::UnusualDocumentSource => (
            "The document was not created as banks create theirs. Printing to a PDF, a common false \
             alarm, has the same effect.",
            "Ask how the file was made, and for the file as it was downloaded from the bank.",
        ),
        SignalType::Other(_) | _ => return None,
    };
    Some(Explanation { meaning, next })
}

/// Explains a signal.
pub(crate) fn signal(kind: Option<&SignalType>) -> Explanation {
    let unknown = Explanation {
        meaning: "Flinks does not document this signal.",
        next: "Look at the document yourself, and ask Flinks what the signal means.",
    };
    kind.and_then(documented_signal).unwrap_or(unknown)
}

/// Explains a verdict.
pub(crate) fn verdict(verdict: &Verdict) -> Explanation {
    match verdict {
        Verdict::Clean => Explanation {
            meaning: "Every document was checked, and no signal was found. This does not prove that \
                      the documents are genuine.",
            next: "Continue with your other checks.",
        },
        Verdict::Flagged(_) => Explanation {
            meaning: "A signal is a reason to look, not a proof of fraud.",
            next: "Open the documents at the pages named, do what each signal calls for, and record \
                   what you find.",
        },
        Verdict::Undetermined(reason) => Explanation {
            meaning: "This is not a clean result: no signal was found, but not everything was checked.",
            next: undetermined(reason),
        },
        _ => Explanation {
            meaning: "This version does not know the verdict.",
            next: "Install a newer version of flinks.",
        },
    }
}

fn undetermined(reason: &Reason) -> &'static str {
    match reason {
        Reason::NoDocuments
        | Reason::Pending { .. }
        | Reason::StillProcessing
        | Reason::FewerDocuments { .. } => {
            "Read the analysis again later: processing can take up to four hours. If the verdict \
             stays, review the documents yourself, and ask Flinks."
        }
        Reason::Failed { .. } => {
            "Open the document: if it is damaged, protected by a password or hard to read, ask for \
             another copy and upload that. Otherwise review it yourself."
        }
        Reason::NotAnalyzed { .. } | Reason::NotChecked { .. } => {
            "Review this document yourself, or ask for a bank statement in its place."
        }
        Reason::Contradictory
        | Reason::PartialAnswer { .. }
        | Reason::UnknownCode
        | Reason::UnknownField
        | _ => {
            "Read the analysis again. If the verdict stays, review the documents yourself, and ask \
             Flinks what the answer means; --json prints it."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_signal_is_explained() {
        for kind in SignalType::KNOWN {
            assert!(documented_signal(kind).is_some(), "{kind:?}");
        }
        let unknown = signal(Some(&SignalType::from("SIGNAL_TYPE")));
        assert!(unknown.meaning.contains("not document"));
    }
}
