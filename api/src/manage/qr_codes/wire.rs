//! A QR code in answers.

use crate::{
    instant::iso_micros,
    number::Number,
    query::Tallied,
    short_urls::ShortUrls,
    store::qr_codes::{ErrorCorrection, Format, QrRow},
};
use schemars::JsonSchema;
use schemas::analytics::metrics::COUNT_OF_COUNTED_CLICKS;
use serde::Serialize;
use uuid::Uuid;

/// The margin that the standard asks for, in modules.
const STANDARD_MARGIN: u32 = 4;

/// A QR code.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "QrCode", description = "A QR code of a link.")]
pub(super) struct WireQr {
    id: Uuid,
    pub(super) link_id: Uuid,
    /// Its value of the parameter `qr`.
    code: String,
    name: String,
    /// What the picture says.
    url: String,
    /// The path of the picture in its format.
    image_url: String,
    size: u32,
    #[schemars(with = "String")]
    format: Format,
    #[schemars(with = "String")]
    error_correction: ErrorCorrection,
    margin: u32,
    foreground_color: String,
    background_color: String,
    logo_area: bool,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    /// What may surprise its owner.
    warnings: Vec<String>,
}

/// A QR code, with its counts if the request includes them.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[schemars(
    rename = "ReadQrCode",
    description = "A QR code of a link. `scans` is only there with `include=counts`."
)]
pub(super) struct ReadQr {
    #[serde(flatten)]
    qr: WireQr,
    #[serde(flatten)]
    counts: Option<Counts>,
}

/// What a QR code has had.
#[derive(Clone, Debug, JsonSchema, Serialize)]
struct Counts {
    /// Scans that count, of all time. Null while they cannot be read.
    #[schemars(with = "Option<u64>")]
    scans: Option<Number>,
}

impl ReadQr {
    /// A QR code without its counts.
    pub(super) const fn plain(qr: WireQr) -> Self {
        Self { qr, counts: None }
    }

    /// A QR code with its counts, as far as they could be read.
    pub(super) fn counted(qr: WireQr, tallied: Option<&Tallied>) -> Self {
        let scans = tallied.map(|tallied| tallied.number(qr.id, &COUNT_OF_COUNTED_CLICKS));
        let counts = Some(Counts { scans });
        Self { qr, counts }
    }
}

/// What the picture of a QR code says: its link's short URL, with its code.
pub(super) fn url(qr: &QrRow, urls: &ShortUrls) -> String {
    let short_url = urls.of(qr.host.as_deref(), &qr.short_code);
    format!("{short_url}?qr={}", qr.code)
}

impl WireQr {
    pub(super) fn new(qr: QrRow, urls: &ShortUrls) -> Self {
        let url = url(&qr, urls);
        let design = qr.design.0;
        let ending = match design.format {
            Format::Png => "png",
            Format::Svg => "svg",
        };
        let mut warnings = Vec::new();
        if design.margin < STANDARD_MARGIN {
            warnings.push(format!(
                "Some scanners need a free margin of {STANDARD_MARGIN} modules: leave one around the picture."
            ));
        }
        Self {
            id: qr.id,
            link_id: qr.link_id,
            code: qr.code,
            name: qr.name,
            url,
            image_url: format!("/api/qr/{}/image.{ending}", qr.id),
            size: design.size,
            format: design.format,
            error_correction: design.error_correction,
            margin: design.margin,
            foreground_color: design.foreground,
            background_color: design.background,
            logo_area: design.logo_area,
            created_at: iso_micros(qr.created_at.to_jiff()),
            updated_at: iso_micros(qr.updated_at.to_jiff()),
            warnings,
        }
    }
}
