//! Uploads: one file a request, grouped by AggregationId (Upload guide, Step 1).

use http::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::body::{ContentError, UploadBody};
use super::sessions::{SandboxSession, StoredFile, StoredUpload};
use crate::answer::Answer;
use crate::certificates::hex;
use crate::fraud::{Document, analyze};
use crate::ids::uuid;
use crate::json_fields::{Casing, Fields, invalid};
use crate::lock::lock;
use crate::log::LogLine;
use crate::state::State;

/// 180 MB a session, read as MiB (Upload guide, "File and Size Limits").
const SESSION_LIMIT: u64 = 180 * 1024 * 1024;

/// The FlinksCode of the refusal of a document whose marker cannot be understood.
const INVALID_MARKER: &str = "SANDBOX_INVALID_MARKER";

const EXTENSIONS: [&str; 6] = ["pdf", "png", "jpg", "jpeg", "tif", "tiff"];

/// A body that was checked without its session.
struct Received {
    aggregation_id: Option<String>,
    tag: Option<String>,
    client_name: Option<String>,
    file: StoredFile,
    /// What its markers say, or what is wrong with one.
    document: Result<Document, String>,
}

impl Received {
    fn read(mut body: UploadBody) -> Result<Self, Answer> {
        let fields = Fields::read(body.json(), Casing::Exact)?;
        let text = |name| match fields.text(name)? {
            Some(text) if body.is_long(&text) => Err(invalid(name, "is longer than 64 KiB")),
            text => Ok(text),
        };
        let (aggregation_id, tag, client_name) =
            (text("AggregationId")?, text("Tag")?, text("ClientName")?);
        let files = fields.objects("Files")?.unwrap_or_default();
        let Ok([file]) = <[Fields; 1]>::try_from(files) else {
            return Err(invalid("Files", "has to hold exactly one file"));
        };
        let file_name = file.required_text("FileName")?;
        let extension = file_name.rsplit_once('.').map(|(_, extension)| extension);
        let extension = extension.map(str::to_ascii_lowercase).unwrap_or_default();
        if !EXTENSIONS.contains(&extension.as_str()) {
            let form = "must end in .pdf, .png, .jpg, .jpeg, .tif or .tiff";
            return Err(file.invalid("FileName", form));
        }
        // Base64, or the mark of it.
        let content = file.required_text("Content")?;
        let content = body.content(&content).map_err(|error| match error {
            ContentError::NotBase64 => {
                file.invalid("Content", "is not standard base64 with padding")
            }
            ContentError::TooLarge => Answer::too_large("The file is larger than 18 MB."),
        })?;
        let bytes = content.len() as u64;
        let document = analyze(&file_name, &content);
        Ok(Self {
            aggregation_id,
            tag,
            client_name,
            file: StoredFile {
                file_name,
                bytes,
                sha256: hex(&Sha256::digest(&content)),
                crc32: crc32fast::hash(&content),
            },
            document,
        })
    }

    /// Adds the file to its session, or to a new one, under one lock.
    fn store(self, state: &State, line: &mut LogLine) -> Result<String, Answer> {
        let document = self.document.map_err(|reason| {
            let answer = Answer::error(StatusCode::BAD_REQUEST, INVALID_MARKER, &reason);
            line.marker_error = Some(reason);
            answer
        })?;
        let mut sessions = lock(&state.sessions);
        let Some(id) = self.aggregation_id else {
            let aggregation_id = uuid();
            sessions.open(StoredUpload {
                session: SandboxSession {
                    aggregation_id: aggregation_id.clone(),
                    files: vec![self.file],
                    tag: self.tag,
                    client_name: self.client_name,
                    ..SandboxSession::default()
                },
                documents: vec![document],
                completed_at: None,
            });
            return Ok(aggregation_id);
        };
        let record = sessions
            .with_aggregation(&id)
            .ok_or_else(|| invalid("AggregationId", "is unknown"))?;
        if record.session.completed {
            return Err(invalid("AggregationId", "is already completed"));
        }
        if record.bytes() + self.file.bytes > SESSION_LIMIT {
            return Err(Answer::too_large(
                "The files of the session are larger than 180 MB.",
            ));
        }
        record.session.files.push(self.file);
        record.documents.push(document);
        if self.tag.is_some() {
            record.session.tag = self.tag;
        }
        if self.client_name.is_some() {
            record.session.client_name = self.client_name;
        }
        Ok(id)
    }
}

