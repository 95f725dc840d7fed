//! Reads the cases of a fixtures folder, strictly: every error names its file and key.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Duration;

use crate::case::{
    Call, Case, ClientCertificate, Compare, Expect, Level, Reply, SCHEMA, ServerCertificate, Step,
};
use crate::json;
use crate::matching::ExpectedBody;
use crate::operations;
use crate::script::{Action, Scripted, ScriptedReply};

/// A case with its body files, ready to be run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fixture {
    /// The folder above the case's: `upload`, `fraud`, …
    pub family: String,
    /// The case's folder, a behaviour in kebab case.
    pub name: String,
    /// What its `case.json` says.
    pub case: Case,
    pub(crate) steps: Vec<Scripted>,
    pub(crate) ok: Option<Value>,
    /// The call as a live run makes it.
    pub(crate) live: Option<Call>,
}

impl Fixture {
    /// `family/name`, what a filter is matched with.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.family, self.name)
    }

    /// Whether the case asks for this level, or does not say. Only what is marked for it runs live.
    #[must_use]
    pub fn has(&self, level: Level) -> bool {
        let levels = self.case.levels.as_ref();
        levels.is_none_or(|levels| levels.only.contains(&level))
            && (level != Level::Live || self.live.is_some())
    }
}

/// Why a corpus cannot be read.
#[derive(Debug)]
#[non_exhaustive]
pub struct CorpusError {
    file: PathBuf,
    message: String,
}

impl CorpusError {
    pub(crate) fn new(file: &Path, message: impl fmt::Display) -> Self {
        Self {
            file: file.to_owned(),
            message: message.to_string(),
        }
    }
}

impl fmt::Display for CorpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.message)
    }
}

impl std::error::Error for CorpusError {}

/// Reads every `<family>/<case>/case.json` below `folder`, in the order of their names.
///
/// # Errors
/// The first file that cannot be read or breaks a rule of the format.
pub fn load(folder: &Path) -> Result<Vec<Fixture>, CorpusError> {
    let mut fixtures = Vec::new();
    for family in folders(folder)? {
        for case in folders(&family)? {
            let file = case.join("case.json");
            let parsed: Case = strict(&file)?;
            let fixture = Reading {
                folder: &case,
                file: &file,
                files: files(&case)?,
            };
            fixtures.push(fixture.fixture(name(&family)?, name(&case)?, parsed)?);
        }
    }
    Ok(fixtures)
}

/// Reads a file of the format, whose keys are all known.
pub(crate) fn strict<T: DeserializeOwned>(file: &Path) -> Result<T, CorpusError> {
    let text = std::fs::read(file).map_err(|error| CorpusError::new(file, error))?;
    json::read(&text).map_err(|error| CorpusError::new(file, error))
}

/// Folders in the order of their names; what lies beside them (scripts, documents) is no case.
fn folders(parent: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let failed = |error| CorpusError::new(parent, error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(parent).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "documents") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, CorpusError> {
    let failed = |error| CorpusError::new(folder, error);
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = name(&path)?;
        if name != "case.json" {
            let bytes = std::fs::read(&path).map_err(|error| CorpusError::new(&path, error))?;
            found.insert(name, bytes);
        }
    }
    Ok(found)
}

fn name(path: &Path) -> Result<String, CorpusError> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(ToOwned::to_owned)
        .ok_or_else(|| CorpusError::new(path, "the name is not UTF-8"))
}

/// One case while it is put together.
struct Reading<'a> {
    folder: &'a Path,
    file: &'a Path,
    /// The files beside the case.
    files: BTreeMap<String, Vec<u8>>,
}

