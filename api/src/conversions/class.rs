//! The class of a conversion, from the name of its event and its value.

use schemas::events::ConversionClass;

/// Names of events that are leads, with any value.
const LEADS: [&str; 6] = [
    "lead",
    "signup",
    "registration",
    "form_submit",
    "inquiry",
    "trial_start",
];

/// Names of events that are sales, also at a value of zero.
const SALES: [&str; 6] = [
    "purchase",
    "sale",
    "order",
    "checkout",
    "subscription_created",
    "invoice_paid",
];

/// The class of an event: by its name, else a sale if it has a value.
pub(super) fn class(event_name: &str, amount_minor: Option<i64>) -> ConversionClass {
    let is_in = |names: &[&str]| {
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(event_name))
    };
    if is_in(&LEADS) {
        ConversionClass::Lead
    } else if is_in(&SALES) || amount_minor.is_some_and(|minor| minor > 0) {
        ConversionClass::Sale
    } else {
        ConversionClass::Custom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_before_the_value() {
        use ConversionClass::{Custom, Lead, Sale};
        for (name, amount, expected) in [
            ("signup", None, Lead),
            ("Trial_Start", Some(0), Lead),
            ("lead", Some(500), Lead),
            ("purchase", None, Sale),
            ("invoice_paid", Some(0), Sale),
            ("conversion", Some(1), Sale),
            ("conversion", Some(0), Custom),
            ("onboarding_done", None, Custom),
        ] {
            assert_eq!(class(name, amount), expected, "{name} {amount:?}");
        }
    }
}
