//! The README's recipes for the tracking token make valid tokens. If the language of a recipe is
//! not installed, the test prints that it skips it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use jiff::Timestamp;
use schemas::{Keyring, PageId, tracking_token};
use std::process::Command;
use uuid::Uuid;

const README: &str = include_str!("../../README.md");
const SECRET: &str = "a-secret-for-tests-only-0123456789abcdef";
const PAGE: Uuid = Uuid::from_u128(0x5f0c_3f0e_6c5e_4b6a_9d0a_0f6c_1c5b_7a11);

/// The README's code for tracking tokens in a language.
fn recipe(language: &str) -> &'static str {
    README
        .split("```")
        .filter_map(|block| block.strip_prefix(language))
        .find(|code| code.contains("trackingToken"))
        .unwrap_or_else(|| panic!("the README has no recipe in {language}"))
}

/// Runs a program of the recipe and one call, and checks its output.
#[expect(
    clippy::disallowed_methods,
    reason = "the recipe reads the system's clock, so its oracle does too"
)]
fn assert_makes_our_token(program: &str, arguments: &[&str]) {
    let keys = Keyring::parse(SECRET).unwrap();
    let before = Timestamp::now();
    let output = match Command::new(program).args(arguments).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("SKIPPED: the recipe for {program} was not run: {error}");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    let token = String::from_utf8(output.stdout).unwrap();
    // The bucket may end while the recipe runs.
    let ours = [before, Timestamp::now()].map(|now| tracking_token::make(&keys, PageId(PAGE), now));
    assert!(ours.iter().any(|ours| ours == token.trim()), "{token}");
}

#[test]
fn the_recipe_in_javascript_makes_our_token() {
    let code = format!(
        "{}\nconsole.log(trackingToken('{SECRET}', '{PAGE}'));",
        recipe("js\n")
    );
    assert_makes_our_token("node", &["--input-type=module", "--eval", &code]);
}

#[test]
fn the_recipe_in_php_makes_our_token() {
    let code = format!(
        "{}\necho trackingToken('{SECRET}', '{PAGE}');",
        recipe("php\n")
    );
    assert_makes_our_token("php", &["-r", &code]);
}
