//! A malformed case is refused with its file, the key by its path, and what is allowed there.

use flinks_conformance::load;

/// A case in order.
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

/// The error of reading the case, without the file that it must name.
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

/// Each row: a text of the good case, what replaces it, and how the error begins.
const ROWS: &[(&str, &str, &str)] = &[
    // The form.
    (
        "\"made up\",",
        "\"made up\"",
        "expected `,` or `}` at line 4 column 3",
    ),
    ("400}}\n}", "400}}\n} }", "trailing characters at line 12"),
    (
        "\"status\": 400, \"body\"",
        "\"stauts\": 400, \"body\"",
        "steps[0].reply.stauts: unknown field `stauts`, expected one of `status`, `headers`",
    ),
    (
        "\"name\": \"a.pdf\"",
        "\"nmae\": \"a.pdf\"",
        "call.input.file.nmae: unknown field `nmae`, expected one of `name`, `content_text`",
    ),
    (
        "\"method\": \"POST\", ",
        "",
        "steps[0].expect: missing field `method` at line 7",
    ),
    (
        "\"name\": \"a.pdf\"",
        "",
        "call.input.file: missing field `name`",
    ),
    (
        "\"POST\"",
        "1",
        "steps[0].expect.method: invalid type: integer `1`, expected a string",
    ),
    // Words.
    (
        "upload.file",
        "upload.files",
        "call.operation: \"upload.files\" is none of auth.token, upload.file,",
    ),
    (
        "\"reply\": {\"status\": 400, \"body\": \"answer.json\"}",
        "\"fault\": \"reset\"",
        "steps[0].fault: unknown variant `reset`, expected one of `refuse`, `reset-before-send`",
    ),
    (
        "\"want\"",
        "\"levels\": {\"only\": [\"l4\"], \"reason\": \"x\"}, \"want\"",
        "levels.only[0]: unknown variant `l4`, expected one of `l1`, `l2`, `l3`, `live`",
    ),
    (
        "\"docs\"",
        "\"$schema\": \"case.schema.json\", \"docs\"",
        "$schema: must be ../../case",
    ),
    // Files and bodies.
    (
        "answer.json",
        "answr.json",
        "steps[0].reply.body: there is no file answr.json in the folder, only case.json, answer.json",
    ),
    (
        "\"body_json\": {}",
        "\"body_json\": {}, \"body_text\": \"\"",
        "steps[0].expect: at most one of body, body_json, body_text, body_length",
    ),
    (
        "\"body\": \"answer.json\"",
        "\"body\": \"answer.json\", \"body_spaces\": 1",
        "steps[0].reply: at most one of body, body_json, body_text, body_spaces",
    ),
    (
        ", \"body\": \"answer.json\"",
        "",
        "answer.json is in the case's folder but no key names it",
    ),
    // Rules.
    (
        "A case for these tests.",
        " ",
        "docs: must say why the case exists",
    ),
    (
        "made up",
        "",
        "source: must say where the wire facts come from",
    ),
    (
        "\"status\": 400, \"body\"",
        "\"status\": 42, \"body\"",
        "steps[0].reply.status: must be from",
    ),
    (
        ", \"body\": \"answer.json\"}",
        ", \"body\": \"answer.json\"}, \"fault\": \"hang\"",
        "steps[0]: needs either reply or fault",
    ),
    (
        "\"want\": {",
        "\"want\": {\"ok\": {}, ",
        "want: needs either ok or error",
    ),
    (
        "\"want\"",
        "\"waits_ms\": [[0, 1]], \"want\"",
        "waits_ms: needs one range for each step but",
    ),
    (
        "\"want\"",
        "\"takes_ms\": [2, 1], \"want\"",
        "takes_ms: must go from less to more",
    ),
    (
        "\"reply\"",
        "\"after_ms\": 5000, \"reply\"",
        "levels: a case that waits over 1500 ms cannot run at level 3",
    ),
    (
        "\"want\"",
        "\"levels\": {\"only\": [\"l1\"], \"reason\": \" \"}, \"want\"",
        "levels: needs levels in only, and a reason",
    ),
    (
        "\"want\"",
        "\"tls\": {\"client\": \"none\"}, \"want\"",
        "levels: certificates exist at level 3",
    ),
];

#[test]
fn a_mistake_is_named_by_its_place() {
    assert_eq!(refused(GOOD), "");
    for (from, to, message) in ROWS {
        let parts: Vec<_> = GOOD.split(from).collect();
        assert_eq!(parts.len(), 2, "{from} is there once");
        let error = refused(&parts.join(to));
        assert!(error.starts_with(message), "{from} -> {to}\n{error}");
    }
}
