//! The fraud analysis of a LoginId: the answer of the service.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::lenient::is_placeholder;
use crate::login::LoginRef;
use crate::wire::{AnyText, Shown, wire_struct};
use crate::{DataType, DocumentStatus, DocumentType, FlinksCode, LoginId, RequestId, SignalType};

/// The analysis of all documents of a LoginId, finished or not.
///
/// Source: Upload guide, Fraud Analysis Endpoint.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "AnalysisWire", into = "AnalysisWire")]
#[non_exhaustive]
pub struct FraudAnalysis {
    /// The status in the body.
    pub http_status_code: Option<u16>,
    /// The service's message. It says if nothing was found, but rely on `documents` only.
    pub message: Option<String>,
    /// The service's code. Not documented for this call; others use it for pending answers.
    pub flinks_code: Option<FlinksCode>,
    /// The login of the documents.
    pub login_id: Option<LoginId>,
    /// The id of the request.
    pub request_id: Option<RequestId>,
    /// The tag of the upload.
    pub tag: Option<String>,
    /// The analyzed documents. They have no names: nothing links them to the uploaded files. Empty
    /// if the answer has no list.
    pub documents: Vec<DocumentAnalysis>,
}

wire_struct! {
    strict struct AnalysisWire {
        http_status_code: Option<u16> = "HttpStatusCode",
        message: Option<String> = "Message",
        flinks_code: Option<FlinksCode> = "FlinksCode",
        request_id: Option<RequestId> = "RequestId",
        tag: Option<String> = "Tag",
        login: Option<LoginRef> = "Login",
        document_analysis: Vec<DocumentAnalysis> = "DocumentAnalysis",
    }
}

impl From<AnalysisWire> for FraudAnalysis {
    fn from(wire: AnalysisWire) -> Self {
        let login = wire.login.unwrap_or_default();
        Self {
            http_status_code: wire.http_status_code,
            message: wire.message,
            flinks_code: wire.flinks_code,
            request_id: login.request_id.clone().or(wire.request_id),
            tag: wire.tag.or_else(|| login.tag.clone()),
            login_id: login.into_login_id(),
            documents: wire.document_analysis,
        }
    }
}

impl From<FraudAnalysis> for AnalysisWire {
    fn from(analysis: FraudAnalysis) -> Self {
        Self {
            http_status_code: analysis.http_status_code,
            message: analysis.message,
            flinks_code: analysis.flinks_code,
            request_id: analysis.request_id,
            tag: analysis.tag,
            login: analysis.login_id.map(LoginRef::from),
            document_analysis: analysis.documents,
        }
    }
}

impl fmt::Debug for FraudAnalysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FraudAnalysis")
            .field("http_status_code", &self.http_status_code)
            .field("message", &Shown(&self.message))
            .field("flinks_code", &self.flinks_code)
            .field("login_id", &self.login_id)
            .field("request_id", &self.request_id)
            .field("tag", &Shown(&self.tag))
            .field("documents", &Shown(&self.documents))
            .finish()
    }
}

wire_struct! {
    /// The analysis of one document.
    pub strict struct DocumentAnalysis {
        /// The status of the analysis.
        pub status: Option<DocumentStatus> = "Status",
        /// The forms found in the document; `None` if the answer has no list.
        pub full_analysis: Option<Vec<FullAnalysis>> = "FullAnalysis",
    }
}

wire_struct! {
    /// The analysis of one form within a document.
    pub loose struct FullAnalysis {
        /// The type that the service assigns to the document.
        pub document_type: Option<DocumentType> = "DocumentType",
        /// The signs of fraud. Only an empty list means that there are none; `None` if the answer has no
        /// list.
        pub fraud_signals: Option<Vec<FraudSignal>> = "FraudSignals",
    }
}

wire_struct! {
    /// One sign of fraud.
    pub loose struct FraudSignal {
        /// The type: `Type` on the wire.
        pub signal_type: Option<SignalType> = "Type",
        /// The page, counted from 1; absent if the signal is about the whole document.
        pub page_number: Option<u32> = "PageNumber",
        /// The number of findings.
        pub count: Option<u32> = "Count",
        /// The evidence of each finding.
        pub underlying_data: Vec<UnderlyingData> = "UnderlyingData",
    }
}

wire_struct! {
    /// The evidence of one finding.
    pub loose struct UnderlyingData {
        /// Named values.
        pub details: Vec<Detail> = "Details",
    }
}

wire_struct! {
    /// One named value of the evidence. It may be account data: `Debug` shows only lengths.
    pub loose struct Detail {
        /// The name of the value, such as `delta`.
        pub specific_type: Option<String> = "SpecificType",
        /// The value as text; [`Detail::value()`] converts it by its type. A JSON number or boolean is
        /// kept as written.
        pub value: Option<String> = "Value" as AnyText,
        /// The type of the value.
        pub data_type: Option<DataType> = "DataType",
    }
}

