//! The upload host in memory: keeps sessions as the guide describes them, and fails as it is told or by chance.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fastrand::Rng;
use flinks_auth::ClientCredentials;
use flinks_transport::{Body, BoxError, Error, ErrorKind, Transport, TransportBuilder};
use flinks_upload::{Document, LedgerEntry, UploadClient};
use http::header::{AUTHORIZATION, CONTENT_ENCODING, RETRY_AFTER};
use http::{HeaderValue, Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tower_service::Service;

/// What happens to one request for a file or for *complete*.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// As documented.
    Good,
    /// No connection.
    Refused,
    /// The connection breaks before the body was read.
    CutBefore,
    /// The connection breaks after this many frames of the body, and the service does not act.
    CutAt(usize),
    /// The service acts, and its answer is lost.
    CutAfter,
    /// No answer, after acting or without.
    Silent { acts: bool },
    /// A gateway answers without the service having acted.
    Gateway(u16),
    /// A gateway answers 503 without the service having acted, and asks for a pause in seconds.
    GatewayBusy(u64),
    /// A gateway answers after the service has acted.
    GatewayAfter(u16),
    /// The service answers as documented after this many frames of the body, at least one; it keeps what it read, or nothing.
    Early { frames: usize, keeps: bool },
    /// The service acts and answers with another AggregationId.
    Split,
    /// The service acts and answers without an AggregationId, or without a LoginId.
    Nameless,
    /// The service acts, and names another id in a part of the answer that is not documented.
    Extra,
    /// The service acts and answers what is not JSON.
    Garbled,
    /// The service acts; of its answer only this share of 256 arrives, and then an error or just the end.
    Torn { share: u8, error: bool },
    /// The service acts and says that its answer is compressed.
    Zipped,
    /// The service acts and answers in full under another status, or with another status in the body.
    Odd { status: u16, inner: u16 },
    /// The body of an answer without effect says that the request was refused.
    InnerRefusal(u16),
    /// The token is refused.
    Stale,
    /// Too many requests: `Retry-After`.
    Throttled(&'static str),
    /// 503 with a `Retry-After`, after acting.
    Busy(&'static str),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) completions: usize,
}

/// What a schedule adds to the host: faults by chance, time that passes, and a moment when all stops.
pub(crate) struct Chance {
    pub(crate) rng: Rng,
    pub(crate) draw: fn(&mut Rng, Ask) -> Fate,
    /// Moments so far: each is a point at which a caller can give up or a process can die.
    pub(crate) moments: usize,
    pub(crate) stop_at: Option<usize>,
    pub(crate) stopped: bool,
    /// Something that happens when this file has got this many frames to the host.
    pub(crate) rewrite: Option<(String, usize, Rewrite)>,
    /// What happened, for a reader; kept only when somebody will read it.
    pub(crate) trace: Option<Vec<String>>,
    pub(crate) start: Instant,
}

pub(crate) type Rewrite = Box<dyn FnOnce() + Send>;

/// What a fate is drawn for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ask {
    Token,
    File,
    Complete,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) sessions: Vec<Session>,
    pub(crate) tokens: usize,
    pub(crate) uploads: usize,
    pub(crate) completes: usize,
    pub(crate) fates: VecDeque<Fate>,
    pub(crate) chance: Option<Chance>,
    /// Requests that were taken whole and not refused, by session asked for and file: the service may have acted.
    pub(crate) maybe: HashMap<(Option<String>, String), usize>,
    pub(crate) maybe_completed: usize,
    /// The session that the last of those in the present call asked for, by file.
    pub(crate) last_maybe: HashMap<String, Option<String>>,
    /// A host that keeps each file twice: to prove that the checks can fail.
    pub(crate) doubles: bool,
    /// How long the token endpoint takes.
    pub(crate) token_delay: Duration,
    /// A token that is no longer accepted.
    pub(crate) revoked: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Host(pub(crate) Arc<Mutex<State>>);

impl Host {
    pub(crate) fn new(fates: impl IntoIterator<Item = Fate>) -> Self {
        let host = Self::default();
        host.state(|state| state.fates.extend(fates));
        host
    }

    pub(crate) fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    pub(crate) fn completed(&self) -> Vec<Session> {
        self.state(|s| {
            s.sessions
                .iter()
                .filter(|s| s.completions > 0)
                .cloned()
                .collect()
        })
    }

    pub(crate) fn client(&self) -> UploadClient {
        self.client_of("client-id")
    }

    pub(crate) fn client_of(&self, id: &str) -> UploadClient {
        let transport = self.builder().build().unwrap();
        UploadClient::new(transport, ClientCredentials::new(id, "canary-secret")).unwrap()
    }

    pub(crate) fn builder(&self) -> TransportBuilder {
        Transport::builder().service(self.clone())
    }

    /// One thing that happens in a schedule: it takes its time, is written down, and may be the last one.
    pub(crate) async fn moment(&self, rng: &mut Rng, what: impl FnOnce() -> String) {
        if self.state(|state| state.chance.is_none()) {
            return;
        }
        // Also makes the order of parallel requests the seed's, not the blocking pool's: virtual time stands still meanwhile.
        sleep(Duration::from_millis(rng.u64(1..200))).await;
        let stopped = self.state(|state| {
            let chance = state.chance.as_mut().unwrap();
            chance.note(what);
            let stops = chance.stop_at == Some(chance.moments);
            chance.moments += 1;
            chance.stopped |= stops;
            stops
        });
        if stopped {
            std::future::pending::<()>().await;
        }
    }

    fn fate(&self, ask: Ask) -> (Fate, Rng) {
        self.state(|state| match (state.fates.pop_front(), &mut state.chance) {
            (None, Some(chance)) => {
                let mut rng = chance.rng.fork();
                ((chance.draw)(&mut rng, ask), rng)
            }
            (fate, _) => (fate.unwrap_or(Fate::Good), Rng::with_seed(0)),
        })
    }

    /// Takes the body, or as much of it as this fate wants; the last one says whether that was all.
    async fn read(
        &self,
        body: Body,
        fate: Fate,
        rng: &mut Rng,
    ) -> Result<(Vec<u8>, bool), BoxError> {
        let wanted = match fate {
            Fate::Early { frames, .. } | Fate::CutAt(frames) => frames,
            _ => usize::MAX,
        };
        let (mut body, mut seen) = (body, Vec::new());
        for frame in 0..wanted {
            let Some(data) = body.frame().await else {
                return Ok((seen, true));
            };
            seen.extend_from_slice(&data?.into_data().unwrap_or_default());
            if body.is_end_stream() {
                return Ok((seen, true));
            }
            self.moment(rng, || format!("    frame {frame} of {}", name_in(&seen)))
                .await;
            let rewrite = self.state(|state| {
                let rewrite = &mut state.chance.as_mut()?.rewrite;
                rewrite.take_if(|(name, at, _)| *at == frame && *name == name_in(&seen))
            });
            if let Some((name, _, rewrite)) = rewrite {
                self.state(|state| {
                    let chance = state.chance.as_mut();
                    chance
                        .unwrap()
                        .note(|| format!("    {name} is rewritten in place"));
                });
                rewrite();
            }
        }
        Ok((seen, body.is_end_stream()))
    }

    /// The session that a request is about, which may begin with it.
    fn session<'a>(&self, state: &'a mut State, asked: Option<&str>) -> &'a mut Session {
        let id = asked.map_or_else(
            || format!("session-{}", state.sessions.len()),
            str::to_owned,
        );
        let known = state.sessions.iter().position(|s| s.id == id);
        let index = known.unwrap_or_else(|| {
            state.sessions.push(Session {
                id,
                ..Session::default()
            });
            state.sessions.len() - 1
        });
        &mut state.sessions[index]
    }

    /// Answers a request of which only a part was read, as if all were well.
    fn act_early(&self, ask: Ask, seen: &[u8], keeps: bool) -> Value {
        if ask == Ask::Complete {
            return json!({ "HttpStatusCode": 200, "Login": { "Id": "login-early" } });
        }
        let text = String::from_utf8_lossy(seen);
        let asked = between(&text, "\"AggregationId\":\"", "\"");
        let content = between(&format!("{text}\""), "\"Content\":\"", "\"").unwrap_or_default();
        let content = STANDARD
            .decode(&content.as_bytes()[..content.len() / 4 * 4])
            .unwrap();
        self.state(|state| {
            let session = self.session(state, asked.as_deref());
            if keeps && !content.is_empty() {
                session.files.push((name_in(seen), content));
            }
            json!({ "HttpStatusCode": 200, "AggregationId": session.id })
        })
    }

    fn act(&self, path: &str, body: &Value, fate: Fate) -> Value {
        self.state(|state| {
            let asked = body["AggregationId"].as_str();
            if path.ends_with("/complete") {
                state.completes += 1;
                let session = state
                    .sessions
                    .iter_mut()
                    .find(|s| Some(s.id.as_str()) == asked);
                let session = session.expect("only a known session is completed");
                session.completions += 1;
                let mut answer = json!({
                    "HttpStatusCode": 200, "AggregationId": asked, "Login": { "Id": format!("login-{}", session.id) },
                });
                match fate {
                    Fate::Split => answer["AggregationId"] = "stray".into(),
                    Fate::Nameless => answer["Login"]["Id"] = Value::Null,
                    Fate::Extra => answer["Before"] = json!({ "AggregationId": "stray", "Login": { "Id": "stray" } }),
                    _ => {}
                }
                return answer;
            }
            state.uploads += 1;
            let (uploads, doubles) = (state.uploads, state.doubles);
            let file = body["Files"][0].clone();
            assert_eq!(
                body["Files"].as_array().unwrap().len(),
                1,
                "one file a request"
            );
            let content = STANDARD.decode(file["Content"].as_str().unwrap()).unwrap();
            let file = (file["FileName"].as_str().unwrap().to_owned(), content);
            let session = self.session(state, asked);
            assert_eq!(session.completions, 0, "nothing is added after complete");
            session.files.extend(doubles.then(|| file.clone()));
            session.files.push(file);
            let id = session.id.clone();
            match fate {
                // A first answer that names a wrong id cannot be told from a right one.
                Fate::Split if asked.is_some() => {
                    json!({ "AggregationId": format!("stray-{uploads}") })
                }
                Fate::Nameless => json!({ "HttpStatusCode": 200 }),
                Fate::Extra => {
                    json!({ "Before": { "AggregationId": "stray" }, "HttpStatusCode": 200, "AggregationId": id })
                }
                _ => json!({ "HttpStatusCode": 200, "AggregationId": id }),
            }
        })
    }

    /// Notes that a request was taken whole and will not be refused: from here on the service may have acted.
    fn may_have_acted(&self, path: &str, body: &Value) {
        let asked = body["AggregationId"].as_str().map(str::to_owned);
        self.state(|state| {
            if path.ends_with("/complete") {
                state.maybe_completed += 1;
                return;
            }
            let name = body["Files"][0]["FileName"].as_str().unwrap_or_default();
            state.last_maybe.insert(name.to_owned(), asked.clone());
            *state.maybe.entry((asked, name.to_owned())).or_default() += 1;
        });
    }

    async fn token(&self) -> Result<Response<Body>, BoxError> {
        let (fate, mut rng) = if self.state(|state| state.chance.is_some()) {
            self.fate(Ask::Token)
        } else {
            (Fate::Good, Rng::with_seed(0))
        };
        self.moment(&mut rng, || format!("token: {fate:?}")).await;
        match fate {
            Fate::Refused => return Err(Error::new(ErrorKind::Connect, "refused").into()),
            Fate::CutAfter => return Err("cut".into()),
            Fate::Silent { .. } => sleep(Duration::from_secs(40)).await,
            Fate::Gateway(status) => return Ok(answer(status, "<html>".to_owned())),
            _ => {}
        }
        let (token, delay) = self.state(|state| {
            state.tokens += 1;
            (format!("token-{}", state.tokens), state.token_delay)
        });
        sleep(delay).await;
        let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300 });
        Ok(answer(200, body.to_string()))
    }

    async fn serve(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let path = request.uri().path().to_owned();
        if path.ends_with("/token") {
            return self.token().await;
        }
        let bearer = request.headers()[AUTHORIZATION].to_str()?;
        if self.state(|state| Some(bearer) == state.revoked.as_deref()) {
            return Ok(answer(401, String::new()));
        }
        let ask = if path.ends_with("/complete") {
            Ask::Complete
        } else {
            Ask::File
        };
        let (fate, mut rng) = self.fate(ask);
        self.moment(&mut rng, || format!("{ask:?}: {fate:?}")).await;
        match fate {
            Fate::Refused => return Err(Error::new(ErrorKind::Connect, "refused").into()),
            Fate::CutBefore => return Err("cut".into()),
            Fate::Gateway(status) => return Ok(answer(status, "<html>".to_owned())),
            Fate::GatewayBusy(seconds) => {
                self.state(|state| state.uploads += 1);
                return Ok(later(answer(503, String::new()), seconds));
            }
            Fate::Stale => return Ok(answer(401, String::new())),
            Fate::Throttled(after) => return Ok(later(answer(429, String::new()), after)),
            Fate::InnerRefusal(status) => {
                return Ok(answer(200, json!({ "HttpStatusCode": status }).to_string()));
            }
            _ => {}
        }
        let (seen, whole) = self.read(request.into_body(), fate, &mut rng).await?;
        if !whole {
            self.moment(&mut rng, || {
                format!("    {} bytes of {} were read", seen.len(), name_in(&seen))
            })
            .await;
            return match fate {
                Fate::Early { keeps, .. } => {
                    let early = self.act_early(ask, &seen, keeps).to_string();
                    Ok(answer(200, early))
                }
                _ => Err("cut".into()),
            };
        }
        let body: Value = serde_json::from_slice(&seen)?;
        self.may_have_acted(&path, &body);
        let acts = !matches!(fate, Fate::Silent { acts: false } | Fate::CutAt(_));
        let said = acts.then(|| self.act(&path, &body, fate).to_string());
        let file = body["Files"][0]["FileName"]
            .as_str()
            .unwrap_or("completion");
        let into = body["AggregationId"].as_str().unwrap_or("a new session");
        self.moment(&mut rng, || format!("    {file} for {into}, acted: {acts}"))
            .await;
        let Some(said) = said else {
            if fate == (Fate::Silent { acts: false }) {
                sleep(Duration::from_secs(9 * 3600)).await;
            }
            return Err("cut".into());
        };
        match fate {
            Fate::CutAfter => Err("cut".into()),
            Fate::Silent { .. } => {
                sleep(Duration::from_secs(9 * 3600)).await;
                Err("cut".into())
            }
            Fate::GatewayAfter(status) => Ok(answer(status, "<html>".to_owned())),
            Fate::Garbled => Ok(answer(200, "<html>".to_owned())),
            Fate::Busy(after) => Ok(later(answer(503, String::new()), after)),
            Fate::Odd { status, inner } => {
                let said = said.replace(
                    "\"HttpStatusCode\":200",
                    &format!("\"HttpStatusCode\":{inner}"),
                );
                Ok(answer(status, said))
            }
            Fate::Torn { share, error } => {
                let end = said.len() * usize::from(share) / 255;
                Ok(Response::new(torn(Bytes::from(said).slice(..end), error)))
            }
            Fate::Zipped => {
                let mut zipped = answer(200, said);
                zipped
                    .headers_mut()
                    .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                Ok(zipped)
            }
            _ => Ok(answer(200, said)),
        }
    }
}

