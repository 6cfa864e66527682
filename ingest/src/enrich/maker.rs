//! Who made a device, and which one it is.
//!
//! Owns what is made of the rules' brand and model. The one rule: a name that stands for "somebody" is
//! no name; brands are written as the rules write them, so that they count as one.

/// Makers by how their models are numbered, where the rules know the model and not the maker; `#` is a digit.
const MODELS: &[(&str, &str)] = &[
    ("SM-", "Samsung"),
    ("GT-", "Samsung"),
    ("XQ-", "Sony"),
    ("V####", "vivo"),
    ("Fairphone", "Fairphone"),
    ("M####", "XiaoMi"),
    // Year and month, then a running number: 2201116SG, 23021RAAEG, 2312DRA50G.
    ("2###", "XiaoMi"),
];

/// Maker and model, where the rules mean somebody: they file crawlers under the brand "Spider" and
/// what they do not know under brands that begin with "Generic". Of the latter only a model that
/// stands in the agent says anything; Chrome writes "K" for every phone.
pub(super) fn maker(
    brand: Option<String>,
    model: Option<String>,
) -> (Option<String>, Option<String>) {
    match brand.as_deref() {
        Some("Spider" | "Generic" | "Generic_Inettv") => (None, None),
        Some(generic) if generic.starts_with("Generic") => of_model(model),
        // They take Huawei's browser for a model.
        Some("Huawei") => (brand, model.filter(|model| model != "Browser")),
        _ => (brand, model),
    }
}

/// Maker and model, where only the model is given.
pub(super) fn of_model(model: Option<String>) -> (Option<String>, Option<String>) {
    let model = model.filter(|model| model.chars().count() > 1);
    let brand = model.as_deref().and_then(by_model);
    (brand.map(str::to_owned), model)
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