/// Accepts one file.
pub(crate) async fn accept(
    state: &State,
    body: UploadBody,
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    // To search 18 MB for markers would hold up the connections that share this thread.
    let received = tokio::task::spawn_blocking(move || Received::read(body))
        .await
        .map_err(|_| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Answer::error(status, "SANDBOX_ERROR", "The body could not be read.")
        })??;
    line.aggregation_id.clone_from(&received.aggregation_id);
    line.tag.clone_from(&received.tag);
    line.client_name.clone_from(&received.client_name);
    line.file_name = Some(received.file.file_name.clone());
    line.file_bytes = Some(received.file.bytes);
    line.crc32 = Some(format!("{:08x}", received.file.crc32));
    let aggregation_id = received.store(state, line)?;
    line.acted = true;
    line.aggregation_id = Some(aggregation_id.clone());
    Ok(Answer::ok(&json!({
        "AggregationId": aggregation_id,
        "HttpStatusCode": 200,
        "Message": "The files were uploaded successfully. Please send the next file(s).",
    })))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use serde_json::Value;

    use super::super::body::FILE_LIMIT;
    use super::*;
    use crate::config::Config;
    use crate::operation::{ApiOperation, Host};

    fn body(name: &str, content: &[u8]) -> Value {
        json!({"Files": [{"FileName": name, "Content": BASE64_STANDARD.encode(content)}]})
    }

    fn read(body: &str) -> Result<Received, Answer> {
        let mut read = UploadBody::default();
        read.push(body.as_bytes()).unwrap();
        Received::read(read)
    }

    fn refusal(body: &str) -> (u16, String) {
        let answer = read(body).err().unwrap();
        let json: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(json["HttpStatusCode"], answer.status.as_u16());
        (
            answer.status.as_u16(),
            json["Message"].as_str().unwrap().to_owned(),
        )
    }

    #[test]
    fn a_file_is_read_with_its_size_and_checksum() {
        let mut body = body("Statement.PDF", b"123456789");
        body["Tag"] = json!("t");
        body["AggregationId"] = json!(null);
        let received = read(&body.to_string()).ok().unwrap();
        assert_eq!(received.file.bytes, 9);
        assert_eq!(received.file.crc32, 0xcbf4_3926);
        assert_eq!(received.tag.as_deref(), Some("t"));
        assert_eq!(received.aggregation_id, None);
    }

    #[test]
    fn each_mistake_is_refused_in_its_own_words() {
        let file = |name: &str, content: &str| {
            json!({"Files": [{"FileName": name, "Content": content}]}).to_string()
        };
        for (body, part) in [
            ("your payload".to_owned(), "not JSON (line 1, column 1)"),
            ("[]".to_owned(), "has to be a JSON object"),
            (
                r#"{"your": "payload"}"#.to_owned(),
                "Files has to hold exactly one",
            ),
            (
                r#"{"Files": []}"#.to_owned(),
                "Files has to hold exactly one",
            ),
            (
                json!({"Files": [{"FileName": "a.pdf", "Content": "AAAA"},
                                 {"FileName": "b.pdf", "Content": "AAAA"}]})
                .to_string(),
                "Files has to hold exactly one",
            ),
            (
                r#"{"Files": {}}"#.to_owned(),
                "Files has to be an array of objects",
            ),
            (r#"{"files": []}"#.to_owned(), "Files has to be spelled"),
            (
                r#"{"Files": [{"Content": "AAAA"}]}"#.to_owned(),
                "Files[0].FileName is required",
            ),
            (
                r#"{"Files": [{"FileName": "a.pdf"}]}"#.to_owned(),
                "Files[0].Content is required",
            ),
            (
                r#"{"Files": [{"FileName": null}]}"#.to_owned(),
                "Files[0].FileName is required",
            ),
            (
                r#"{"Files": [{"fileName": "a.pdf"}]}"#.to_owned(),
                "Files[0].FileName has to be spelled",
            ),
            (
                r#"{"Tag": 1, "Files": []}"#.to_owned(),
                "Tag has to be a string",
            ),
            (file("statement", "AAAA"), "Files[0].FileName must end"),
            (file("statement.bmp", "AAAA"), "Files[0].FileName must end"),
            (file("a.pdf", ""), "Files[0].Content is required"),
            (
                file("a.pdf", "AAA"),
                "Files[0].Content is not standard base64",
            ),
            (
                file("a.pdf", "AA-_"),
                "Files[0].Content is not standard base64",
            ),
            (
                file("a.pdf", "AAAA\nAAAA"),
                "Files[0].Content is not standard base64",
            ),
        ] {
            let (status, message) = refusal(&body);
            assert_eq!(status, 400, "{body}");
            assert!(message.contains(part), "{body}: {message}");
        }
    }

    #[test]
    fn the_limit_of_a_file_is_eighteen_mebibytes() {
        let full = vec![0; FILE_LIMIT];
        assert!(read(&body("a.pdf", &full).to_string()).is_ok());
        let over = vec![0; FILE_LIMIT + 1];
        assert_eq!(refusal(&body("a.pdf", &over).to_string()).0, 413);
    }

    #[test]
    fn the_limit_of_a_session_counts_its_files() {
        let state = State::new(Config::default());
        let received = |aggregation_id: Option<&String>, bytes| Received {
            aggregation_id: aggregation_id.cloned(),
            tag: None,
            client_name: None,
            file: StoredFile {
                file_name: "a.pdf".to_owned(),
                bytes,
                sha256: String::new(),
                crc32: 0,
            },
            document: Ok(Document::default()),
        };
        let store = |received: Received| {
            let mut line = LogLine::new(Host::Upload, "POST", "/", ApiOperation::Upload);
            received.store(&state, &mut line)
        };
        let id = store(received(None, FILE_LIMIT as u64)).unwrap();
        for _ in 0..9 {
            store(received(Some(&id), FILE_LIMIT as u64)).unwrap();
        }
        let over = store(received(Some(&id), 1)).unwrap_err();
        assert_eq!(over.status.as_u16(), 413);
        let unknown = "00000000-0000-4000-8000-000000000000".to_owned();
        let refused = store(received(Some(&unknown), 1)).unwrap_err();
        assert_eq!(refused.status.as_u16(), 400);
    }
}
