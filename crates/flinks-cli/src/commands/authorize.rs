//! `flinks authorize`: opens a bank session, with every challenge answered.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flinks_legacy::{Authorize as Step, ChallengeRound, CompletedAnswers, LegacyClient};
use flinks_transport::Delivery;
use flinks_types::{AuthorizeRequest, Credentials, Secret, StoredLogin};

use crate::arguments::Authorize;
use crate::clients::Clients;
use crate::commands::ids;
use crate::context::{Context, variable};
use crate::interrupt;
use crate::output::bank_session;
use crate::output::error::CliError;
use crate::output::exit_status::Exit;
use crate::output::progress::Spinner;
use crate::output::text::shown_path;
use crate::output::write_stderr;
use crate::prompt::answers_file::AnswerFile;
use crate::prompt::challenges::Interview;
use crate::prompt::image_files::Images;
use crate::prompt::terminal::{self, Terminal, Typing};
use crate::prompt::terminal_images::Protocol;
use crate::state::session_file::{SessionFile, remove_stale};
use flinks_types::text::escaped;

/// Opens a session, or goes on where one waits.
pub(crate) async fn run(arguments: &Authorize, context: &Context) -> Result<Exit, CliError> {
    let mut answers = match &arguments.answers {
        Some(path) => AnswerFile::open(path)?,
        None => AnswerFile::empty(),
    };
    let clients = Clients::start(context, &arguments.connection).await?;
    let legacy = clients.legacy()?;
    let host = clients.settings.results_endpoint()?.to_string();
    let (mut file, waiting) = match waits(arguments) {
        Some(path) => {
            let (file, waiting) = SessionFile::open(path, &host)?;
            (Some(file), Some(waiting))
        }
        None => (place(arguments, context, &host)?, None),
    };
    remove_stale(variable, SystemTime::now());
    let (round, images) = waiting.map_or((None, None), |waiting| {
        (Some(waiting.round), waiting.images)
    });
    let mut opening = Opening {
        legacy,
        context,
        file: file.as_mut(),
        images: arguments.images.clone().or(images),
        terminal: Terminal::open(),
    };
    let task = opening.run(arguments, round, &mut answers);
    let outcome = Box::pin(interrupt::or_interrupted(task)).await;
    outcome.map_err(|mut failure| {
        let cut_off = file.as_ref().is_some_and(SessionFile::is_answering);
        if cut_off && failure.exit() == Exit::Interrupted && !context.output.json {
            write_stderr("the answers may have been sent: open a new session\n");
        }
        failure.result.extend(file.and_then(|file| file.held()));
        failure
    })
}

/// A session on its way to be opened.
struct Opening<'a> {
    legacy: LegacyClient,
    context: &'a Context,
    /// Where the place of the session is held while it waits.
    file: Option<&'a mut SessionFile>,
    /// Where the images go.
    images: Option<PathBuf>,
    terminal: Option<Terminal>,
}

