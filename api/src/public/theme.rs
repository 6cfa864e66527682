//! The colours of a page, for light and dark: our own, or the creator's if readable.
//!
//! The one rule: text has a contrast of at least 4.5 to 1 to its background (WCAG 2.2, 1.4.3).
//! An unreadable colour is replaced by black or white.

use serde_json::Value;
use std::fmt;

/// The contrast that WCAG requires for text, level AA.
const READABLE: f64 = 4.5;
/// The contrast that WCAG requires for parts of a control, such as its focus.
const VISIBLE: f64 = 3.0;

const WHITE: Colour = Colour([255, 255, 255]);
const BLACK: Colour = Colour([0, 0, 0]);

/// A colour without transparency. Written as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour([u8; 3]);

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Colour {
    /// Reads `#rgb` or `#rrggbb`.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let digits: Option<Vec<u8>> = digits
            .chars()
            .map(|c| u8::try_from(c.to_digit(16)?).ok())
            .collect();
        let digits = digits?;
        let pair = |high: usize, low: usize| Some(digits.get(high)? * 16 + digits.get(low)?);
        match digits.len() {
            3 => Some(Self([pair(0, 0)?, pair(1, 1)?, pair(2, 2)?])),
            6 => Some(Self([pair(0, 1)?, pair(2, 3)?, pair(4, 5)?])),
            _ => None,
        }
    }

    /// WCAG 2.2, relative luminance.
    fn luminance(self) -> f64 {
        let Self(parts) = self;
        let [red, green, blue] = parts.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// WCAG 2.2, contrast ratio: 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// This colour with this many hundredths of another.
    fn mix(self, other: Self, hundredths: u16) -> Self {
        let (Self(mine), Self(theirs)) = (self, other);
        let mut mixed = mine;
        for (part, other) in mixed.iter_mut().zip(theirs) {
            let sum = u16::from(*part) * (100 - hundredths) + u16::from(other) * hundredths;
            *part = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// Black or white, whichever is more readable on this colour. One of them always is readable.
    fn opposite(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) {
            WHITE
        } else {
            BLACK
        }
    }

    /// This colour if it is readable on that background, else black or white.
    fn on(self, background: Self) -> Self {
        if self.contrast(background) >= READABLE {
            self
        } else {
            background.opposite()
        }
    }

    /// A paler text of this colour, if that is still readable there.
    fn paler_on(self, background: Self) -> Self {
        let paler = self.mix(background, 28);
        if paler.contrast(background) >= READABLE {
            paler
        } else {
            self
        }
    }
}

/// The preference of a visitor's system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Light,
    Dark,
}

/// Every colour of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Palette {
    /// The scheme of the browser's own parts, such as scroll bars.
    pub(super) scheme: &'static str,
    pub(super) background: Colour,
    pub(super) text: Colour,
    pub(super) muted: Colour,
    pub(super) card: Colour,
    pub(super) card_text: Colour,
    pub(super) card_muted: Colour,
    pub(super) border: Colour,
    /// The place of a player before it loads.
    pub(super) inset: Colour,
    pub(super) inset_text: Colour,
    pub(super) accent: Colour,
    pub(super) on_accent: Colour,
    /// The ring around the focused control.
    pub(super) focus: Colour,
}

