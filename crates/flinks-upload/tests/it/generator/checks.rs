//! What no schedule may break: invariants 1 and 2 of ARCHITECTURE.md, and what a caller is told.

use flinks_upload::{AggregationId, Completed, LedgerEntry, OnUnknown, UploadError};

use super::run::{Due, Run, contents};
use crate::service::Session;

/// The rule that a schedule broke.
pub(crate) type Broken = String;

pub(crate) fn rule(holds: bool, broken: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(broken()) }
}

impl Run {
    /// Whether an error says the truth about what the service may have done.
    pub(crate) fn blame(&self, what: &str, error: &UploadError) -> Result<(), Broken> {
        if error.delivery().may_have_acted() {
            return Ok(());
        }
        let said = error.delivery();
        let completed = self.host.state(|state| state.maybe_completed);
        rule(completed == 0, || {
            format!("{what} says {said:?}, but the service may have completed the session")
        })?;
        let lost = self
            .book
            .as_ref()
            .and_then(|book| book.pages.lock().unwrap().lost.clone());
        if let Some(lost @ (LedgerEntry::Confirmed { .. } | LedgerEntry::Unknown { .. })) = lost {
            return Err(format!(
                "{what} says {said:?} when {lost:?} cannot be written: the file may have arrived"
            ));
        }
        let begun_anew = !error.abandoned().is_empty() || error.abandoned_unknown() > 0;
        let now = error.aggregation_id().map(|id| id.as_str().to_owned());
        let last = error
            .file()
            .and_then(|file| self.host.state(|state| state.last_maybe.get(file).cloned()));
        let arrived = last.is_some_and(|into| into == now && (now.is_some() || !begun_anew));
        rule(!arrived, || {
            format!("{what} says {said:?} of a file that may have arrived")
        })
    }

    /// Whether the ledger leaves it open if the session was completed.
    pub(crate) fn completion_is_open(&self) -> bool {
        let entries = self
            .book
            .as_ref()
            .map(|book| book.pages.lock().unwrap().entries.clone());
        let mut last = entries.unwrap_or_default().into_iter().rev();
        let last = last.find(|entry| {
            matches!(
                entry,
                LedgerEntry::Completing { .. }
                    | LedgerEntry::NotCompleted
                    | LedgerEntry::CompletionUnknown
            )
        });
        last.is_some_and(|entry| entry != LedgerEntry::NotCompleted)
    }

    /// A file that a caller may now delete is confirmed in the ledger, whatever happens next.
    pub(crate) fn check_recorded(&self, item: usize, id: &AggregationId) -> Result<(), Broken> {
        let Some(book) = &self.book else {
            return Ok(());
        };
        let last = book.pages.lock().unwrap().entries.last().cloned();
        let confirmed = matches!(&last, Some(LedgerEntry::Confirmed { aggregation_id, .. }) if aggregation_id == id);
        rule(confirmed, || {
            format!("add {item} is ok, but the ledger ends with {last:?}")
        })
    }

    /// What holds at any moment.
    pub(crate) fn check(&self) -> Result<(), Broken> {
        let completions = self.host.state(|state| state.maybe_completed);
        rule(completions <= 1 + self.again, || {
            format!("complete may have been acted on {completions} times")
        })?;
        let resends = self.policy == OnUnknown::Resend;
        let twice = self.host.state(|state| {
            let mut sent = state.maybe.iter();
            sent.find(|((into, _), count)| **count > 1 && into.is_some())
                .map(|(what, _)| format!("{what:?}"))
        });
        if let Some(twice) = twice.filter(|_| !resends) {
            return Err(format!("sent twice into one session: {twice}"));
        }
        let completed = self.host.completed();
        rule(completed.len() <= 1, || {
            format!("{} sessions were completed", completed.len())
        })?;
        let Some(session) = completed.first() else {
            return Ok(());
        };
        for (item, facts) in self.items.iter().enumerate() {
            let held: Vec<_> = session
                .files
                .iter()
                .filter(|(name, _)| *name == facts.name)
                .collect();
            let count = held.len();
            let right = match facts.due {
                Due::No | Due::Refused => count == 0,
                Due::Perhaps => count <= 1,
                Due::Yes => count == 1,
            };
            rule(right || (resends && count > 0), || {
                format!("the completed session holds file {item} {count} times")
            })?;
            let is_whole = |bytes: &Vec<u8>| {
                let mut versions = facts.versions.iter().enumerate();
                versions.any(|(version, (size, _))| *bytes == contents(item, version, *size))
            };
            let whole = held.iter().filter(|(_, bytes)| is_whole(bytes)).count();
            // A part that the host kept of an earlier request stays beside the file that is sent again.
            rule(whole == count || (resends && whole > 0), || {
                format!("the completed session holds {whole} of {count} times file {item} whole")
            })?;
        }
        Ok(())
    }

    /// What a caller was told about a completed session.
    pub(crate) fn check_completed(&self, done: &Completed) -> Result<(), Broken> {
        let completed = self.host.completed();
        let Some(session) = completed.first() else {
            return Err("completed, but no session is".to_owned());
        };
        rule(done.aggregation_id.as_str() == session.id, || {
            "another session is completed".to_owned()
        })?;
        rule(
            done.login_id.as_str() == format!("login-{}", session.id),
            || "another LoginId".to_owned(),
        )?;
        let given_up = self.host.state(|state| state.sessions.len()) - 1;
        let reported = done.abandoned.len() as u64 + done.abandoned_unknown;
        rule(reported >= given_up as u64, || {
            format!("{given_up} abandoned, {reported} reported")
        })?;
        if self.policy == OnUnknown::Resend {
            return Ok(());
        }
        self.same_files(done, session)
    }

    fn same_files(&self, done: &Completed, session: &Session) -> Result<(), Broken> {
        let mut said: Vec<_> = done
            .files
            .iter()
            .map(|file| (file.file_name.clone(), file.len))
            .collect();
        let mut held: Vec<_> = session
            .files
            .iter()
            .map(|(name, bytes)| (name.clone(), bytes.len() as u64))
            .collect();
        rule(said.is_sorted(), || {
            format!("files in another order than given: {said:?}")
        })?;
        held.sort();
        said.sort();
        rule(said == held, || {
            format!("said to hold {said:?}, holds {held:?}")
        })?;
        for file in &done.files {
            let item = self
                .items
                .iter()
                .position(|item| item.name == file.file_name)
                .unwrap();
            let Some(modified) = file.modified else {
                continue;
            };
            let version = self.items[item]
                .versions
                .iter()
                .position(|(_, at)| *at == modified.as_secs())
                .unwrap();
            let want = contents(item, version, self.items[item].versions[version].0);
            let right = session
                .files
                .iter()
                .any(|(name, bytes)| *name == file.file_name && *bytes == want);
            rule(right, || {
                format!("file {item} is another version than the one named")
            })?;
        }
        Ok(())
    }
}
