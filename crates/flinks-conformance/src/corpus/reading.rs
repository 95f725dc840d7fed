//! Reads one case: its JSON and the other files in its folder.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::Value;
use tokio::time::Duration;

use super::{CorpusError, Fixture, rules};
use crate::case::{Case, Expect, Reply, Step};
use crate::json;
use crate::matching::ExpectedBody;
use crate::script::{Action, Scripted, ScriptedReply};

/// One case while it is put together.
pub(super) struct Reading<'a> {
    pub(super) folder: &'a Path,
    pub(super) file: &'a Path,
    /// The other files in the case's folder.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// Reads a step that needs no files.
pub(crate) fn scripted(step: Step) -> Result<Scripted, String> {
    let reading = Reading {
        folder: Path::new(""),
        file: Path::new("standard.json"),
        files: BTreeMap::new(),
    };
    let step = reading.step(0, step, &mut Vec::new());
    step.map_err(|error| error.to_string())
}

impl Reading<'_> {
    pub(super) fn fixture(
        self,
        family: String,
        name: String,
        mut case: Case,
    ) -> Result<Fixture, CorpusError> {
        let mut used = Vec::new();
        let mut steps = Vec::new();
        for (index, step) in case.steps.drain(..).enumerate() {
            steps.push(self.step(index, step, &mut used)?);
        }
        let mut unused = self.files.keys().filter(|file| !used.contains(file));
        if let Some(file) = unused.next() {
            return self.fail(format!(
                "{file} is in the case's folder but no key names it"
            ));
        }
        let live = case.live.as_ref().map(|live| {
            let mut call = case.call.clone();
            if let Value::Object(input) = &mut call.input {
                input.extend(live.input.clone());
            }
            call
        });
        let fixture = Fixture {
            family,
            name,
            case,
            steps,
            live,
        };
        rules::check(&fixture).or_else(|message| self.fail(message))?;
        Ok(fixture)
    }

    fn step(
        &self,
        index: usize,
        step: Step,
        used: &mut Vec<String>,
    ) -> Result<Scripted, CorpusError> {
        let key = format!("steps[{index}]");
        let body = self.expected(&step.expect, &key, used)?;
        let action = match (step.reply, step.fault) {
            (Some(reply), None) => Action::Reply(self.reply(reply, &key, used)?),
            (None, Some(fault)) => Action::Fault(fault),
            _ => return self.fail(format!("{key}: needs either reply or fault")),
        };
        let after = Duration::from_millis(step.after_ms);
        Ok(Scripted {
            expect: step.expect,
            body,
            action,
            after,
        })
    }

    fn expected(
        &self,
        expect: &Expect,
        key: &str,
        used: &mut Vec<String>,
    ) -> Result<Option<ExpectedBody>, CorpusError> {
        let key = format!("{key}.expect");
        match (
            &expect.body,
            &expect.body_json,
            &expect.body_text,
            expect.body_length,
        ) {
            (None, None, None, None) => Ok(None),
            (Some(file), None, None, None) if is_json(file) => self
                .json(file, &format!("{key}.body"), used)
                .map(|value| Some(ExpectedBody::Json(value))),
            (Some(file), None, None, None) => self
                .bytes(file, &format!("{key}.body"), used)
                .map(|bytes| Some(ExpectedBody::Bytes(bytes))),
            (None, Some(value), None, None) => Ok(Some(ExpectedBody::Json(value.clone()))),
            (None, None, Some(text), None) => {
                Ok(Some(ExpectedBody::Bytes(text.clone().into_bytes())))
            }
            (None, None, None, Some(length)) => Ok(Some(ExpectedBody::Length(length))),
            _ => self.fail(format!(
                "{key}: at most one of body, body_json, body_text, body_length"
            )),
        }
    }

    fn reply(
        &self,
        reply: Reply,
        key: &str,
        used: &mut Vec<String>,
    ) -> Result<ScriptedReply, CorpusError> {
        let key = format!("{key}.reply");
        if !STATUSES.contains(&reply.status) {
            return self.fail(format!("{key}.status: must be from 100 to 999"));
        }
        let body = match (
            reply.body,
            reply.body_json,
            reply.body_text,
            reply.body_spaces,
        ) {
            (None, None, None, None) => Vec::new(),
            (Some(file), None, None, None) => self.bytes(&file, &format!("{key}.body"), used)?,
            (None, Some(value), None, None) => value.to_string().into_bytes(),
            (None, None, Some(text), None) => text.into_bytes(),
            (None, None, None, Some(spaces)) => vec![b' '; spaces],
            _ => {
                return self.fail(format!(
                    "{key}: at most one of body, body_json, body_text, body_spaces"
                ));
            }
        };
        let mut headers = reply.headers;
        let typed = headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"));
        if !typed && !body.is_empty() {
            headers.insert("content-type".to_owned(), "application/json".to_owned());
        }
        Ok(ScriptedReply {
            status: reply.status,
            headers,
            body: body.into(),
            early: reply.early,
        })
    }

    fn json(&self, file: &str, key: &str, used: &mut Vec<String>) -> Result<Value, CorpusError> {
        let bytes = self.bytes(file, key, used)?;
        let path = self.folder.join(file);
        json::read(&bytes).map_err(|error| CorpusError::new(&path, error))
    }

    fn bytes(&self, file: &str, key: &str, used: &mut Vec<String>) -> Result<Vec<u8>, CorpusError> {
        used.push(file.to_owned());
        match self.files.get(file) {
            Some(bytes) => Ok(bytes.clone()),
            None => {
                let mut there = vec!["case.json"];
                there.extend(self.files.keys().map(String::as_str));
                let there = there.join(", ");
                self.fail(format!(
                    "{key}: there is no file {file} in the folder, only {there}"
                ))
            }
        }
    }

    fn fail<T>(&self, message: impl fmt::Display) -> Result<T, CorpusError> {
        Err(CorpusError::new(self.file, message))
    }
}

/// What HTTP has digits for.
const STATUSES: RangeInclusive<u16> = 100..=999;

fn is_json(file: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|extension| extension == "json")
}
