//! A malformed case is refused with its file, the key by its path, and what is allowed there.

use flinks_conformance::load;

/// A case that is in order, as it is written by hand.
const GOOD: &str = r#"{
  "docs": "A case for these tests.",
  "source": "made up",
  "call": {"operation": "upload.file", "input": {"file": {"name": "a.pdf"}}},
  "steps": [
    {
      "expect": {"method": "POST", "path": "/api/v1/upload", "body_json": {}},
      "reply": {"status": 400, "body": "answer.json"}
    }
  ],
  "want": {"error": {"kind": "api", "delivery": "rejected", "status": 400}}
}
"#;

/// The call of the good case.
const CALL: &str = r#"{"operation": "upload.file", "input": {"file": {"name": "a.pdf"}}}"#;

/// What reading the case says, without the file that it must name.
fn refused(case: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("family/case");
    std::fs::create_dir_all(&place).expect("a folder");
    std::fs::write(place.join("answer.json"), "{}").expect("written");
    std::fs::write(place.join("case.json"), case).expect("written");
    let Err(error) = load(folder.path()) else {
        return String::new();
    };
    let file = format!("{}: ", place.join("case.json").display());
    let error = error.to_string();
    error.strip_prefix(&file).expect(&error).to_owned()
}

/// Puts one text of the good case in the place of another, and compares all that is said.
#[track_caller]
fn row(from: &str, to: &str, message: &str) {
    let parts: Vec<_> = GOOD.split(from).collect();
    assert_eq!(parts.len(), 2, "{from} is there once");
    assert_eq!(refused(&parts.join(to)), message);
}

#[test]
fn the_good_case_is_in_order() {
    assert_eq!(refused(GOOD), "");
}

