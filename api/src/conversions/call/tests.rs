//! Reading the texts of a call: classes, amounts, times, placeholders.

use super::*;
use proptest::prelude::*;

fn now() -> Timestamp {
    "2027-03-05T12:00:00Z".parse().unwrap()
}

fn read(given: Given) -> Result<Call, ApiError> {
    given.read(ConversionSource::Track, now())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the members of a call are optional"
)]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn yen_have_no_minor_unit_and_the_value_makes_it_a_sale() {
    let call = read(Given {
        value: as_text(&serde_json::json!(10000)),
        currency: text("JPY"),
        ..Given::default()
    });
    let call = call.unwrap();
    let yen = Currency::from_code("JPY").unwrap();
    assert_eq!(call.amount, Some((10_000, yen)));
    assert_eq!(
        (call.class, &*call.event_name),
        (ConversionClass::Sale, "conversion")
    );
    assert_eq!(call.occurred_at, now());
}

#[test]
fn a_number_has_the_digits_that_were_sent() {
    for (json, minor) in [
        ("49.9", 4_990),
        ("49.90", 4_990),
        ("0.1", 10),
        ("1164.25", 116_425),
        ("9999999999999.99", 999_999_999_999_999),
        ("\"49.99\"", 4_999),
    ] {
        let value = as_text(&serde_json::from_str(json).unwrap());
        let call = read(Given {
            value,
            ..Given::default()
        })
        .unwrap();
        assert_eq!(call.amount, Some((minor, Currency::USD)), "{json}");
    }
}

#[test]
fn placeholders_are_refused_wherever_they_identify_something() {
    for word in [
        "lw_cid={click_id}".split_once('=').unwrap().1,
        "undefined",
        "%7Bclick_id%7D",
        "{{clickid}}",
        "[CLICK_ID]",
        "${clickId}",
        "null",
        "NaN",
    ] {
        let of_click = Given {
            click: text(word),
            ..Given::default()
        };
        let code = read(of_click).unwrap_err().code;
        assert_eq!(code, "conversions.placeholder", "{word}");
        let of_order = Given {
            order_id: text(word),
            ..Given::default()
        };
        let code = read(of_order).unwrap_err().code;
        assert_eq!(code, "error.validation", "{word}");
        // Shops send such a word for a guest.
        let of_customer = Given {
            customer: text(word),
            ..Given::default()
        };
        assert!(read(of_customer).unwrap().customer.is_none(), "{word}");
    }
    let given = Given {
        click: text("abc"),
        ..Given::default()
    };
    assert_eq!(read(given).unwrap_err().code, "conversions.invalid_click");
}

#[test]
fn an_order_is_trimmed_and_an_empty_one_is_absent() {
    let order = |order: &str| {
        let given = Given {
            order_id: text(order),
            customer: text(order),
            ..Given::default()
        };
        let call = read(given).unwrap();
        (
            call.order_id,
            call.customer.and_then(|person| person.external_id),
        )
    };
    assert_eq!(order(" A-1 "), (text("A-1"), text("A-1")));
    assert_eq!(order("a-1"), (text("a-1"), text("a-1")));
    assert_eq!(order("  "), (None, None));
}

#[test]
fn every_broken_rule_is_named() {
    let error = read(Given {
        event: text(&"e".repeat(201)),
        class: text("gift"),
        value: text("-1"),
        timestamp: text("2027-03-05T12:05:01Z"),
        metadata: Map::from_iter([("a".to_owned(), "x".repeat(5_000).into())]),
        ..Given::default()
    });
    assert_eq!(error.unwrap_err().details.len(), 5);
    let error = read(Given {
        currency: text("XYZ"),
        ..Given::default()
    });
    assert_eq!(error.unwrap_err().details.len(), 1);
}

#[test]
fn the_time_is_rfc_3339_or_seconds() {
    for (given, at) in [
        ("2027-03-01T10:00:00+02:00", "2027-03-01T08:00:00Z"),
        ("2027-03-01T10:00:00 02:00", "2027-03-01T08:00:00Z"),
        (
            "2027-03-05T12:04:59.1234567Z",
            "2027-03-05T12:04:59.123456Z",
        ),
        ("1800000000", "2027-01-15T08:00:00Z"),
    ] {
        let call = read(Given {
            timestamp: text(given),
            ..Given::default()
        })
        .unwrap();
        assert_eq!(call.occurred_at, at.parse().unwrap(), "{given}");
    }
    for wrong in ["yesterday", "-5", "99999999999999"] {
        assert!(
            read(Given {
                timestamp: text(wrong),
                ..Given::default()
            })
            .is_err(),
            "{wrong}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_is_a_panic(texts in prop::array::uniform8(prop::option::of(".{0,60}"))) {
        let [click, event, class, value, currency, order_id, customer, timestamp] = texts;
        let _ = read(Given {
            click, event, class, value, currency, order_id, customer, timestamp,
            ..Given::default()
        });
    }
}
