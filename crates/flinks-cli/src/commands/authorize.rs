//! `flinks authorize`: opens a bank session, answering every challenge.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flinks_legacy::{Authorize, ChallengeRound, CompletedAnswers, LegacyClient, QuestionKind};
use flinks_transport::Delivery;
use flinks_types::text::escaped;
use flinks_types::{AuthorizeRequest, Credentials, Secret, StoredLogin};

use crate::arguments::Authorize as Arguments;
use crate::clients::Clients;
use crate::commands::ids;
use crate::context::{Context, variable};
use crate::interrupt;
use crate::output::bank_session;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::progress::Waiting;
use crate::output::text::{counted, shown_path};
use crate::output::write_stderr;
use crate::prompt::answers_file::AnswersFile;
use crate::prompt::challenges::AnswerSources;
use crate::prompt::image_files::ImageFiles;
use crate::prompt::terminal::{self, Terminal, Typing};
use crate::prompt::terminal_images::Protocol;
use crate::state::session_file::{SessionFile, remove_stale};

/// Opens a session, or continues one that waits for answers.
pub(crate) async fn run(arguments: &Arguments, context: &Context) -> Result<Exit, CliError> {
    let mut answers = match &arguments.answers {
        Some(path) => AnswersFile::open(path)?,
        None => AnswersFile::empty(),
    };
    let clients = Clients::start(context, &arguments.connection).await?;
    let legacy = clients.legacy()?;
    let host = clients.settings.results_endpoint()?.to_string();
    let (mut file, waiting) = match file_to_continue(arguments) {
        Some(path) => {
            let (file, waiting) = SessionFile::open(path, &host)?;
            (Some(file), Some(waiting))
        }
        None => (create_file(arguments, context, &host)?, None),
    };
    remove_stale(variable, SystemTime::now());
    let (round, images) = waiting.map_or((None, None), |waiting| {
        (Some(waiting.round), waiting.images)
    });
    let mut flow = AuthorizeFlow {
        legacy,
        context,
        file: file.as_mut(),
        images: arguments.images.clone().or(images),
        terminal: Terminal::open(),
        was_approval: false,
    };
    let task = flow.run(arguments, round, &mut answers);
    let outcome = Box::pin(interrupt::or_interrupted(task)).await;
    outcome.map_err(|mut error| {
        let is_answering = file.as_ref().is_some_and(SessionFile::is_answering);
        if is_answering && error.exit() == Exit::Interrupted && !context.output.json {
            write_stderr("the answers may have been sent: open a new session\n");
        }
        let entry = file.and_then(|file| file.output_entry());
        error.result.extend(entry);
        error
    })
}

/// The rounds of one session, until it is open or waits.
struct AuthorizeFlow<'a> {
    legacy: LegacyClient,
    context: &'a Context,
    file: Option<&'a mut SessionFile>,
    /// The folder for images.
    images: Option<PathBuf>,
    terminal: Option<Terminal>,
    /// Whether the round before this one asked for an approval on the device only.
    was_approval: bool,
}

impl AuthorizeFlow<'_> {
    async fn run(
        &mut self,
        arguments: &Arguments,
        waiting: Option<ChallengeRound>,
        answers: &mut AnswersFile,
    ) -> Result<Exit, CliError> {
        let mut state = match waiting {
            Some(round) => Authorize::Challenged(round),
            None => {
                let request = request(arguments, self.terminal.as_mut()).await?;
                let _spinner = self.spinner();
                let by_login_id = arguments.login_id.is_some();
                let opened = self.legacy.authorize(request).await;
                opened.map_err(|error| CliError::authorize(error, by_login_id))?
            }
        };
        loop {
            let round = match state {
                Authorize::Challenged(round) => round,
                Authorize::Authorized(session) => {
                    return bank_session::print_authorized(&session, self.context);
                }
                _ => return Err(CliError::settings("the session is in an unknown state")),
            };
            let saved = self.save(&round).and_then(|()| match &self.images {
                Some(folder) => ImageFiles::write(&round, folder),
                None => Ok(ImageFiles::default()),
            });
            let images = saved.map_err(|error| {
                let mut error = error.after_the_call();
                *error.result = bank_session::challenged_object(&round);
                error
            })?;
            let completed = match self.answers(&round, &images, answers).await {
                Ok(Some(completed)) => completed,
                Ok(None) => {
                    images.keep();
                    let path = self.file.as_deref().map(SessionFile::path);
                    return bank_session::print_challenged(&round, path, self.context);
                }
                Err(mut error) => {
                    images.keep();
                    *error.result = bank_session::challenged_object(&round);
                    return Err(error);
                }
            };
            state = self.send(&round, completed).await?;
        }
    }

    async fn answers(
        &mut self,
        round: &ChallengeRound,
        images: &ImageFiles,
        answers: &mut AnswersFile,
    ) -> Result<Option<CompletedAnswers>, CliError> {
        if let Some(terminal) = &mut self.terminal {
            let was_approval = std::mem::replace(&mut self.was_approval, is_approval(round));
            let folder = self.images.as_deref();
            terminal.show(&introduction(round, was_approval, images, folder));
        }
        let file = answers.next_round();
        let unmatched = file.unmatched(round);
        let mut sources = AnswerSources {
            file,
            terminal: self.terminal.as_mut(),
            protocol: Protocol::of_terminal(variable),
            has_image_files: !images.is_empty(),
        };
        let answered = sources.answer(round).await?;
        if answered.is_none() && unmatched > 0 {
            // Not quoted: a secret may stand where the question belongs.
            write_stderr(&format!(
                "note: the answers file has {} without a question of exactly that text in this round\n",
                counted(unmatched, "key")
            ));
        }
        Ok(answered)
    }

    /// Sends the answers. The session file records it before, so that no other process sends answers
    /// to this round, unless these turn out not to have been sent.
    async fn send(
        &mut self,
        round: &ChallengeRound,
        completed: CompletedAnswers,
    ) -> Result<Authorize, CliError> {
        if let Some(file) = &mut self.file {
            file.begin_answering()?;
        }
        let spinner = self.spinner();
        let outcome = self.legacy.answer(completed).await;
        drop(spinner);
        match &outcome {
            Err(error) if error.error().delivery() == Delivery::NotSent => self.save(round)?,
            Ok(Authorize::Challenged(_)) => {}
            Ok(_) | Err(_) => {
                if let Some(file) = &mut self.file {
                    file.end();
                }
            }
        }
        Ok(outcome?)
    }

    fn save(&mut self, round: &ChallengeRound) -> Result<(), CliError> {
        let images = self.images.as_deref();
        match &mut self.file {
            Some(file) => file.save(round, images),
            None => Ok(()),
        }
    }

    fn spinner(&self) -> Waiting {
        Waiting::start("waiting for the bank", self.context.output.progress)
    }
}

