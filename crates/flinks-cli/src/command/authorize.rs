//! `flinks authorize`: opens a bank session, with every challenge answered.

use std::path::Path;

use flinks_legacy::{Authorize as Step, AuthorizeError, LegacyClient};
use flinks_transport::Delivery;
use flinks_types::{AuthorizeRequest, Credentials, LoginId, Secret, StoredLogin};

use crate::answer_file::AnswerFile;
use crate::arguments::Authorize;
use crate::context::{Context, variable};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::images::Images;
use crate::interrupt;
use crate::interview::Interview;
use crate::opened;
use crate::output::plain;
use crate::picture::Protocol;
use crate::progress::Spinner;
use crate::service::Service;
use crate::terminal::{self, Terminal, Typing};
use crate::waiting::SessionFile;

/// Opens a session, or goes on where one waits.
pub(crate) async fn run(arguments: &Authorize, context: &Context) -> Result<Exit, Failure> {
    let mut answers = match &arguments.answers {
        Some(path) => AnswerFile::open(path)?,
        None => AnswerFile::empty(),
    };
    let service = Service::start(context, &arguments.connection).await?;
    let (legacy, host) = (service.legacy()?, service.settings.results_endpoint()?);
    let opening = Opening {
        legacy,
        host: host.to_string(),
        context,
    };
    let task = opening.run(arguments, &mut answers);
    Box::pin(interrupt::or_interrupted(task)).await
}

/// A session on its way to be opened.
struct Opening<'a> {
    legacy: LegacyClient,
    host: String,
    context: &'a Context,
}

impl Opening<'_> {
    async fn run(&self, arguments: &Authorize, answers: &mut AnswerFile) -> Result<Exit, Failure> {
        let mut terminal = Terminal::open();
        let mut images_folder = arguments.images.clone();
        let (file, mut step);
        match waits(arguments) {
            Some(path) => {
                let (found, waiting) = SessionFile::open(path, &self.host)?;
                images_folder = images_folder.or(waiting.images);
                (file, step) = (Some(found), Step::Challenged(waiting.round));
            }
            None => {
                file = self.place(arguments)?;
                let request = request(arguments, terminal.as_mut()).await?;
                let spinner = self.spinner();
                let outcome = self.legacy.authorize(request).await;
                drop(spinner);
                step = outcome?;
            }
        }
        loop {
            let round = match step {
                Step::Challenged(round) => round,
                Step::Authorized(session) => {
                    if let Some(file) = &file {
                        file.remove();
                    }
                    return opened::authorized(&session, self.context);
                }
                _ => return Err(Failure::settings("the session opens in a way unknown here")),
            };
            if let Some(file) = &file {
                file.hold(&self.host, &round, images_folder.as_deref())?;
            }
            let images = match &images_folder {
                Some(folder) => Images::write(&round, folder)?,
                None => Images::default(),
            };
            if let Some(terminal) = &mut terminal {
                terminal.show(&introduction(&round, &images, images_folder.as_deref()));
            }
            let mut interview = Interview {
                file: answers.next_round(),
                terminal: terminal.as_mut(),
                protocol: Protocol::of_terminal(variable),
            };
            let path = file.as_ref().map(SessionFile::path);
            let answered = match interview.answers(&round).await {
                Ok(Some(answered)) => answered,
                Ok(None) => {
                    images.keep();
                    return opened::waiting(&round, path, self.context);
                }
                Err(mut failure) => {
                    failure.reached = opened::challenged(&round, path);
                    return Err(failure);
                }
            };
            let spinner = self.spinner();
            let outcome = self.legacy.answer(answered).await;
            drop(spinner);
            step = outcome.map_err(|error| lost(error, file.as_ref()))?;
        }
    }

    /// Where the place of the session will be held; an embedded sandbox ends with the program.
    fn place(&self, arguments: &Authorize) -> Result<Option<SessionFile>, Failure> {
        let given = arguments.session.as_deref();
        if given.is_none() && self.context.sandbox {
            return Ok(None);
        }
        SessionFile::create(given, variable).map(Some)
    }

    fn spinner(&self) -> Option<Spinner> {
        Spinner::start(
            "waiting for the bank".to_owned(),
            self.context.output.progress,
        )
    }
}

/// The session file to go on with: one that is given alone.
fn waits(arguments: &Authorize) -> Option<&Path> {
    let starts = arguments.institution.is_some() || arguments.login_id.is_some();
    arguments.session.as_deref().filter(|_| !starts)
}

/// An answer that opened nothing. The session waits on only if the answer never left.
fn lost(error: AuthorizeError, file: Option<&SessionFile>) -> Failure {
    let unsent = error.error().delivery() == Delivery::NotSent;
    let mut failure = Failure::from(error);
    match file {
        Some(file) if unsent => failure.reached.extend([opened::held(file.path())]),
        Some(file) => file.remove(),
        None => {}
    }
    failure
}

/// What the command line asks for; nothing was sent yet.
async fn request(
    arguments: &Authorize,
    terminal: Option<&mut Terminal>,
) -> Result<AuthorizeRequest, Failure> {
    let language = arguments.language.map(flinks_types::Language::from);
    if let Some(login_id) = &arguments.login_id {
        let login_id =
            LoginId::new(login_id).map_err(|error| Failure::settings(error.to_string()))?;
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
) -> Result<(Secret, Secret), Failure> {
    let username = match (&arguments.username, terminal.as_deref_mut()) {
        (Some(username), _) => Some(Secret::new(username)),
        (None, Some(terminal)) => terminal.ask("User name: ", Typing::Visible).await?,
        (None, None) => None,
    };
    let username = username
        .ok_or_else(|| Failure::usage("there is no terminal to ask at: give --username U"))?;
    let password = match terminal {
        _ if arguments.password_stdin => terminal::read(Typing::Hidden).await?,
        Some(terminal) => terminal.ask("Password (hidden): ", Typing::Hidden).await?,
        None => None,
    };
    let password = password.ok_or_else(|| {
        Failure::usage("there is no password: give --password-stdin and the password there")
    })?;
    Ok((username, password))
}

fn introduction(round: &flinks_legacy::Round, images: &Images, folder: Option<&Path>) -> String {
    let bank = round
        .institution()
        .map_or_else(|| "The bank".to_owned(), plain);
    let mut text = if round.answers_were_wrong() {
        format!("\n{bank} did not accept the answers, and asks again.\n")
    } else {
        format!("\n{bank} asks:\n")
    };
    if let Some(folder) = folder.filter(|_| !images.is_empty()) {
        let folder = plain(&folder.to_string_lossy());
        text.push_str(&format!("(the images are in {folder})\n"));
    }
    text
}
