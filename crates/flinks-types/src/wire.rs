//! Structs of the service's JSON: how each type of field is read, written and printed by `Debug`.
//!
//! A field's type decides how it is read, so that a struct lists its fields and no more. Each field
//! is read from its raw JSON text: that keeps the exact text of numbers, and a surprise inside one
//! field never fails the other fields. The raw text is borrowed from the whole answer, so that
//! nesting copies nothing.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::value::RawValue;

use crate::lenient::{is_placeholder, text_of, whole};
use crate::shown::Length;
use crate::status::status_of;

/// The expected type of a field, for errors. They never quote the value.
pub(crate) type Expected = &'static str;

/// The type of a field: `Option` or a collection, so that every field can be absent.
pub(crate) trait Field: Sized {
    /// Reads the field. Another type is an error only where absence would be misleading.
    fn read(json: &RawValue) -> Result<Self, Expected>;

    /// Whether the field is left out of the JSON.
    fn is_absent(&self) -> bool;

    /// What `Debug` of the struct shows.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// A value that a field holds once or not at all.
pub(crate) trait Value: fmt::Debug + Sized {
    fn read(json: &RawValue) -> Result<Option<Self>, Expected>;

    fn show(value: &Option<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(value, f)
    }
}

impl<T: Value> Field for Option<T> {
    fn read(json: &RawValue) -> Result<Self, Expected> {
        T::read(json)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::show(self, f)
    }
}

/// Text; an empty one is absent.
impl Value for String {
    fn read(json: &RawValue) -> Result<Option<Self>, Expected> {
        Ok(text_of(json.get()).filter(|text| !text.is_empty()))
    }

    fn show(value: &Option<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Length::of(value), f)
    }
}

/// A status in any of its spellings: every field with 16 bits is an `HttpStatusCode`.
impl Value for u16 {
    fn read(json: &RawValue) -> Result<Option<Self>, Expected> {
        Ok(text_of(json.get()).and_then(|text| status_of(&text)))
    }
}

/// A count or a page: a whole number, as a number or as text.
impl Value for u32 {
    fn read(json: &RawValue) -> Result<Option<Self>, Expected> {
        Ok(text_of(json.get()).and_then(|text| whole(&text)))
    }
}

/// `true` or `false`, also as text.
impl Value for bool {
    fn read(json: &RawValue) -> Result<Option<Self>, Expected> {
        Ok(text_of(json.get()).and_then(|text| {
            [("true", true), ("false", false)]
                .into_iter()
                .find_map(|(word, flag)| word.eq_ignore_ascii_case(&text).then_some(flag))
        }))
    }
}

/// An id: strings only, and neither the zero GUID nor a text that cannot be an id.
pub(crate) fn read_id<T: DeserializeOwned>(json: &RawValue) -> Option<T> {
    let text = text_of(json.get())?;
    let id = (!is_placeholder(&text)).then_some(json)?;
    serde_json::from_str(id.get()).ok()
}

/// A struct inside another.
pub(crate) trait Object: DeserializeOwned + Default + fmt::Debug {
    /// Whether JSON of another type is an error: an object in place of a list must not read as "no
    /// accounts". Otherwise it reads as absent.
    const STRICT: bool;
}

/// An object; null is absent.
pub(crate) fn read_object<T: Object>(json: &RawValue) -> Result<Option<T>, Expected> {
    match json.get().as_bytes() {
        [b'{', ..] => element(json).map(Some),
        b"null" => Ok(None),
        _ if !T::STRICT => Ok(None),
        _ => Err("expected an object"),
    }
}

/// A list; null is absent.
impl<T: Object> Field for Option<Vec<T>> {
    fn read(json: &RawValue) -> Result<Self, Expected> {
        match serde_json::from_str::<Vec<&RawValue>>(json.get()) {
            Ok(elements) => elements
                .into_iter()
                .map(element)
                .collect::<Result<_, _>>()
                .map(Some),
            Err(_) if !T::STRICT || json.get() == "null" => Ok(None),
            Err(_) => Err("expected a list"),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            None => f.write_str("absent"),
            Some(list) => list.show(f),
        }
    }
}

/// A list of which an absent one and an empty one mean the same.
impl<T: Object> Field for Vec<T> {
    fn read(json: &RawValue) -> Result<Self, Expected> {
        Option::<Self>::read(json).map(Option::unwrap_or_default)
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    /// A long list only by its length: an account can have thousands of transactions.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len() > 20 {
            write!(f, "{} elements", self.len())
        } else {
            f.debug_list().entries(self).finish()
        }
    }
}

