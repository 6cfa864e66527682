//! Draws QR codes as PNG and SVG. Pure: a text and a design in, bytes out.
//!
//! The one rule: every module is a whole number of pixels, so that scanners see sharp edges. The
//! rest of the picture is background around the centred code.

use super::png;
use crate::{
    manage::plain::channels,
    store::qr_codes::{Design, ErrorCorrection},
};
use qrcode::{Color, EcLevel, QrCode};
use runtime::http::ApiError;
use std::{fmt::Write, ops::RangeInclusive};

/// Smallest and largest width of a picture, in pixels.
pub(super) const SIZES: RangeInclusive<i64> = 64..=2_000;

/// Most free modules around a code.
pub(super) const MARGINS: RangeInclusive<i64> = 0..=20;

/// Least contrast between both colours. Scanners fail below.
const MIN_CONTRAST: f64 = 3.0;

/// The part of a side that stays free for a logo: a fifth. Level H repairs 30 % of the area, and
/// this takes at most 6 %.
const LOGO_PART: usize = 5;

/// A code as modules, with the place of its first one.
#[derive(Debug)]
pub(super) struct Drawing {
    modules: Vec<bool>,
    /// Modules of a side.
    width: usize,
    /// Pixels of a module.
    scale: usize,
    /// Pixels before the first module.
    offset: usize,
    /// Pixels of a side.
    size: usize,
}

/// Whether scanners can tell both colours apart: a dark one on a light one.
pub(super) fn is_readable(foreground: &str, background: &str) -> bool {
    let (Some(dark), Some(light)) = (channels(foreground), channels(background)) else {
        return false;
    };
    (luminance(light) + 0.05) / (luminance(dark) + 0.05) >= MIN_CONTRAST
}

/// Relative luminance, as WCAG defines it.
fn luminance(channels: [u8; 3]) -> f64 {
    let linear = channels.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    });
    let [red, green, blue] = linear;
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

impl Drawing {
    /// Places the code of a text. The error completes a list of problems.
    pub(super) fn new(text: &str, design: &Design) -> Result<Self, String> {
        let level = match design.error_correction {
            // A logo covers modules, which only the highest level repairs with room to spare.
            _ if design.logo_area => EcLevel::H,
            ErrorCorrection::L => EcLevel::L,
            ErrorCorrection::M => EcLevel::M,
            ErrorCorrection::Q => EcLevel::Q,
            ErrorCorrection::H => EcLevel::H,
        };
        let code = QrCode::with_error_correction_level(text, level)
            .map_err(|_| "the short URL is too long for a QR code".to_owned())?;
        let width = code.width();
        let colors = code.to_colors().into_iter();
        let mut modules: Vec<bool> = colors.map(|color| color == Color::Dark).collect();
        if design.logo_area {
            free_middle(&mut modules, width);
        }
        let pixels = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let size = pixels(design.size);
        let least = width.saturating_add(pixels(design.margin).saturating_mul(2));
        let scale = size / least;
        if scale == 0 {
            return Err(format!(
                "size must be at least {least} for this code and margin"
            ));
        }
        Ok(Self {
            modules,
            width,
            scale,
            offset: (size - scale * width) / 2,
            size,
        })
    }

    /// The picture as a PNG with a palette of both colours.
    pub(super) fn png(&self, design: &Design) -> Result<Vec<u8>, ApiError> {
        let palette: Vec<u8> = [&design.background, &design.foreground]
            .into_iter()
            .flat_map(|color| channels(color).unwrap_or_default())
            .collect();
        png::of_two_colors(design.size, &palette, &self.rows()).map_err(ApiError::internal)
    }

    /// Eight pixels a byte, each row in bytes of its own after its filter, which is none. 1 is dark.
    fn rows(&self) -> Vec<u8> {
        let row_bytes = 1 + self.size.div_ceil(8);
        let mut rows = Vec::with_capacity(row_bytes * self.size);
        rows.resize(row_bytes * self.offset, 0);
        for modules in self.modules.chunks(self.width) {
            let mut row = vec![0_u8; row_bytes];
            for (column, _) in modules.iter().enumerate().filter(|(_, dark)| **dark) {
                let from = self.offset + column * self.scale;
                for x in from..from + self.scale {
                    if let Some(byte) = row.get_mut(1 + x / 8) {
                        *byte |= 0x80 >> (x % 8);
                    }
                }
            }
            for _ in 0..self.scale {
                rows.extend_from_slice(&row);
            }
        }
        rows.resize(row_bytes * self.size, 0);
        rows
    }

    /// The picture as an SVG: a background, and a path with a piece for each run of dark modules.
    pub(super) fn svg(&self, design: &Design) -> String {
        let Self {
            modules,
            width,
            scale,
            offset,
            size,
        } = self;
        let mut path = String::new();
        for (row, modules) in modules.chunks(*width).enumerate() {
            let mut column = 0;
            for run in modules.chunk_by(|one, other| one == other) {
                if run.first() == Some(&true) {
                    let (x, y) = (offset + column * scale, offset + row * scale);
                    let length = run.len() * scale;
                    // Writing to a text never fails.
                    let _ = write!(path, "M{x} {y}h{length}v{scale}h-{length}z");
                }
                column += run.len();
            }
        }
        // Both colours were checked to be hexadecimal, so no text of a client is markup here.
        let Design {
            foreground,
            background,
            ..
        } = design;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" \
             viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\">\
             <rect width=\"{size}\" height=\"{size}\" fill=\"{background}\"/>\
             <path d=\"{path}\" fill=\"{foreground}\"/></svg>"
        )
    }
}

/// Makes the modules in the middle light.
fn free_middle(modules: &mut [bool], width: usize) {
    // An odd number of modules, so that the area is centred.
    let free = (width / LOGO_PART) | 1;
    let from = width.saturating_sub(free) / 2;
    for row in modules.chunks_mut(width).skip(from).take(free) {
        for module in row.iter_mut().skip(from).take(free) {
            *module = false;
        }
    }
}

#[cfg(test)]
mod tests;
