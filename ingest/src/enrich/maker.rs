//! Finds the maker and model of a device.
//!
//! Corrects the brand and model that the rules give. The one rule: a placeholder is not a name.
//! Brands are spelled as in the rules, so that one maker has one name in reports.

/// Makers by the pattern of their model numbers, for models whose maker the rules do not know. `#`
/// is a digit.
const MODELS: &[(&str, &str)] = &[
    ("SM-", "Samsung"),
    ("GT-", "Samsung"),
    ("XQ-", "Sony"),
    ("V####", "vivo"),
    ("Fairphone", "Fairphone"),
    ("Pixel ", "Google"),
    ("Redmi ", "XiaoMi"),
    ("POCO ", "XiaoMi"),
    ("ONEPLUS ", "OnePlus"),
    ("CPH####", "Oppo"),
    ("RMX####", "Realme"),
    ("moto ", "Motorola"),
    ("motorola ", "Motorola"),
    ("Nokia ", "Nokia"),
    ("M####", "XiaoMi"),
    // Year and month, then a serial number: 2201116SG, 23021RAAEG, 2312DRA50G.
    ("2###", "XiaoMi"),
];

/// The maker and model, unless the rules give placeholders. They use the brand "Spider" for
/// crawlers and brands that begin with "Generic" for unknown devices. For the latter only the model
/// from the agent counts; Chrome writes "K" for every phone.
pub(super) fn maker(
    brand: Option<String>,
    model: Option<String>,
) -> (Option<String>, Option<String>) {
    match brand.as_deref() {
        Some("Spider" | "Generic" | "Generic_Inettv") => (None, None),
        Some(generic) if generic.starts_with("Generic") => of_model(model),
        // The rules mistake Huawei's browser for a model.
        Some("Huawei") => (brand, model.filter(|model| model != "Browser")),
        _ => (brand, model),
    }
}

/// The maker and model, when only the model is known.
pub(super) fn of_model(model: Option<String>) -> (Option<String>, Option<String>) {
    let model = model.filter(|model| model.chars().count() > 1);
    let brand = model.as_deref().and_then(by_model);
    (brand.map(str::to_owned), model)
}

/// The maker and model in a header about the model: a text in quotes, which is empty for computers.
pub(super) fn claimed(header: Option<String>) -> (Option<String>, Option<String>) {
    let model = header.and_then(|header| {
        let model = header.trim_matches('"').trim();
        (model != "K" && !model.is_empty()).then(|| model.to_owned())
    });
    of_model(model)
}

fn by_model(model: &str) -> Option<&'static str> {
    let numbered = |pattern: &str| {
        let mut letters = model.chars();
        pattern.chars().all(|expected| {
            letters.next().is_some_and(|letter| match expected {
                '#' => letter.is_ascii_digit(),
                other => letter == other,
            })
        })
    };
    MODELS
        .iter()
        .find(|(pattern, _)| numbered(pattern))
        .map(|(_, brand)| *brand)
}