impl Opening<'_> {
    async fn run(
        &mut self,
        arguments: &Authorize,
        waiting: Option<ChallengeRound>,
        answers: &mut AnswerFile,
    ) -> Result<Exit, CliError> {
        let mut step = match waiting {
            Some(round) => Step::Challenged(round),
            None => {
                let request = request(arguments, self.terminal.as_mut()).await?;
                let _spinner = self.spinner();
                self.legacy.authorize(request).await?
            }
        };
        loop {
            let round = match step {
                Step::Challenged(round) => round,
                Step::Authorized(session) => {
                    return bank_session::print_authorized(&session, self.context);
                }
                _ => {
                    return Err(CliError::settings(
                        "the session opens in a way unknown here",
                    ));
                }
            };
            let placed = self.hold(&round).and_then(|()| match &self.images {
                Some(folder) => Images::write(&round, folder),
                None => Ok(Images::default()),
            });
            let images = placed.map_err(|failure| {
                let mut failure = failure.after_the_call();
                failure.result = bank_session::challenged_object(&round);
                failure
            })?;
            let answered = match self.ask(&round, &images, answers).await {
                Ok(Some(answered)) => answered,
                Ok(None) => {
                    images.keep();
                    let path = self.file.as_deref().map(SessionFile::path);
                    return bank_session::print_challenged(&round, path, self.context);
                }
                Err(mut failure) => {
                    images.keep();
                    failure.result = bank_session::challenged_object(&round);
                    return Err(failure);
                }
            };
            step = self.answer(&round, answered).await?;
        }
    }

    async fn ask(
        &mut self,
        round: &ChallengeRound,
        images: &Images,
        answers: &mut AnswerFile,
    ) -> Result<Option<CompletedAnswers>, CliError> {
        if let Some(terminal) = &mut self.terminal {
            terminal.show(&introduction(round, images, self.images.as_deref()));
        }
        let mut interview = Interview {
            file: answers.next_round(),
            terminal: self.terminal.as_mut(),
            protocol: Protocol::of_terminal(variable),
        };
        interview.answers(round).await
    }

    /// Sends the answers. From then on nobody may go on at this place, whatever becomes of the
    /// program, unless they never left.
    async fn answer(
        &mut self,
        round: &ChallengeRound,
        answered: CompletedAnswers,
    ) -> Result<Step, CliError> {
        if let Some(file) = &mut self.file {
            file.answering()?;
        }
        let spinner = self.spinner();
        let outcome = self.legacy.answer(answered).await;
        drop(spinner);
        match &outcome {
            Err(error) if error.error().delivery() == Delivery::NotSent => self.hold(round)?,
            Ok(Step::Challenged(_)) => {}
            Ok(_) | Err(_) => {
                if let Some(file) = &mut self.file {
                    file.over();
                }
            }
        }
        Ok(outcome?)
    }

    fn hold(&mut self, round: &ChallengeRound) -> Result<(), CliError> {
        let images = self.images.as_deref();
        match &mut self.file {
            Some(file) => file.hold(round, images),
            None => Ok(()),
        }
    }

    fn spinner(&self) -> Option<Spinner> {
        let shown = self.context.output.progress;
        Spinner::start("waiting for the bank".to_owned(), shown)
    }
}

/// Where the place of a new session will be held; an embedded sandbox ends with the program.
fn place(
    arguments: &Authorize,
    context: &Context,
    host: &str,
) -> Result<Option<SessionFile>, CliError> {
    let given = arguments.session.as_deref();
    if given.is_none() && context.sandbox {
        return Ok(None);
    }
    SessionFile::create(given, variable, host).map(Some)
}

/// The session file to go on with: one that is given alone.
fn waits(arguments: &Authorize) -> Option<&Path> {
    let starts = arguments.institution.is_some() || arguments.login_id.is_some();
    arguments.session.as_deref().filter(|_| !starts)
}

/// What the command line asks for; nothing was sent yet.
async fn request(
    arguments: &Authorize,
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
    let (username, password) = sign_in(arguments, terminal).await?;
    let mut credentials =
        Credentials::new(institution, username, password).save(!arguments.no_save);
    if let Some(language) = language {
        credentials = credentials.language(language);
    }
    Ok(credentials.into())
}

/// User name and password, from where each may come.
async fn sign_in(
    arguments: &Authorize,
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
        _ if arguments.password_stdin => terminal::read("", Typing::Hidden).await?,
        Some(terminal) => terminal.ask("Password (hidden): ", Typing::Hidden).await?,
        None => None,
    };
    let password = password.ok_or_else(|| {
        CliError::usage("there is no password: give --password-stdin and the password there")
    })?;
    Ok((username, password))
}

fn introduction(round: &ChallengeRound, images: &Images, folder: Option<&Path>) -> String {
    let bank = round
        .institution()
        .map_or_else(|| "The bank".to_owned(), |text| escaped(text).into_owned());
    let mut text = if round.answers_were_wrong() {
        format!("\n{bank} did not accept the answers, and asks again.\n")
    } else {
        format!("\n{bank} asks:\n")
    };
    if let Some(folder) = folder.filter(|_| !images.is_empty()) {
        let folder = shown_path(folder);
        text.push_str(&format!("(the images are in {folder})\n"));
    }
    text
}