/// Creates the file of a new session. With an embedded sandbox, which ends with the program, only a
/// file that the user named is created.
fn create_file(
    arguments: &Arguments,
    context: &Context,
    host: &str,
) -> Result<Option<SessionFile>, CliError> {
    let given = arguments.session.as_deref();
    if given.is_none() && context.sandbox {
        return Ok(None);
    }
    SessionFile::create(given, variable, host).map(Some)
}

/// Returns the session file to continue from: `--session` without a new session.
fn file_to_continue(arguments: &Arguments) -> Option<&Path> {
    let is_new = arguments.institution.is_some() || arguments.login_id.is_some();
    arguments.session.as_deref().filter(|_| !is_new)
}

/// Returns the request for a new session.
async fn request(
    arguments: &Arguments,
    terminal: Option<&mut Terminal>,
) -> Result<AuthorizeRequest, CliError> {
    let language = arguments.language.map(flinks_types::Language::from);
    if let Some(login_id) = &arguments.login_id {
        let login_id = ids::login_id(login_id).await?;
        let mut login = if arguments.cached {
            StoredLogin::cached(login_id)
        } else {
            StoredLogin::live(login_id)
        };
        if let Some(language) = language {
            login = login.language(language);
        }
        return Ok(login.into());
    }
    let institution = arguments.institution.as_deref().unwrap_or_default();
    let (username, password) = credentials(arguments, terminal).await?;
    let mut credentials =
        Credentials::new(institution, username, password).save(!arguments.no_save);
    if let Some(language) = language {
        credentials = credentials.language(language);
    }
    Ok(credentials.into())
}

/// Reads the user name and the password.
async fn credentials(
    arguments: &Arguments,
    mut terminal: Option<&mut Terminal>,
) -> Result<(Secret, Secret), CliError> {
    let username = match (&arguments.username, terminal.as_deref_mut()) {
        (Some(username), _) => Some(terminal::argument(username, "user name").await?),
        (None, Some(terminal)) => terminal.ask("User name: ", Typing::Visible).await?,
        (None, None) => None,
    };
    let username = username
        .ok_or_else(|| CliError::usage("there is no terminal to ask at: give --username U"))?;
    let password = match terminal {
        _ if arguments.password_stdin => {
            let line = terminal::read("", Typing::Hidden).await?;
            let line = line.filter(|password| !password.expose().is_empty());
            Some(line.ok_or_else(|| CliError::usage("standard input has no password"))?)
        }
        Some(terminal) => terminal.ask("Password (hidden): ", Typing::Hidden).await?,
        None => None,
    };
    let password = password.ok_or_else(|| {
        CliError::usage(
            "there is no password: give --password-stdin and write it to standard input",
        )
    })?;
    Ok((username, password))
}

/// Whether a round asks only for an approval on the customer's device.
fn is_approval(round: &ChallengeRound) -> bool {
    round
        .questions()
        .all(|question| matches!(question.kind(), QuestionKind::Approval(_)))
}

fn introduction(
    round: &ChallengeRound,
    was_approval: bool,
    images: &ImageFiles,
    folder: Option<&Path>,
) -> String {
    let bank = round.institution().map(escaped);
    let bank = bank.as_deref().unwrap_or("The bank");
    let mut text = if was_approval && is_approval(round) {
        format!("\nNot approved yet. {bank} asks again:\n")
    } else if round.answers_were_wrong() {
        format!("\n{bank} did not accept the answers and asks again.\n")
    } else {
        format!("\n{bank} asks:\n")
    };
    if let Some(folder) = folder.filter(|_| !images.is_empty()) {
        text.push_str(&format!("(the images are in {})\n", shown_path(folder)));
    }
    text
}