impl Palette {
    /// The colours of a page in that scheme. Takes the members `background`, `text`, `card`,
    /// `cardText` and `accent` of `themeOverride` that are colours; they apply in both schemes.
    pub(super) fn new(scheme: Scheme, theme: Option<&Value>) -> Self {
        let chosen = |name: &str| Colour::parse(theme?.get(name)?.as_str()?);
        let [background, text, card, accent] = match scheme {
            Scheme::Light => ["#f5f4f0", "#1b1c20", "#ffffff", "#2f4bd8"],
            Scheme::Dark => ["#121318", "#f2f1ee", "#1e2028", "#a9b6ff"],
        }
        .map(|ours| Colour::parse(ours).unwrap_or(BLACK));

        let own_background = chosen("background");
        let background = own_background.unwrap_or(background);
        let own_text = chosen("text");
        let text = own_text.unwrap_or(text).on(background);
        // On the creator's own background, cards are a shade of it.
        let shade = own_background.map(|own| own.mix(own.opposite(), 8));
        let card = chosen("card").or(shade).unwrap_or(card);
        // A chosen text colour also applies to cards.
        let card_text = chosen("cardText").or(own_text).unwrap_or(text).on(card);
        let inset = card.mix(card_text, 8);
        let accent = chosen("accent").unwrap_or(accent);
        // An invisible focus ring gets the colour of the text instead.
        let seen = accent.contrast(background) >= VISIBLE && accent.contrast(card) >= VISIBLE;
        Self {
            scheme: if background.opposite() == WHITE {
                "dark"
            } else {
                "light"
            },
            background,
            text,
            muted: text.paler_on(background),
            card,
            card_text,
            card_muted: card_text.paler_on(card),
            border: card.mix(card_text, 16),
            inset,
            inset_text: card_text.on(inset),
            accent,
            on_accent: WHITE.on(accent),
            focus: if seen { accent } else { text },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn assert_readable(palette: &Palette) {
        for (text, on) in [
            (palette.text, palette.background),
            (palette.muted, palette.background),
            (palette.card_text, palette.card),
            (palette.card_muted, palette.card),
            (palette.inset_text, palette.inset),
            (palette.on_accent, palette.accent),
        ] {
            let contrast = text.contrast(on);
            assert!(contrast >= READABLE, "{text} on {on}: {contrast}");
        }
        let ring = palette.focus.contrast(palette.background);
        assert!(
            ring >= VISIBLE,
            "{} on {}",
            palette.focus,
            palette.background
        );
    }

    #[test]
    fn colours_are_read_and_written() {
        for (text, written) in [
            ("#fff", Some("#ffffff")),
            ("#09F", Some("#0099ff")),
            ("#12aB9c", Some("#12ab9c")),
        ] {
            assert_eq!(
                Colour::parse(text).map(|c| c.to_string()).as_deref(),
                written
            );
        }
        for text in [
            "",
            "#",
            "fff",
            "#ff",
            "#ffff",
            "#12345",
            "#12345678",
            "#gggggg",
            "red",
            "#fff;}",
            "url(#fff)",
            "#１２３",
        ] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
    }

    #[test]
    fn contrast_follows_the_formula_of_wcag() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        // A grey that WCAG's understanding page gives as just readable on white.
        let grey = Colour::parse("#767676").unwrap();
        assert!((grey.contrast(WHITE) - 4.54).abs() < 0.01);
        assert!((WHITE.contrast(WHITE) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn invalid_colours_change_nothing() {
        for scheme in [Scheme::Light, Scheme::Dark] {
            let ours = Palette::new(scheme, None);
            for theme in [
                json!({}),
                json!({"background": "red", "text": 7, "accent": null, "font": "#fff"}),
                json!([]),
                json!("x"),
            ] {
                assert_eq!(Palette::new(scheme, Some(&theme)), ours, "{theme}");
            }
            assert_readable(&ours);
        }
    }

    #[test]
    fn readable_colours_are_kept_and_others_are_replaced() {
        let theme = json!({"background": "#1a0033", "text": "#ffe9a8", "accent": "#ff3366"});
        let palette = Palette::new(Scheme::Light, Some(&theme));
        assert_eq!(palette.text.to_string(), "#ffe9a8");
        assert_eq!(palette.scheme, "dark");
        let theme = json!({"background": "#fff", "text": "#fefefe"});
        assert_eq!(Palette::new(Scheme::Dark, Some(&theme)).text, BLACK);
    }

    proptest! {
        #[test]
        fn every_choice_is_readable(
            colours in proptest::collection::vec(any::<[u8; 3]>(), 5),
            chosen in any::<[bool; 5]>(),
        ) {
            let names = ["background", "text", "card", "cardText", "accent"];
            let theme: Value = names.iter().zip(&colours).zip(chosen)
                .filter(|(_, chosen)| *chosen)
                .map(|((name, colour), _)| ((*name).to_owned(), json!(Colour(*colour).to_string())))
                .collect::<serde_json::Map<_, _>>()
                .into();
            for scheme in [Scheme::Light, Scheme::Dark] {
                assert_readable(&Palette::new(scheme, Some(&theme)));
            }
        }
    }
}
