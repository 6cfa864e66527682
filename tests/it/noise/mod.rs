//! Random requests to a running system, valid, nearly valid and not. No answer is a server error, each is
//! one that the document has, and the system answers the next request.
//!
//! `NOISE_CASES` is the number of requests of each test.

mod commands;
pub mod redirect;

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

/// Runs a property as often as the environment says.
fn runner(cases: u32) -> TestRunner {
    let cases = std::env::var("NOISE_CASES").map_or(cases, |cases| cases.parse().unwrap());
    TestRunner::new(ProptestConfig {
        cases,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })
}

/// Values that parsers, databases and browsers find hard.
fn hard_text() -> impl Strategy<Value = String> {
    const TEXTS: &[&str] = &[
        "",
        " ",
        "\u{0}",
        "a\u{0}b",
        "\u{feff}",
        "\u{200b}",
        "\u{202e}abc",
        "\u{fffd}",
        "\u{10ffff}",
        "null",
        "-0",
        "1e400",
        "9999-12-31T23:59:59.999999Z",
        "-9999-01-01T00:00:00Z",
        "0000-00-00T00:00:00Z",
        "2027-03-05T12:00:60Z",
        "2027-02-30",
        "+262143-01-01T00:00:00Z",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "https://shop.example/",
        "https://shop.example/?a=%zz&b=%&c=+#d#e",
        "https://\u{fc}.example/\u{df}",
        "https://[::1]/",
        "https://0x7f.1/",
        "https://xn--/",
        "https://shop.example:0/",
        "http://footfall.test/promo",
        "javascript:alert(1)",
        "//shop.example",
        "myapp://p/1",
        "#000000",
        "#FFFFFF",
        "#fff",
        "EUR",
        "(a+)+$",
        "(",
        "\\u{d800}",
        "%",
        "_",
        "'; DROP TABLE links; --",
        "<script>alert(1)</script>",
    ];
    prop_oneof![
        4 => prop::sample::select(TEXTS).prop_map(str::to_owned),
        2 => ".{0,20}",
        1 => (prop::sample::select(&["x", "\u{e9}", "%20", "\u{1f980}"][..]), prop::sample::select(&[49, 50, 51, 255, 2_049, 8_200, 70_000][..]))
            .prop_map(|(text, times)| text.repeat(times)),
    ]
}

/// Any JSON value.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => prop::sample::select(
            &[0, -1, 1, 63, 64, 2_000, 2_001, i64::MAX, i64::MIN, 4_294_967_296, 2_147_483_648][..],
        )
        .prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => prop::sample::select(&[0.5, -0.0, 1e-300, 1e308, 0.1 + 0.2][..]).prop_map(Value::from),
        1 => Just(json!(u64::MAX)),
        4 => hard_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(
                "[a-zA-Z]{0,10}|field|operator|value|conditions|conditionLogic",
                inner,
                0..6
            )
            .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