impl State {
    pub(crate) fn holds(&self, id: &str, file: &str) -> bool {
        let session = self.sessions.iter().find(|session| session.id == id);
        session.is_some_and(|session| session.files.iter().any(|(name, _)| name == file))
    }
}

impl Chance {
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        let at = self.start.elapsed().as_millis();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{at:>9} ms  {}", what()));
        }
    }
}

impl Service<Request<Body>> for Host {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().serve(request))
    }
}

pub(crate) fn answer(status: u16, body: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .body(Body::from(body))
        .unwrap()
}

fn later(mut answer: Response<Body>, after: impl ToString) -> Response<Body> {
    let after = after.to_string().parse().unwrap();
    answer.headers_mut().insert(RETRY_AFTER, after);
    answer
}

/// An answer that ends too soon: with an error, or as if it were whole.
fn torn(part: Bytes, error: bool) -> Body {
    let end = error.then(|| Err(BoxError::from("cut")));
    Body::from_stream(
        Full::new(part)
            .map_err(Into::into)
            .with_trailers(async { end }),
    )
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after)?.0.to_owned())
}

/// The name of the file of which this is the beginning.
fn name_in(seen: &[u8]) -> String {
    let head = String::from_utf8_lossy(seen.get(..300).unwrap_or(seen));
    between(&head, "\"FileName\":\"", "\"").unwrap_or_default()
}

/// The names of the files that belong to a session by these entries.
pub(crate) fn names(entries: &[LedgerEntry]) -> Vec<String> {
    let mut names = Vec::new();
    for entry in entries {
        match entry {
            LedgerEntry::Session(session) => {
                names = session
                    .files
                    .iter()
                    .map(|file| file.file_name.clone())
                    .collect();
            }
            LedgerEntry::Added { file, now } => {
                names.truncate(*file);
                names.push(now.file_name.clone());
            }
            LedgerEntry::Withdrawn { files } => names.truncate(*files),
            _ => {}
        }
    }
    names
}

/// `count` documents, each with contents of its own.
pub(crate) fn documents(count: usize) -> Vec<Document> {
    (0..count)
        .map(|n| {
            let contents = format!("%PDF-1.7 document {n}");
            Document::from_bytes(format!("{n}.pdf"), contents).unwrap()
        })
        .collect()
}

/// What a session should hold: each document exactly once.
pub(crate) fn expected(count: usize) -> Vec<(String, Vec<u8>)> {
    (0..count)
        .map(|n| {
            (
                format!("{n}.pdf"),
                format!("%PDF-1.7 document {n}").into_bytes(),
            )
        })
        .collect()
}