impl Reading<'_> {
    fn fixture(self, family: String, name: String, mut case: Case) -> Result<Fixture, CorpusError> {
        let mut used = Vec::new();
        let mut steps = Vec::new();
        for (index, step) in case.steps.drain(..).enumerate() {
            steps.push(self.step(index, step, &mut used)?);
        }
        let ok = match case.want.ok.take() {
            Some(Value::String(file)) => Some(self.json(&file, "want.ok", &mut used)?),
            inline => inline,
        };
        let mut unused = self.files.keys().filter(|file| !used.contains(file));
        if let Some(file) = unused.next() {
            return self.fail(format!("{file} lies beside the case but no key names it"));
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
            ok,
            live,
        };
        self.check(&fixture)?;
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

    /// The rules that types cannot say.
    fn check(&self, fixture: &Fixture) -> Result<(), CorpusError> {
        let case = &fixture.case;
        if case.schema.as_ref().is_some_and(|schema| schema != SCHEMA) {
            return self.fail(format!("$schema: must be {SCHEMA}"));
        }
        if fixture.ok.is_some() == case.want.error.is_some() {
            return self.fail("want: needs either ok or error");
        }
        if case.docs.trim().is_empty() {
            return self.fail("docs: must say why the case exists");
        }
        if case.source.trim().is_empty() {
            return self.fail("source: must say where the wire facts come from");
        }
        if let Some(levels) = &case.levels
            && (levels.only.is_empty() || levels.reason.trim().is_empty())
        {
            return self.fail("levels: needs levels in only, and a reason");
        }
        self.check_live(fixture)?;
        if !is_kebab(&fixture.family) || !is_kebab(&fixture.name) {
            return self.fail("the folders of family and case must be named in kebab case");
        }
        let waits = case.waits_ms.as_deref().unwrap_or_default();
        if case.waits_ms.is_some() && waits.len() + 1 != fixture.steps.len() {
            return self.fail("waits_ms: needs one range for each step but the first");
        }
        if waits
            .iter()
            .chain(&case.takes_ms)
            .any(|[from, to]| from > to)
        {
            return self.fail("waits_ms and takes_ms: a range goes from less to more");
        }
        let slow = waits.iter().any(|[_, to]| *to > MAX_WAIT_MS)
            || case.takes_ms.is_some_and(|[_, to]| to > MAX_WAIT_MS)
            || fixture
                .steps
                .iter()
                .any(|step| step.after > Duration::from_millis(MAX_WAIT_MS))
            || fixture.steps.iter().any(|step| step.action.is_endless());
        if slow && fixture.has(Level::L3) {
            return self.fail(format!(
                "levels: a case that waits over {MAX_WAIT_MS} ms cannot run at level 3"
            ));
        }
        let odd = case.tls.client != ClientCertificate::Valid
            || case.tls.server != ServerCertificate::Valid;
        let elsewhere = [Level::L1, Level::L2, Level::Live];
        if odd && elsewhere.iter().any(|level| fixture.has(*level)) {
            return self.fail("levels: certificates exist at level 3 only");
        }
        let unread = |step: &Scripted| !step.action.reads_body();
        if case.any_order && fixture.steps.iter().any(unread) {
            return self.fail("any_order: every step must read its request");
        }
        operations::check(&case.call).or_else(|error| self.fail(error))
    }

    fn check_live(&self, fixture: &Fixture) -> Result<(), CorpusError> {
        let case = &fixture.case;
        let listed = case.levels.as_ref();
        let listed = listed.map(|levels| levels.only.contains(&Level::Live));
        let (Some(live), Some(call)) = (&case.live, &fixture.live) else {
            return match listed {
                Some(true) => self.fail("levels: live needs the key live, which says how"),
                Some(false) | None => Ok(()),
            };
        };
        if listed == Some(false) {
            return self.fail("live: levels.only must list live too");
        }
        if live.compare == Compare::Same && !live.same.is_empty() {
            return self.fail("live.same: is for shape, with same everything is");
        }
        operations::check(call).or_else(|error| self.fail(format!("live.input: {error}")))
    }

    fn fail<T>(&self, message: impl fmt::Display) -> Result<T, CorpusError> {
        Err(CorpusError::new(self.file, message))
    }
}

/// The folder of a case that is yet to be written: `family/name`, both in kebab case.
pub(crate) fn vacant(corpus: &Path, path: &str) -> Result<PathBuf, CorpusError> {
    let place = corpus.join(path);
    let named = path
        .split_once('/')
        .filter(|(family, name)| is_kebab(family) && is_kebab(name) && *family != "documents");
    if named.is_none() {
        let rule = "must be FAMILY/CASE, both in kebab case, and not in documents";
        return Err(CorpusError::new(&place, rule));
    }
    if place.exists() {
        return Err(CorpusError::new(&place, "is there already"));
    }
    Ok(place)
}

/// Small letters and digits, in words with hyphens between them.
fn is_kebab(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(fits))
}

/// What HTTP has digits for.
const STATUSES: RangeInclusive<u16> = 100..=999;

/// Longer waits are for paused time.
const MAX_WAIT_MS: u64 = 1500;

fn is_json(file: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|extension| extension == "json")
}
