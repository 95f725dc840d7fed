//! The two bearers of the service do not fit where the other belongs.

#[test]
fn mixed_up_credentials_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/misuse/*.rs");
}