/// An element that is not an object stays in its list as an empty one: a signal that cannot be read
/// must not make a document look as if it had none.
fn element<T: Object>(json: &RawValue) -> Result<T, Expected> {
    if !json.get().starts_with('{') {
        return Ok(T::default());
    }
    match serde_json::from_str(json.get()) {
        Ok(object) => Ok(object),
        Err(_) if !T::STRICT => Ok(T::default()),
        // The text of the cause may quote what is there.
        Err(_) => Err("a field has another type"),
    }
}

/// Reads a field, for serde's `deserialize_with`.
pub(crate) fn read<'de, D: Deserializer<'de>, T: Field>(deserializer: D) -> Result<T, D::Error> {
    T::read(<&'de RawValue>::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Reads a text of which an empty one is not absent, for serde's `deserialize_with`.
pub(crate) fn read_any_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(text_of(<&RawValue>::deserialize(deserializer)?.get()))
}

/// Whether a field is left out, for serde's `skip_serializing_if`.
pub(crate) fn is_absent<T: Field>(field: &T) -> bool {
    field.is_absent()
}

/// A field in the `Debug` output of its struct: shape and length, never text.
pub(crate) struct Shown<'f, T>(pub(crate) &'f T);

impl<T: Field> fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

/// Defines a struct of the service's JSON: `strict`, if JSON of another type in its place is an
/// error (see [`Object::STRICT`]), or `loose`.
///
/// Field names are the service's in snake case. Every field is optional. The struct reads and writes
/// JSON, and its `Debug` shows lengths of texts only.
macro_rules! wire_struct {
    ($(#[$meta:meta])* $vis:vis strict struct $($rest:tt)+) => {
        $crate::wire::wire_struct! { @ true [$(#[$meta])*] [$vis] $($rest)+ }
    };
    ($(#[$meta:meta])* $vis:vis loose struct $($rest:tt)+) => {
        $crate::wire::wire_struct! { @ false [$(#[$meta])*] [$vis] $($rest)+ }
    };
    (
        @ $strict:literal [$(#[$meta:meta])*] [$vis:vis] $name:ident {
            $( $(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
        #[serde(rename_all = "PascalCase", default)]
        #[non_exhaustive]
        $vis struct $name {
            $(
                $(#[$field_meta])*
                #[serde(
                    deserialize_with = "crate::wire::read",
                    skip_serializing_if = "crate::wire::is_absent"
                )]
                $field_vis $field: $type,
            )+
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $( .field(
                        stringify!($field).trim_start_matches("r#"),
                        &$crate::wire::Shown(&self.$field),
                    ) )+
                    .finish()
            }
        }

        impl $crate::wire::Object for $name {
            const STRICT: bool = $strict;
        }

        impl $crate::wire::Value for $name {
            fn read(
                json: &serde_json::value::RawValue,
            ) -> Result<Option<Self>, $crate::wire::Expected> {
                $crate::wire::read_object(json)
            }
        }
    };
}

pub(crate) use wire_struct;

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{
        AccountsResponse, ApiError, AuthorizeResponse, CompleteResponse, FraudAnalysis,
        InstitutionsResponse, MfaQuestionsResponse, NightlyStatusResponse, StatementsResponse,
        UploadResponse, from_json,
    };

    /// Returns what an answer is written as; it reads as the same answer, and `Debug` hides its texts.
    fn written<T: DeserializeOwned + Serialize + PartialEq + fmt::Debug>(body: &Json) -> Json {
        let answer: T = from_json(body.to_string().as_bytes()).unwrap();
        let json = serde_json::to_vec(&answer).unwrap();
        assert_eq!(from_json::<T>(&json).unwrap(), answer);
        let debug = format!("{answer:?} {answer:#?}");
        for text in ["canary", "CANARY", "4711", "2025"] {
            assert!(!debug.contains(text), "{text} is in {debug}");
        }
        let empty: T = from_json(b"{}").unwrap();
        assert_eq!(serde_json::to_string(&empty).unwrap(), "{}");
        serde_json::from_slice(&json).unwrap()
    }

    #[test]
    fn every_known_field_is_written_under_the_service_s_name() {
        let login = json!({"Id": "b0debb48", "Username": "canary u", "IsScheduledRefresh": false,
            "LastRefresh": "2025-01-31T10:00:00.1234567", "Type": "Personal"});
        let head = json!({"HttpStatusCode": 200, "FlinksCode": "CANARY_CODE", "RequestId": "006fd2f3",
            "Login": login, "Institution": "canary capital"});
        let session = json!({"InstitutionName": "canary Capital", "InstitutionId": 14, "Tag": "canary t",
            "Links": [{"rel": "AccountsDetail", "href": "/canary", "example": "/canary/x"}]});
        let with = |parts: &[&Json]| -> Json {
            let fields = parts.iter().filter_map(|part| part.as_object()).flatten();
            Json::Object(
                fields
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            )
        };

        let accounts = json!({"Accounts": [{"Id": "a1", "Title": "Chequing", "AccountNumber": "canary 1",
            "LastFourDigits": "2", "TransitNumber": "3", "InstitutionNumber": "777",
            "OverdraftLimit": "0", "Category": "Operations", "Type": "Chequing",
            "AccountType": "Personal", "Currency": "CAD",
            "Balance": {"Available": "1.10", "Current": "-0.00", "Limit": "1e2"},
            "Holder": {"Name": "canary n", "Email": "canary e", "PhoneNumber": "canary p", "Address": {"CivicAddress": "canary c",
                "City": "canary c", "Province": "canary p", "PostalCode": "canary p", "POBox": "canary b", "Country": "CA"}},
            "Transactions": [{"Id": "canary t", "Date": "2025-01-31", "Code": "42", "Description": "canary d",
                "Debit": "1.00", "Credit": "2.50", "Balance": "4711.1000"}, {}],
            "EftEligibleRatio": "0.95", "ETransferEligibleRatio": "1"}]});
        let statements = json!({"StatementsByAccount": [{"AccountNumber": "canary 1", "Statements":
            [{"UniqueId": "0a", "FileType": "PDF", "Base64Bytes": "canary="}]}]});
        let asks = json!({"Message": "canary m", "ValidationDetails": {"Password": ["canary short"]},
            "SecurityChallenges": [{"Type": "MultipleChoice", "Prompt": " canary ", "Iterables": ["canary a", "canary b"]}]});
        let institutions = json!({"Data": [{"Id": 1, "Status": "Enabled", "Country": "CA",
            "Localizations": [{"Language": "en", "Name": "canary n",
                "Urls": [{"Type": "Main", "Url": "https://canary.example"}]}]}], "Count": 249});
        let nightly = json!({"Message": "canary m", "IneligibleCards": [{"LoginId": "b0",
            "LastRefreshDate": "2018-05-23T15:10:00", "LastRefreshState": "Done",
            "LastRefreshErrorCode": "INVALID_LOGIN"}]});
        let questions = json!({"Message": "canary m", "Questions": [{"Question": "canary q"}, {}]});
        let documents = json!({"HttpStatusCode": 200, "Message": "canary m", "FlinksCode": "OK",
            "RequestId": "canary r", "Tag": "canary t", "Login": {"Id": "b0"}, "DocumentAnalysis": [{
                "Status": "COMPLETED", "FullAnalysis": [{"DocumentType": "BANK_STATEMENT",
                "FraudSignals": [{"Type": "Date edits", "PageNumber": 2, "Count": 1,
                    "UnderlyingData": [{"Details": [{"SpecificType": "canary delta", "Value": "",
                        "DataType": "str"}]}]}]}]}, {"FullAnalysis": []}]});
        let code = json!({"HttpStatusCode": 200, "FlinksCode": "OK"});
        let complete = json!({"HttpStatusCode": 200, "AggregationId": "d5", "Login": {"Id": "b0"},
            "Message": "canary m"});
        let upload = json!({"HttpStatusCode": 203, "AggregationId": "d5", "Message": "canary m"});

        let body = with(&[&head, &session, &accounts]);
        assert_eq!(written::<AccountsResponse>(&body), body);
        let body = with(&[&head, &statements]);
        assert_eq!(written::<StatementsResponse>(&body), body);
        let body = with(&[&head, &session, &asks]);
        assert_eq!(written::<AuthorizeResponse>(&body), body);
        let body = with(&[&code, &questions]);
        assert_eq!(written::<MfaQuestionsResponse>(&body), body);
        let body = with(&[&code, &nightly]);
        assert_eq!(written::<NightlyStatusResponse>(&body), body);
        assert_eq!(written::<InstitutionsResponse>(&institutions), institutions);
        assert_eq!(written::<FraudAnalysis>(&documents), documents);
        assert_eq!(written::<CompleteResponse>(&complete), complete);
        assert_eq!(written::<UploadResponse>(&upload), upload);

        let error = json!({"HttpStatusCode": 401, "FlinksCode": "UNAUTHORIZED", "Message": "m",
            "RequestId": "r", "error": "invalid_client", "error_description": "d",
            "ValidationDetails": {"Password": ["too short"]}, "Login": {"Id": "b0"}});
        let read = ApiError::from_body(error.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), error);
    }

    #[test]
    fn amounts_are_written_digit_for_digit() {
        let body =
            br#"{"Accounts":[{"Balance":{"Available":1.10,"Current":-0.00,"Limit":"1,5"}}]}"#;
        let answer: AccountsResponse = from_json(body).unwrap();
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"Accounts":[{"Balance":{"Available":"1.10","Current":"-0.00","Limit":"1,5"}}]}"#
        );
    }
}
