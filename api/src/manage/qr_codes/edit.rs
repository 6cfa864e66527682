//! A QR code in a request.

use super::draw::{Drawing, MARGINS, SIZES, is_readable};
use crate::{
    manage::{
        plain::{Color, Name},
        short_links::short_code::{MAX_CHARS, is_code},
    },
    patch::apply,
    store::qr_codes::{Design, ErrorCorrection, Format, QrRow},
};
use runtime::{
    http::{ApiError, Fields},
    members::{Body, Declared, Flag, Member, OneOf, Rule, Whole},
    openapi::{Schema, text},
};
use serde_json::json;

const LEVELS: [&str; 4] = ["L", "M", "Q", "H"];
const FORMATS: [&str; 2] = ["png", "svg"];

const NAME: Member<Name> = Member::new("name", Name)
    .about("What it is called in reports; by default its code.")
    .example(|| json!("Poster in Lyon"));
const CODE: Member<Code> = Member::new("code", Code)
    .about("Its value of `qr` in the short URL; generated when absent. It never changes, because it is printed.")
    .example(|| json!("poster-lyon"));
const SIZE: Member<Whole> = Member::new("size", Whole(SIZES))
    .about("Width and height in pixels; 512 by default.")
    .example(|| json!(600));
const FORMAT: Member<OneOf> = Member::new("format", OneOf(&FORMATS))
    .about("The format that `imageUrl` leads to; `png` by default.");
const ERROR_CORRECTION: Member<OneOf> = Member::new("errorCorrection", OneOf(&LEVELS)).about(
    "How much may be damaged: about 7 % (`L`), 15 % (`M`, the default), 25 % (`Q`) or 30 % (`H`).",
);
const MARGIN: Member<Whole> = Member::new("margin", Whole(MARGINS))
    .about("The free area around the code, in modules; 4 by default, as the standard asks.");
const FOREGROUND: Member<Color> =
    Member::new("foregroundColor", Color).about("The dark colour; `#000000` by default.");
const BACKGROUND: Member<Color> = Member::new("backgroundColor", Color).about(
    "The light colour; `#ffffff` by default. Its contrast to the dark one must be at least 3 to 1.",
);
const LOGO_AREA: Member<Flag> = Member::new("logoArea", Flag(None)).about(
    "Leaves the middle free for a logo, a fifth of the width. It raises `errorCorrection` to `H`.",
);

/// What a request says about a QR code.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    name: Option<String>,
    size: Option<i64>,
    format: Option<Format>,
    error_correction: Option<ErrorCorrection>,
    margin: Option<i64>,
    foreground: Option<String>,
    background: Option<String>,
    logo_area: Option<bool>,
}

/// A new QR code.
#[derive(Clone, Debug)]
pub(super) struct NewQr {
    pub(super) code: Option<String>,
    pub(super) edit: Edit,
}

/// A change of a QR code.
#[derive(Clone, Debug)]
pub(super) struct QrChange(pub(super) Edit);

macro_rules! members {
    ($($first:expr),*) => {
        &[
            $($first,)*
            &NAME,
            &SIZE,
            &FORMAT,
            &ERROR_CORRECTION,
            &MARGIN,
            &FOREGROUND,
            &BACKGROUND,
            &LOGO_AREA,
        ]
    };
}

impl Body for NewQr {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&CODE);

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            code: CODE.read(fields),
            edit: Edit::read(fields),
        }
    }
}

impl Body for QrChange {
    const MEMBERS: &'static [&'static dyn Declared] = members!();

    fn read(fields: &mut Fields<'_>) -> Self {
        Self(Edit::read(fields))
    }
}

impl Edit {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            name: NAME.read(fields),
            size: SIZE.read(fields),
            format: FORMAT.read(fields).map(|word| match word {
                "svg" => Format::Svg,
                _ => Format::Png,
            }),
            error_correction: ERROR_CORRECTION.read(fields).map(|word| match word {
                "L" => ErrorCorrection::L,
                "Q" => ErrorCorrection::Q,
                "H" => ErrorCorrection::H,
                _ => ErrorCorrection::M,
            }),
            margin: MARGIN.read(fields),
            foreground: FOREGROUND.read(fields),
            background: BACKGROUND.read(fields),
            logo_area: LOGO_AREA.read(fields),
        }
    }

    /// Applies it to a QR code whose picture has that text: 400 when scanners could not read the
    /// result.
    pub(super) fn apply(self, qr: &mut QrRow, text: &str) -> Result<(), ApiError> {
        apply(self.name, &mut qr.name);
        let design = &mut qr.design.0;
        let whole = |given: Option<i64>| given.and_then(|given| given.try_into().ok());
        apply(whole(self.size), &mut design.size);
        apply(whole(self.margin), &mut design.margin);
        apply(self.format, &mut design.format);
        apply(self.error_correction, &mut design.error_correction);
        apply(self.foreground, &mut design.foreground);
        apply(self.background, &mut design.background);
        apply(self.logo_area, &mut design.logo_area);
        if design.logo_area {
            design.error_correction = ErrorCorrection::H;
        }
        check(text, design)
    }
}

fn check(text: &str, design: &Design) -> Result<(), ApiError> {
    let mut problems = Vec::new();
    if !is_readable(&design.foreground, &design.background) {
        problems.push(
            "foregroundColor must be darker than backgroundColor, with a contrast of at least 3 to 1"
                .to_owned(),
        );
    }
    problems.extend(Drawing::new(text, design).err());
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ApiError::validation(problems))
    }
}

/// A value of the parameter `qr`.
#[derive(Clone, Copy, Debug)]
struct Code;

impl Rule for Code {
    type Value<'a> = String;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<String> {
        let given = fields.string(name, MAX_CHARS)?;
        if !is_code(given) {
            fields.problem(format!(
                "{name} must have only letters, digits, - and _, 1 to {MAX_CHARS} of them"
            ));
            return None;
        }
        Some(given.to_owned())
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(MAX_CHARS).with("pattern", "^[A-Za-z0-9_-]+$")
    }
}