impl Detail {
    /// Returns the value by its `DataType`, or as text if the text does not match the type.
    #[must_use]
    pub fn value(&self) -> SignalValue<'_> {
        let Some(text) = self.value.as_deref().filter(|text| !is_placeholder(text)) else {
            return SignalValue::Absent;
        };
        let plain = text.trim();
        let typed = match &self.data_type {
            Some(DataType::Boolean) => boolean(plain).map(SignalValue::Boolean),
            Some(DataType::Integer) => plain
                .parse()
                .map(SignalValue::Integer)
                .ok()
                .or_else(|| is_decimal(plain).then_some(SignalValue::Decimal(plain))),
            Some(DataType::Float) => is_decimal(plain).then_some(SignalValue::Decimal(plain)),
            Some(DataType::Text | DataType::Other(_)) | None => None,
        };
        typed.unwrap_or(SignalValue::Text(text))
    }
}

/// The value of a [`Detail`] by its `DataType`. `Debug` shows the variant, never the value.
#[derive(Clone, Copy, Eq, PartialEq)]
#[non_exhaustive]
pub enum SignalValue<'d> {
    /// No value: null, missing, the zero GUID or a date of year 1.
    Absent,
    /// A boolean.
    Boolean(bool),
    /// A number as text: a binary float cannot represent `0.85` exactly.
    Decimal(&'d str),
    /// A whole number.
    Integer(i64),
    /// Text, or a value that does not match its type.
    Text(&'d str),
}

impl fmt::Debug for SignalValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Boolean(_) => f.write_str("Boolean(…)"),
            Self::Decimal(text) => write!(f, "Decimal({} bytes)", text.len()),
            Self::Integer(_) => f.write_str("Integer(…)"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Whether the text is a decimal number: a sign, digits, a fraction, an exponent.
fn is_decimal(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
        && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::from_json;

    const FLAGGED: &str = r#"{ "HttpStatusCode": 200, "Tag": "T-1",
        "Login": { "LoginId": "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c", "RequestId": "c3d4e5f6" },
        "DocumentAnalysis": [ { "Status": "COMPLETED", "FullAnalysis": [ {
          "DocumentType": "BANK_STATEMENT", "FraudSignals": [ {
            "Type": "SIGNAL_TYPE", "PageNumber": 1, "Count": 2,
            "UnderlyingData": [ { "Details": [
              { "SpecificType": "delta", "Value": "0.85", "DataType": "float" } ] } ] } ] } ] } ] }"#;

    fn read(body: &str) -> FraudAnalysis {
        from_json(body.as_bytes()).unwrap()
    }

    #[test]
    fn reads_a_finding_as_the_guide_prints_it() {
        let analysis = read(FLAGGED);
        assert_eq!(
            analysis.login_id.unwrap().as_str(),
            "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c"
        );
        assert_eq!(analysis.request_id.unwrap().as_str(), "c3d4e5f6");
        assert_eq!(analysis.tag.as_deref(), Some("T-1"));
        let document = &analysis.documents[0];
        assert!(document.status.as_ref().unwrap().is_completed());
        let form = &document.full_analysis.as_ref().unwrap()[0];
        assert_eq!(form.document_type, Some(DocumentType::BankStatement));
        let signal = &form.fraud_signals.as_ref().unwrap()[0];
        assert_eq!(signal.signal_type.as_ref().unwrap().as_str(), "SIGNAL_TYPE");
        assert_eq!((signal.page_number, signal.count), (Some(1), Some(2)));
        let detail = &signal.underlying_data[0].details[0];
        assert_eq!(detail.specific_type.as_deref(), Some("delta"));
        assert!(detail.value() == SignalValue::Decimal("0.85"));
    }

    #[test]
    fn no_list_of_signals_differs_from_an_empty_one() {
        let lists = [
            (r#""FraudSignals":[]"#, Some(0)),
            (r#""FraudSignals":null"#, None),
            (r#""FraudSignals":"none""#, None),
            (r#""FraudSignals":{}"#, None),
            (r#""Other":1"#, None),
            // What cannot be read still counts.
            (r#""FraudSignals":[null]"#, Some(1)),
            (r#""FraudSignals":["EDITED",[],{}, 5]"#, Some(4)),
        ];
        for (field, signals) in lists {
            let analysis = read(&format!(
                r#"{{"DocumentAnalysis":[{{"FullAnalysis":[{{{field}}}]}}]}}"#
            ));
            let form = &analysis.documents[0].full_analysis.as_ref().unwrap()[0];
            assert_eq!(
                form.fraud_signals.as_ref().map(Vec::len),
                signals,
                "{field}"
            );
        }
        assert_eq!(
            read(r#"{"DocumentAnalysis":[{}]}"#).documents[0].full_analysis,
            None
        );
        assert_eq!(read(r#"{"DocumentAnalysis":[null,7]}"#).documents.len(), 2);
    }

    #[test]
    fn surprises_read_as_absent() {
        let bodies = [
            "{}",
            r#"{"DocumentAnalysis":null,"Login":null,"Message":null,"Tag":null}"#,
            r#"{"DocumentAnalysis":[],"Login":[],"FlinksCode":[],"HttpStatusCode":[]}"#,
            r#"{"Login":{"LoginId":"00000000-0000-0000-0000-000000000000"},"Verdict":"Trust"}"#,
        ];
        for body in bodies {
            assert_eq!(read(body), FraudAnalysis::default(), "{body}");
        }
        assert!(from_json::<FraudAnalysis>(br#"{"DocumentAnalysis":{}}"#).is_err());
        let pending = read(
            r#"{"HttpStatusCode":202,"FlinksCode":"OPERATION_PENDING","RequestId":"r-1","Login":{"Id":"l-1","Tag":"t"}}"#,
        );
        assert_eq!(pending.flinks_code, Some(FlinksCode::OperationPending));
        assert_eq!(pending.request_id.unwrap().as_str(), "r-1");
        assert_eq!(pending.login_id.unwrap().as_str(), "l-1");
        assert_eq!(pending.tag.as_deref(), Some("t"));
    }

    #[test]
    fn values_are_read_by_their_type() {
        let values = [
            (
                r#""Value":"0.850","DataType":"FLOAT""#,
                SignalValue::Decimal("0.850"),
            ),
            (
                r#""Value":0.850,"DataType":"float""#,
                SignalValue::Decimal("0.850"),
            ),
            (
                r#""Value":" -12 ","DataType":"int""#,
                SignalValue::Integer(-12),
            ),
            (r#""Value":12,"DataType":"int""#, SignalValue::Integer(12)),
            (
                r#""Value":"99999999999999999999","DataType":"int""#,
                SignalValue::Decimal("99999999999999999999"),
            ),
            (
                r#""Value":"True","DataType":"boolean""#,
                SignalValue::Boolean(true),
            ),
            (
                r#""Value":false,"DataType":"bool""#,
                SignalValue::Boolean(false),
            ),
            (
                r#""Value":"yes","DataType":"bool""#,
                SignalValue::Text("yes"),
            ),
            (
                r#""Value":"1,200.50","DataType":"float""#,
                SignalValue::Text("1,200.50"),
            ),
            (
                r#""Value":"NaN","DataType":"float""#,
                SignalValue::Text("NaN"),
            ),
            (r#""Value":"","DataType":"str""#, SignalValue::Text("")),
            (r#""Value":"7","DataType":"str""#, SignalValue::Text("7")),
            (r#""Value":7"#, SignalValue::Text("7")),
            (r#""Value":null,"DataType":"str""#, SignalValue::Absent),
            (r#""DataType":"str""#, SignalValue::Absent),
            (r#""Value":[1],"DataType":"int""#, SignalValue::Absent),
            (
                r#""Value":"0001-01-01T00:00:00","DataType":"str""#,
                SignalValue::Absent,
            ),
            (
                r#""Value":"00000000-0000-0000-0000-000000000000""#,
                SignalValue::Absent,
            ),
        ];
        for (fields, value) in values {
            let detail: Detail = serde_json::from_str(&format!("{{{fields}}}")).unwrap();
            assert!(detail.value() == value, "{fields}: {:?}", detail.value());
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let body = r#"{"Message":"CANARY-4711","FlinksCode":"CANARY-4711","Tag":"CANARY-4711","RequestId":"CANARY-4711",
            "Login":{"LoginId":"CANARY-4711","RequestId":"CANARY-4711","Tag":"CANARY-4711"},
            "DocumentAnalysis":[{"Status":"CANARY-4711","FullAnalysis":[{"DocumentType":"CANARY-4711",
            "FraudSignals":[{"Type":"CANARY-4711","PageNumber":1,"Count":1,"UnderlyingData":[{"Details":[
            {"SpecificType":"CANARY-4711","Value":"CANARY-4711","DataType":"CANARY-4711"},
            {"SpecificType":"CANARY-4711","Value":"4711","DataType":"int"}]}]}]}]}]}"#;
        let analysis = read(body);
        let details = &analysis.documents[0].full_analysis.as_ref().unwrap()[0]
            .fraud_signals
            .as_ref()
            .unwrap()[0]
            .underlying_data[0]
            .details;
        assert_eq!(details.len(), 2);
        let values: Vec<_> = details.iter().map(Detail::value).collect();
        let shown = format!("{analysis:?}{analysis:#?}{values:?}{values:#?}");
        assert!(
            !shown.contains("CANARY-") && !shown.contains("4711"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn an_exact_number_stays_exact(number in "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,20}") {
            let json = format!(r#"{{"Value":{number},"DataType":"float"}}"#);
            let detail: Detail = serde_json::from_str(&json).unwrap();
            prop_assert!(detail.value() == SignalValue::Decimal(&number));
        }

        #[test]
        fn an_answer_with_one_byte_changed_is_read_or_refused(at in 0..FLAGGED.len(), byte in any::<u8>()) {
            let mut body = FLAGGED.as_bytes().to_vec();
            body[at] = byte;
            if let Ok(analysis) = from_json::<FraudAnalysis>(&body) {
                drop(format!("{analysis:?}"));
            }
        }
    }
}
