//! Pictures are read back by a decoder, in every design.

use super::*;
use proptest::prelude::*;

const TEXT: &str = "https://footfall.test/Spring-Sale_2026?qr=poster-lyon";

/// The pixels of a PNG, light or dark, and its width.
fn pixels(bytes: &[u8]) -> (Vec<bool>, usize) {
    let mut decoder = ::png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(::png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    assert_eq!(info.width, info.height);
    let first = [rgb[0], rgb[1], rgb[2]];
    let dark = rgb.chunks(3).map(|pixel| pixel != first);
    (dark.collect(), usize::try_from(info.width).unwrap())
}

fn decoded((dark, width): (Vec<bool>, usize)) -> Option<String> {
    let shade = |x: usize, y: usize| if dark[y * width + x] { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, width, shade);
    let grids = image.detect_grids();
    let (_, text) = grids.first()?.decode().ok()?;
    Some(text)
}

/// The pixels of an SVG, by the commands of its path: `M x y h length v scale ...`.
fn pixels_of_svg(svg: &str, width: usize) -> Vec<bool> {
    let (_, path) = svg.split_once(" d=\"").unwrap();
    let (path, _) = path.split_once('"').unwrap();
    let mut dark = vec![false; width * width];
    for piece in path.split('M').skip(1) {
        let numbers: Vec<usize> = piece
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|text| text.parse().ok())
            .collect();
        let [x, y, length, scale, back] = numbers[..] else {
            panic!("{piece}");
        };
        assert_eq!(length, back);
        for row in y..y + scale {
            dark[row * width + x..][..length].fill(true);
        }
    }
    dark
}

fn design() -> impl Strategy<Value = Design> {
    let level = prop_oneof![
        Just(ErrorCorrection::L),
        Just(ErrorCorrection::M),
        Just(ErrorCorrection::Q),
        Just(ErrorCorrection::H),
    ];
    (150u32..400, 1u32..8, level, any::<bool>()).prop_map(|(size, margin, level, logo_area)| {
        Design {
            size,
            margin,
            error_correction: level,
            logo_area,
            foreground: "#0a3d62".to_owned(),
            ..Design::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn both_pictures_are_the_same_and_say_the_text(design in design()) {
        let drawing = Drawing::new(TEXT, &design).unwrap();
        let (dark, width) = pixels(&drawing.png(&design).unwrap());
        prop_assert_eq!(width, usize::try_from(design.size).unwrap());
        let svg = drawing.svg(&design);
        prop_assert!(svg.contains("#0a3d62") && svg.contains("#ffffff"));
        prop_assert_eq!(&pixels_of_svg(&svg, width), &dark);
        let text = decoded((dark, width));
        prop_assert_eq!(text.as_deref(), Some(TEXT));
    }

    #[test]
    fn a_drawing_never_panics(
        text in ".{0,600}",
        size in 0u32..700,
        margin in any::<u32>(),
    ) {
        let design = Design { size, margin, ..Design::default() };
        if let Ok(drawing) = Drawing::new(&text, &design) {
            drawing.png(&design).unwrap();
            drawing.svg(&design);
        }
    }
}

#[test]
fn without_a_margin_the_code_is_centred_in_whole_pixels() {
    let design = Design {
        size: 200,
        margin: 0,
        ..Design::default()
    };
    let drawing = Drawing::new(TEXT, &design).unwrap();
    assert_eq!((drawing.width, drawing.scale), (33, 6));
    let (dark, width) = pixels(&drawing.png(&design).unwrap());
    // 33 modules of 6 pixels are 198, so one pixel is left on each side.
    assert!(!dark[0] && dark[width + 1] && dark[7 * width + 1]);
    assert_eq!(decoded((dark, width)).as_deref(), Some(TEXT));
}

#[test]
fn a_logo_may_cover_the_free_area() {
    let design = Design {
        logo_area: true,
        error_correction: ErrorCorrection::L,
        ..Design::default()
    };
    let drawing = Drawing::new(TEXT, &design).unwrap();
    let (mut dark, width) = pixels(&drawing.png(&design).unwrap());
    let middle = width / 2 - width / 14..width / 2 + width / 14;
    for y in middle.clone() {
        assert!(middle.clone().all(|x| !dark[y * width + x]));
        dark[y * width..][middle.clone()].fill(true);
    }
    assert_eq!(decoded((dark, width)).as_deref(), Some(TEXT));
}

#[test]
fn a_picture_is_too_small_for_some_codes() {
    let small = Design {
        size: 64,
        margin: 20,
        ..Design::default()
    };
    let problem = Drawing::new(TEXT, &small).unwrap_err();
    assert!(problem.contains("at least 73"), "{problem}");
    let problem = Drawing::new(&"x".repeat(3_000), &Design::default()).unwrap_err();
    assert!(problem.contains("too long"), "{problem}");
}

#[test]
fn colours_must_be_dark_on_light() {
    for (dark, light, readable) in [
        ("#000000", "#ffffff", true),
        ("#ffffff", "#000000", false),
        ("#ffff00", "#ffffff", false),
        ("#949494", "#ffffff", true),
        ("#959595", "#ffffff", false),
        ("#000\"/>", "#ffffff", false),
    ] {
        assert_eq!(is_readable(dark, light), readable, "{dark} on {light}");
    }
}
