//! The schema for editors names the same keys and words as the format that the runner reads.

use std::collections::BTreeSet;

use flinks_conformance::{
    Call, Case, ClientCertificate, Compare, Credentials, Expect, Fault, Level, Levels, Live, Reply,
    ServerCertificate, Shows, Step, Tls, Want, WantError, fixtures, load, operations,
};
use flinks_transport::{Delivery, ErrorKind};
use flinks_upload::UploadErrorKind;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// serde names every key or word that it knows when it refuses one: "expected one of `a`, `b`".
fn names<T: DeserializeOwned>(refused: &str) -> BTreeSet<String> {
    let error = serde_json::from_str::<T>(refused)
        .map(|_| ())
        .expect_err("refused")
        .to_string();
    let (_, known) = error.split_once("expected ").expect("what is known");
    known
        .split('`')
        .skip(1)
        .step_by(2)
        .map(ToOwned::to_owned)
        .collect()
}

fn keys<T: DeserializeOwned>() -> BTreeSet<String> {
    names::<T>(r#"{"no such key":0}"#)
}

fn words<T: DeserializeOwned>() -> BTreeSet<String> {
    names::<T>(r#""no such word""#)
}

fn strings(values: &Value) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    values
        .as_array()
        .expect("a list")
        .iter()
        .map(text)
        .collect()
}

fn schema() -> Value {
    let bytes = std::fs::read(fixtures().join("case.schema.json")).expect("the schema");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn the_schema_knows_every_key_and_no_other() {
    let schema = schema();
    let rows = [
        ("", keys::<Case>()),
        ("/$defs/Call", keys::<Call>()),
        ("/$defs/Step", keys::<Step>()),
        ("/$defs/Expect", keys::<Expect>()),
        ("/$defs/Reply", keys::<Reply>()),
        ("/$defs/Want", keys::<Want>()),
        ("/$defs/WantError", keys::<WantError>()),
        ("/$defs/Levels", keys::<Levels>()),
        ("/$defs/Live", keys::<Live>()),
        ("/$defs/Tls", keys::<Tls>()),
        ("/$defs/Shows", keys::<Shows>()),
    ];
    for (place, keys) in rows {
        let definition = schema.pointer(place).expect(place);
        let properties = definition["properties"].as_object().expect(place);
        let named: BTreeSet<_> = properties.keys().cloned().collect();
        assert_eq!(named, keys, "{place}");
        assert_eq!(
            definition["additionalProperties"],
            Value::Bool(false),
            "{place}"
        );
    }
}

#[test]
fn the_schema_knows_every_word_and_no_other() {
    let schema = schema();
    let rows = [
        ("/$defs/Credentials", words::<Credentials>()),
        ("/$defs/Fault", words::<Fault>()),
        ("/$defs/Level", words::<Level>()),
        ("/$defs/Compare", words::<Compare>()),
        ("/$defs/ClientCertificate", words::<ClientCertificate>()),
        ("/$defs/ServerCertificate", words::<ServerCertificate>()),
    ];
    for (place, words) in rows {
        assert_eq!(
            strings(&schema.pointer(place).expect(place)["enum"]),
            words,
            "{place}"
        );
    }
}

#[test]
fn the_schema_knows_every_kind_and_delivery() {
    let schema = schema();
    let known = |key: &str| strings(&schema["$defs"]["WantError"]["properties"][key]["enum"]);
    let kinds = [
        ErrorKind::Api,
        ErrorKind::ClientCertificate,
        ErrorKind::Config,
        ErrorKind::Connect,
        ErrorKind::Connection,
        ErrorKind::Decode,
        ErrorKind::Input,
        ErrorKind::Layer,
        ErrorKind::ServerCertificate,
        ErrorKind::Timeout,
    ];
    assert_eq!(
        known("kind"),
        kinds
            .iter()
            .map(|kind| kind.as_str())
            .chain([UploadErrorKind::File, UploadErrorKind::Ledger].map(UploadErrorKind::as_str))
            .map(str::to_owned)
            .collect()
    );
    let deliveries = [
        Delivery::Delivered,
        Delivery::NotSent,
        Delivery::Rejected,
        Delivery::Unknown,
    ];
    let words = deliveries
        .iter()
        .map(|delivery| delivery.as_str().to_owned())
        .collect();
    assert_eq!(known("delivery"), words);
}

#[test]
fn the_schema_knows_every_operation() {
    let operations: BTreeSet<_> = operations().map(ToOwned::to_owned).collect();
    let named = &schema()["$defs"]["Call"]["properties"]["operation"]["enum"];
    assert_eq!(strings(named), operations);
}

#[test]
fn the_schema_requires_what_the_format_requires() {
    let schema = schema();
    let required = strings(&schema["required"]);
    for key in &required {
        let mut case = crate::format::good();
        case.as_object_mut().expect("an object").remove(key);
        let error = serde_json::from_value::<Case>(case)
            .map(|_| ())
            .expect_err(key);
        assert!(error.to_string().contains(key), "{key}: {error}");
    }
    let mut least = crate::format::good();
    least
        .as_object_mut()
        .expect("an object")
        .retain(|key, _| required.contains(key));
    serde_json::from_value::<Case>(least).expect("the required keys are enough");
}

/// Editors know no other way to find it.
#[test]
fn every_case_of_this_workspace_names_the_schema() {
    for fixture in load(&fixtures()).expect("a corpus") {
        let path = fixture.path();
        assert!(fixture.case.schema.is_some(), "{path} has no $schema");
    }
}
