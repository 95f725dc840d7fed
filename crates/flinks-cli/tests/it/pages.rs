//! `--html`: the page of the fraud analysis. `tests/pages` looks at it in a browser.

use std::fs;

use flinks_sandbox::{CLEAN_LOGIN_ID, FLAGGED_LOGIN_ID};

use crate::bench::{Bench, has};

#[test]
fn the_page_has_the_verdict_and_replaces_an_older_one() {
    let bench = Bench::new(&[]);
    let page = bench.write("page.html", b"older");
    let run = bench.run(&["fraud", FLAGGED_LOGIN_ID, "--html", &page]);
    let run = run.ends_with(0);
    assert!(run.stdout.contains(&page), "{run:?}");
    let html = fs::read_to_string(&page).expect("written");
    for part in [
        "</svg>Flagged</span>",
        FLAGGED_LOGIN_ID,
        "SIGNAL_TYPE",
        "0.85",
    ] {
        assert!(html.contains(part), "{part} is missing from {html}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&page).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let line = ["fraud", CLEAN_LOGIN_ID, "--html", &page, "--json"];
    assert_eq!(bench.run(&line).ends_with(0).json()["verdict"], "clean");
    let html = fs::read_to_string(&page).expect("written");
    assert!(!html.contains("Flagged</span>"), "{html}");
}

#[test]
fn the_page_names_the_files_and_whose_they_are() {
    let bench = Bench::new(&[]);
    let (file, page) = (
        bench.document("Relevé <1>.pdf"),
        bench.argument("page.html"),
    );
    let upload = ["upload", &file, "--tag", "t-1", "--client-name", "Zoë"];
    let run = bench.run(&[&upload, &["--html", &page][..]].concat());
    run.ends_with(2).says(&["--wait, which --html"]);
    let wait = [
        "--wait",
        "--poll",
        "0.05",
        "--deadline",
        "5",
        "--html",
        &page,
    ];
    bench.run(&[&upload[..], &wait].concat());
    let html = fs::read_to_string(&page).expect("written");
    for part in ["Relevé &lt;1&gt;.pdf", "t-1", "Zoë"] {
        assert!(html.contains(part), "{part} is missing from {html}");
    }
}

#[test]
fn a_page_without_a_verdict_says_why() {
    let bench = Bench::new(&["fraud=status:503"]);
    let (file, page) = (bench.document("a.pdf"), bench.argument("page.html"));
    let wait = [
        "--wait",
        "--poll",
        "0.05",
        "--deadline",
        "0.4",
        "--html",
        &page,
    ];
    bench
        .run(&[&["upload", &file], &wait[..]].concat())
        .ends_with(6);
    let html = fs::read_to_string(&page).expect("written");
    for part in ["</svg>No verdict</span>", "not a clean result"] {
        assert!(html.contains(part), "{part} is missing from {html}");
    }
}

#[test]
fn a_page_that_cannot_be_written_is_found_before_anything_is_sent() {
    let bench = Bench::new(&[]);
    let file = bench.document("a.pdf");
    let page = bench.argument("missing/page.html");
    for line in [&["upload", &file, "--wait"][..], &["fraud", CLEAN_LOGIN_ID]] {
        let run = bench.run(&[line, &["--json", "--html", &page]].concat());
        let error = run.ends_with(2).error();
        has(&error["message"], "--html");
        assert_eq!(error["delivery"], "not_sent");
    }
    assert!(bench.sandbox.log().is_empty());
}