#[test]
fn lists_in_place_of_objects() {
    let reply = r#"{"status": 400, "body": "answer.json"}"#;
    let message = "steps[0].reply: invalid type: a list, expected an object";
    row(reply, "[400, {}, \"answer.json\"]", message);
    let error = r#"{"kind": "api", "delivery": "rejected", "status": 400}"#;
    let message = "want.error: invalid type: a list, expected an object";
    row(error, r#"["api", "rejected", "call", null, 400]"#, message);
}

#[test]
fn unknown_keys() {
    row(
        "\"input\"",
        "\"inputs\"",
        "call.inputs: unknown field `inputs`, expected one of `operation`, `input`, \
         `credentials` at line 4 column 47",
    );
    row(
        "\"status\": 400, \"body\"",
        "\"stauts\": 400, \"body\"",
        "steps[0].reply.stauts: unknown field `stauts`, expected one of `status`, \
         `headers`, `body`, `body_json`, `body_text`, `body_spaces`, `early` at line 8 \
         column 24",
    );
    row(
        "\"name\": \"a.pdf\"",
        "\"nmae\": \"a.pdf\"",
        "call.input.file.nmae: unknown field `nmae`, expected one of `name`, \
         `content_text`, `content_hex`, `size`, `once`",
    );
    row(
        "\"delivery\"",
        "\"deliverd\"",
        "want.error.deliverd: unknown field `deliverd`, expected one of `kind`, \
         `delivery`, `step`, `operation`, `status`, `flinks_code`, `retry_after_s`, \
         `attempts`, `display_contains`, `file`, `aggregation_id`, `abandoned`, \
         `abandoned_unnamed`, `refusal`, `session` at line 11 column 46",
    );
    row(
        CALL,
        r#"{"operation": "legacy.authorize", "input": {"credentials": {"user": "Greatday"}}}"#,
        "call.input.credentials.user: unknown field `user`, expected one of \
         `institution`, `username`, `password`, `save`, `language`, `tag`, \
         `schedule_refresh`, `with_mfa_questions`",
    );
}

#[test]
fn missing_keys() {
    row(
        "\"source\": \"made up\",",
        "",
        "missing field `source` at line 12 column 1",
    );
    row(
        "\"method\": \"POST\", ",
        "",
        "steps[0].expect: missing field `method` at line 7 column 59",
    );
    row(
        "\"name\": \"a.pdf\"",
        "",
        "call.input.file: missing field `name`",
    );
    row(
        "\"kind\": \"api\", ",
        "",
        "want.error: missing field `kind` at line 11 column 59",
    );
}

#[test]
fn wrong_types() {
    row(
        "\"POST\"",
        "1",
        "steps[0].expect.method: invalid type: integer `1`, expected a string at line 7 \
         column 28",
    );
    row(
        "\"status\": 400, \"body\"",
        "\"status\": \"400\", \"body\"",
        "steps[0].reply.status: invalid type: string \"400\", expected u16 at line 8 \
         column 31",
    );
    row(
        "\"status\": 400, \"body\"",
        "\"status\": 70000, \"body\"",
        "steps[0].reply.status: invalid value: integer `70000`, expected u16 at line 8 \
         column 31",
    );
    row(
        "{\"name\": \"a.pdf\"}",
        "\"a.pdf\"",
        "call.input.file: invalid type: string \"a.pdf\", expected an object",
    );
    row(
        CALL,
        r#"{"operation": "upload.session", "input": {"files": [{"name": "a.pdf", "size": "1"}]}}"#,
        "call.input.files[0].size: invalid type: string \"1\", expected usize",
    );
    row(
        "{\"status\": 400, \"body\": \"answer.json\"}",
        "400",
        "steps[0].reply: invalid type: integer `400`, expected an object at line 8 column \
         18",
    );
}

#[test]
fn wrong_words() {
    row(
        "upload.file",
        "upload.files",
        "call.operation: unknown variant `upload.files`, expected one of `auth.token`, \
         `upload.file`, `upload.complete`, `upload.session`, `fraud.analysis`, \
         `fraud.wait`, `auth.authorize_token`, `legacy.authorize`, `legacy.answer`, \
         `legacy.accounts_detail`, `legacy.accounts_detail_async`, \
         `legacy.accounts_summary`, `legacy.accounts_summary_async`, `legacy.statements`, \
         `legacy.statements_async`, `legacy.fetch`, `legacy.mfa_questions`, \
         `legacy.answer_mfa_questions`, `legacy.delete_card`, \
         `legacy.set_scheduled_refresh`, `legacy.nightly_status`, `legacy.institutions` \
         at line 4 column 38",
    );
    row(
        "\"api\"",
        "\"apii\"",
        "want.error.kind: unknown variant `apii`, expected one of `api`, \
         `client_certificate`, `config`, `connect`, `connection`, `decode`, `file`, \
         `input`, `journal`, `layer`, `server_certificate`, `timeout` at line 11 column \
         35",
    );
    row(
        "\"rejected\"",
        "\"refused\"",
        "want.error.delivery: unknown variant `refused`, expected one of `not_sent`, \
         `rejected`, `unknown`, `delivered` at line 11 column 57",
    );
    row(
        "\"reply\": {\"status\": 400, \"body\": \"answer.json\"}",
        "\"fault\": \"reset\"",
        "steps[0].fault: unknown variant `reset`, expected one of `refuse`, \
         `reset-before-send`, `reset-after-send`, `close-after-send`, `torn-body`, \
         `hang`, `stall`, `garbage` at line 8 column 22",
    );
    row(
        "\"kind\"",
        "\"step\": \"tokens\", \"kind\"",
        "want.error.step: unknown variant `tokens`, expected `call` or `token` at line 11 \
         column 37",
    );
    row(
        "\"kind\"",
        "\"refusal\": \"bank\", \"kind\"",
        "want.error.refusal: unknown variant `bank`, expected one of `api_credentials`, \
         `bank_down`, `bank_login`, `pending`, `session_over`, `wrong_answer`, \
         `wrong_answer_final` at line 11 column 38",
    );
    row(
        "\"kind\"",
        "\"operation\": \"upload\", \"kind\"",
        "want.error.operation: unknown variant `upload`, expected one of `auth.token`, \
         `upload.file`, `upload.complete`, `upload.session`, `fraud.analysis`, \
         `fraud.wait`, `auth.authorize_token`, `legacy.authorize`, `legacy.answer`, \
         `legacy.accounts_detail`, `legacy.accounts_detail_async`, \
         `legacy.accounts_summary`, `legacy.accounts_summary_async`, `legacy.statements`, \
         `legacy.statements_async`, `legacy.fetch`, `legacy.mfa_questions`, \
         `legacy.answer_mfa_questions`, `legacy.delete_card`, \
         `legacy.set_scheduled_refresh`, `legacy.nightly_status`, `legacy.institutions` \
         at line 11 column 42",
    );
    row(
        "\"want\"",
        "\"levels\": {\"only\": [\"l4\"], \"reason\": \"x\"}, \"want\"",
        "levels.only[0]: unknown variant `l4`, expected one of `l1`, `l2`, `l3`, `live` at line \
         11 column 26",
    );
    row(
        "\"want\"",
        "\"tls\": {\"client\": \"bad\"}, \"want\"",
        "tls.client: unknown variant `bad`, expected one of `valid`, `none`, `other-ca`, \
         `expired` at line 11 column 25",
    );
    row(
        "\"input\"",
        "\"credentials\": \"oauth2\", \"input\"",
        "call.credentials: unknown variant `oauth2`, expected one of `oauth`, \
         `api_secret`, `legacy_keys`, `none` at line 4 column 62",
    );
    row(
        CALL,
        r#"{"operation": "upload.session", "input": {"files": [], "on_unknown": "retry"}}"#,
        "call.input.on_unknown: unknown variant `retry`, expected one of `restart`, \
         `stop`, `resend`",
    );
    row(
        "\"docs\"",
        "\"$schema\": \"case.schema.json\", \"docs\"",
        "$schema: must be ../../case.schema.json",
    );
}

#[test]
fn no_json() {
    row(
        "\"made up\",",
        "\"made up\"",
        "expected `,` or `}` at line 4 column 3",
    );
    row(
        "400}}\n}",
        "400}}\n} }",
        "trailing characters at line 12 column 3",
    );
    row(
        "400}}\n}",
        "400}}\n",
        "EOF while parsing an object at line 13 column 0",
    );
}

#[test]
fn files_and_bodies() {
    row(
        "answer.json",
        "answr.json",
        "steps[0].reply.body: there is no file answr.json in the folder, only case.json, \
         answer.json",
    );
    row(
        "\"body_json\": {}",
        "\"body\": \"request.json\"",
        "steps[0].expect.body: there is no file request.json in the folder, only \
         case.json, answer.json",
    );
    row(
        "\"body_json\": {}",
        "\"body_json\": {}, \"body_text\": \"\"",
        "steps[0].expect: at most one of body, body_json, body_text, body_length",
    );
    row(
        "\"body\": \"answer.json\"",
        "\"body\": \"answer.json\", \"body_spaces\": 1",
        "steps[0].reply: at most one of body, body_json, body_text, body_spaces",
    );
    row(
        ", \"body\": \"answer.json\"",
        "",
        "answer.json lies beside the case but no key names it",
    );
    row(
        "{\"error\": {\"kind\": \"api\", \"delivery\": \"rejected\", \"status\": 400}}",
        "{\"ok\": \"done.json\"}",
        "want.ok: there is no file done.json in the folder, only case.json, answer.json",
    );
}

#[test]
fn rules_that_types_cannot_say() {
    row(
        "A case for these tests.",
        " ",
        "docs: must say why the case exists",
    );
    row(
        "made up",
        "",
        "source: must say where the wire facts come from",
    );
    row(
        "\"status\": 400, \"body\"",
        "\"status\": 42, \"body\"",
        "steps[0].reply.status: must be from 100 to 999",
    );
    row(
        ", \"body\": \"answer.json\"}",
        ", \"body\": \"answer.json\"}, \"fault\": \"hang\"",
        "steps[0]: needs either reply or fault",
    );
    row(
        "\"reply\": {\"status\": 400, \"body\": \"answer.json\"}",
        "\"after_ms\": 0",
        "steps[0]: needs either reply or fault",
    );
    row(
        "\"want\": {",
        "\"want\": {\"ok\": {}, ",
        "want: needs either ok or error",
    );
    row(
        "\"want\"",
        "\"waits_ms\": [[0, 1]], \"want\"",
        "waits_ms: needs one range for each step but the first",
    );
    row(
        "\"want\"",
        "\"takes_ms\": [2, 1], \"want\"",
        "takes_ms: must go from less to more",
    );
    row(
        "\"want\"",
        "\"takes_ms\": [0, 60000], \"want\"",
        "levels: a case that waits over 1500 ms cannot run at level 3",
    );
    row(
        "\"reply\"",
        "\"after_ms\": 5000, \"reply\"",
        "levels: a case that waits over 1500 ms cannot run at level 3",
    );
    row(
        "\"want\"",
        "\"levels\": {\"only\": [], \"reason\": \"x\"}, \"want\"",
        "levels: needs levels in only, and a reason",
    );
    row(
        "\"want\"",
        "\"levels\": {\"only\": [\"l1\"], \"reason\": \" \"}, \"want\"",
        "levels: needs levels in only, and a reason",
    );
    row(
        "\"want\"",
        "\"tls\": {\"client\": \"none\"}, \"want\"",
        "levels: certificates exist at level 3 only",
    );
}
