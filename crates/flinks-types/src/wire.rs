//! Structs of the service's JSON: how each type of field is read, written and printed by `Debug`.
//!
//! A field's type decides how it is read, so that a struct lists its fields and no more. An answer is
//! read in one pass. Texts and numbers are read from their raw JSON, which keeps the exact text of
//! numbers, and in which a surprise never fails the other fields.

mod containers;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer};
use serde_json::value::RawValue;

use crate::lenient::{is_placeholder, text_of, whole};
use crate::shown::Length;
use crate::status::status_of;

pub(crate) use containers::{Name, Object, Read, read_answer, read_object};

/// The type of a field: `Option` or a collection, so that every field can be absent.
pub(crate) trait Field: Sized {
    /// Reads the field. Another type is an error only where absence would be misleading.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Whether the field is left out of the JSON.
    fn is_absent(&self) -> bool;

    /// What `Debug` of the struct shows.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// A value that a field holds once or not at all.
pub(crate) trait Value: fmt::Debug + Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;

    fn show(value: &Option<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(value, f)
    }
}

impl<T: Value> Field for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::show(self, f)
    }
}

/// Reads a value as its JSON text.
pub(crate) fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de str, D::Error> {
    <&RawValue>::deserialize(deserializer).map(RawValue::get)
}

/// Reads a text, number or boolean as text; anything else is absent.
pub(crate) fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'de, str>>, D::Error> {
    raw(deserializer).map(text_of)
}

/// Text; an empty one is absent.
impl Value for String {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let text = text(deserializer)?.filter(|text| !text.is_empty());
        Ok(text.map(Cow::into_owned))
    }

    fn show(value: &Option<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Length::of(value), f)
    }
}

/// A status in any of its spellings: every field with 16 bits is an `HttpStatusCode`.
impl Value for u16 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(text(deserializer)?.and_then(|text| status_of(&text)))
    }
}

/// A count or a page: a whole number, as a number or as text.
impl Value for u32 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(text(deserializer)?.and_then(|text| whole(&text)))
    }
}

/// `true` or `false`, also as text.
impl Value for bool {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(text(deserializer)?.and_then(|text| {
            [("true", true), ("false", false)]
                .into_iter()
                .find_map(|(word, flag)| word.eq_ignore_ascii_case(&text).then_some(flag))
        }))
    }
}

/// The text of an id: strings only, and not the zero GUID.
pub(crate) fn id_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'de, str>>, D::Error> {
    let json = raw(deserializer)?;
    let text = json.starts_with('"').then(|| text_of(json)).flatten();
    Ok(text.filter(|text| !is_placeholder(text)))
}

/// A text of which an empty one is not absent.
pub(crate) struct AnyText;

impl<'de> DeserializeSeed<'de> for AnyText {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Ok(text(deserializer)?.map(Cow::into_owned))
    }
}

/// Reads a field, for serde's `deserialize_with`.
pub(crate) fn read<'de, D: Deserializer<'de>, T: Field>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
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
/// Each field has the service's name; further names are other spellings, and `as` names a seed that
/// reads the field in place of its type. Every field is optional. The struct reads and writes JSON, and its `Debug` shows lengths of texts only.
macro_rules! wire_struct {
    ($(#[$meta:meta])* $vis:vis strict struct $($rest:tt)+) => {
        $crate::wire::wire_struct! { @ true [$(#[$meta])*] [$vis] $($rest)+ }
    };
    ($(#[$meta:meta])* $vis:vis loose struct $($rest:tt)+) => {
        $crate::wire::wire_struct! { @ false [$(#[$meta])*] [$vis] $($rest)+ }
    };
    (@ seed) => {
        $crate::wire::Read::new()
    };
    (@ seed $seed:path) => {
        $seed
    };
    (
        @ $strict:literal [$(#[$meta:meta])*] [$vis:vis] $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field_vis:vis $field:ident: $type:ty = $wire:literal $(| $spelling:literal)* $(as $seed:path)?,
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default, Eq, PartialEq, serde::Serialize)]
        #[non_exhaustive]
        $vis struct $name {
            $(
                $(#[$field_meta])*
                #[serde(rename = $wire, skip_serializing_if = "crate::wire::is_absent")]
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

            fn read_fields<'de, M: serde::de::MapAccess<'de>>(
                mut map: M,
            ) -> Result<Self, M::Error> {
                #[derive(Clone, Copy)]
                #[allow(non_camel_case_types, reason = "the variants are the fields")]
                enum Known { $($field),+ }
                let name = |text: &str| match text {
                    $( $wire $(| $spelling)* => Some(Known::$field), )+
                    _ => None,
                };
                let (mut object, mut seen, mut repeated) = (Self::default(), 0_u32, false);
                while let Some(field) = map.next_key_seed($crate::wire::Name(name))? {
                    let bit = field.map_or(0, |field| 1 << field as u32);
                    match field {
                        Some(_) if seen & bit != 0 => {
                            if $strict {
                                let error = <M::Error as serde::de::Error>::duplicate_field;
                                return Err(error(match field {
                                    $( Some(Known::$field) => $wire, )+
                                    None => "",
                                }));
                            }
                            repeated = true;
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                        $(
                            Some(Known::$field) => {
                                let seed = $crate::wire::wire_struct!(@ seed $($seed)?);
                                object.$field = map.next_value_seed(seed)?;
                            }
                        )+
                        None => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                    seen |= bit;
                }
                Ok(if repeated { Self::default() } else { object })
            }
        }

        impl $crate::wire::Value for $name {
            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<Self>, D::Error> {
                $crate::wire::read_object(deserializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::wire::read_answer(deserializer)
            }
        }
    };
}

pub(crate) use wire_struct;

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;
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
    fn a_repeated_field_empties_a_loose_struct_and_fails_a_strict_one() {
        let link = r#"{"Links":[{"rel":"a","Rel":"b","href":{}},{"href":"c"}],"Tag":"t"}"#;
        let answer: AccountsResponse = from_json(link.as_bytes()).unwrap();
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"Tag":"t","Links":[{},{"href":"c"}]}"#
        );
        let account = br#"{"Accounts":[{"Balance":{"Limit":1,"Limit":2},"Title":"4711"}]}"#;
        let error = from_json::<AccountsResponse>(account).unwrap_err();
        assert!(error.to_string().starts_with("duplicate field `Limit`"));
    }

    /// Half of a surrogate pair, as in a text that was cut, and a number beyond any float.
    #[test]
    fn what_is_odd_is_absent_and_harms_no_other_field() {
        let body = br#"{"Institution":"\ud83d","InstitutionId":1e999,"Links":[{"href":"\ud83d"}],
            "Unknown":["\ud83d",1e999],"Tag":"\ud83d\ude00"}"#;
        let answer: AccountsResponse = from_json(body).unwrap();
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"Tag":"😀","Links":[{}]}"#
        );
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
