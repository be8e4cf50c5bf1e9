//! The hospital's picture: whether the bytes of a file are one that can be shown.
//!
//! A logo comes from whoever made the website, so it is looked at before anything draws it: a PNG or JPEG by its header before it is decoded,
//! within limits of size and memory; an SVG as XML, without document types, and with every reference leading into the file itself. No bytes make
//! this panic, take more memory than a screen, or fetch anything.

use std::collections::HashMap;

use image::{ImageFormat, ImageReader, Limits};
use roxmltree::{Document, Node, ParsingOptions};

/// Longest side in pixels: more than any panel has.
const SIDE_MAX: u32 = 4096;

/// Largest file: a logo has some KB.
const BYTES_MAX: usize = 8 << 20;

/// Elements of an SVG once every `use` is written out.
const ELEMENTS_MAX: usize = 20_000;

/// How deep they may lie in each other.
const DEPTH_MAX: usize = 64;

/// A picture that can be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Logo {
    /// The bytes of an SVG.
    Svg,
    /// A picture of dots.
    Pixels {
        /// Across.
        width: u32,
        /// Down.
        height: u32,
        /// Red, green, blue and opacity of each dot, row by row.
        rgba: Vec<u8>,
    },
}

/// Why a picture cannot be shown.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}")]
pub struct LogoError {
    /// What is wrong with the file.
    pub what: String,
    /// What to do.
    pub fix: &'static str,
}

fn wrong(what: impl Into<String>, fix: &'static str) -> LogoError {
    LogoError { what: what.into(), fix }
}

/// Looks into the bytes of a picture.
///
/// # Errors
/// What is wrong with it, in words that follow "FILE ".
pub fn read(bytes: &[u8]) -> Result<Logo, LogoError> {
    const OTHER: &str = "export the logo again as PNG, JPEG or SVG";
    if bytes.is_empty() {
        return Err(wrong("is empty", "copy the file again"));
    }
    if bytes.len() > BYTES_MAX {
        let what = format!("has {} MB, more than a logo needs", bytes.len() >> 20);
        return Err(wrong(what, "export the logo smaller"));
    }
    match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => pixels(bytes, format),
        Ok(_) => Err(wrong("is a picture of a kind that is not shown", OTHER)),
        Err(_) => match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("<svg") => svg(text).map(|()| Logo::Svg),
            Ok(_) | Err(_) => Err(wrong("is no picture", OTHER)),
        },
    }
}

fn pixels(bytes: &[u8], format: ImageFormat) -> Result<Logo, LogoError> {
    const AGAIN: &str = "copy the file again, or export the logo anew";
    let reader = || {
        let mut reader = ImageReader::with_format(std::io::Cursor::new(bytes), format);
        let mut limits = Limits::default();
        limits.max_image_width = Some(SIDE_MAX);
        limits.max_image_height = Some(SIDE_MAX);
        limits.max_alloc = Some(256 << 20);
        reader.limits(limits);
        reader
    };
    let unreadable = |error: image::ImageError| wrong(format!("cannot be read as a picture: {error}"), AGAIN);
    let (width, height) = reader().into_dimensions().map_err(unreadable)?;
    if width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX {
        let what =
            format!("has {width} x {height} pixels, more than the {SIDE_MAX} that a logo may have on a side");
        return Err(wrong(what, "export the logo smaller"));
    }
    let rgba = reader().decode().map_err(unreadable)?.into_rgba8();
    Ok(Logo::Pixels { width: rgba.width(), height: rgba.height(), rgba: rgba.into_raw() })
}

fn svg(text: &str) -> Result<(), LogoError> {
    const SIMPLER: &str = "simplify the drawing, or export it as PNG";
    let text = text.trim_start_matches('\u{feff}');
    // What drawing programs write names a public document type and defines nothing; entities could be anything.
    let options = ParsingOptions { allow_dtd: !defines_entities(text), ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        wrong(
            format!("is no SVG that can be read: {error}"),
            "export the logo again, without a document type",
        )
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "svg" {
        return Err(wrong("is XML, but no SVG", "export the logo as SVG, PNG or JPEG"));
    }
    for side in ["width", "height"] {
        let number =
            root.attribute(side).map(|value| value.trim_end_matches(|c: char| c.is_alphabetic() || c == '%'));
        let number: Option<f64> = number.and_then(|number| number.trim().parse().ok());
        if number.is_some_and(|number| !number.is_finite() || number > f64::from(SIDE_MAX) || number <= 0.0) {
            return Err(wrong(format!("has a {side} that no screen has"), "export the logo smaller"));
        }
    }
    for node in document.descendants().filter(Node::is_element) {
        if node.ancestors().count() > DEPTH_MAX {
            return Err(wrong(format!("is nested deeper than {DEPTH_MAX} elements"), SIMPLER));
        }
        if let Some(outside) = node
            .attributes()
            .find_map(|attribute| outside(attribute.name(), attribute.value()))
            .or_else(|| {
                node.text()
                    .filter(|_| node.tag_name().name() == "style")
                    .and_then(|style| outside("style", style))
            })
        {
            let what = format!("refers to something outside itself: {outside}");
            return Err(wrong(what, "embed what it refers to, or export the logo as PNG"));
        }
    }
    let ids: HashMap<&str, Node<'_, '_>> =
        document.descendants().filter_map(|node| Some((node.attribute("id")?, node))).collect();
    if size(root, &ids, &mut HashMap::new(), 0).is_none_or(|elements| elements > ELEMENTS_MAX) {
        return Err(wrong(
            format!("has more than {ELEMENTS_MAX} elements, or elements that use themselves"),
            SIMPLER,
        ));
    }
    Ok(())
}

/// Whether a document type has definitions of its own.
fn defines_entities(text: &str) -> bool {
    text.split_once("<!DOCTYPE").is_some_and(|(_, rest)| {
        let end = rest.find('>').unwrap_or(rest.len());
        rest[..end].contains('[') || rest.contains("<!DOCTYPE")
    }) || text.contains("<!ENTITY")
}

/// What an attribute fetches from elsewhere, shortened.
fn outside(name: &str, value: &str) -> Option<String> {
    let shown = |value: &str| Some(value.chars().take(60).collect());
    let own = |target: &str| {
        let target = target.trim().trim_start_matches(['"', '\'']).trim_start();
        target.is_empty()
            || target.starts_with('#')
            || target.starts_with("data:image/png")
            || target.starts_with("data:image/jpeg")
    };
    if name == "href" || name == "src" {
        return if own(value) { None } else { shown(value) };
    }
    let fetched = value.split("url(").skip(1).find(|target| !own(target));
    fetched.and_then(shown).or_else(|| value.contains("@import").then(|| "@import".to_owned()))
}

/// How many elements an element has with everything that it uses written out; none where it uses itself or goes too deep.
fn size<'a, 'i>(
    node: Node<'a, 'i>,
    ids: &HashMap<&str, Node<'a, 'i>>,
    known: &mut HashMap<roxmltree::NodeId, Option<usize>>,
    depth: usize,
) -> Option<usize> {
    if depth > 4 * DEPTH_MAX {
        return None;
    }
    if let Some(size) = known.get(&node.id()) {
        return *size;
    }
    // Whoever comes here again before the end has gone in a circle.
    known.insert(node.id(), None);
    let mut elements = 1_usize;
    for child in node.children().filter(Node::is_element) {
        elements = elements.saturating_add(size(child, ids, known, depth + 1)?);
    }
    let targets = node.attributes().flat_map(|attribute| {
        let whole = (attribute.name() == "href").then(|| attribute.value().trim());
        whole.into_iter().chain(
            attribute.value().split("url(").skip(1).map(|rest| rest.split(')').next().unwrap_or_default()),
        )
    });
    for target in targets {
        let id = target.trim_matches([' ', '"', '\'']).trim_start_matches('#');
        if let Some(used) = ids.get(id) {
            elements = elements.saturating_add(size(*used, ids, known, depth + 1)?);
        }
    }
    known.insert(node.id(), Some(elements));
    Some(elements)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SVG: &str = "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"40\" height=\"20\"><defs><linearGradient id=\"g\"/></defs><g id=\"a\"><rect width=\"9\" height=\"9\" fill=\"url(#g)\"/></g><use xlink:href=\"#a\"/></svg>";

    fn png() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::RgbaImage::from_pixel(9, 7, image::Rgba([1, 2, 3, 255]))
            .write_to(&mut bytes, ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    }

    fn jpeg() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::RgbImage::from_pixel(16, 8, image::Rgb([1, 2, 3]))
            .write_to(&mut bytes, ImageFormat::Jpeg)
            .unwrap();
        bytes.into_inner()
    }

    /// A header that promises a picture of a size, without the picture.
    fn bomb(side: u32) -> Vec<u8> {
        let mut bytes = png();
        bytes[16..20].copy_from_slice(&side.to_be_bytes());
        bytes[20..24].copy_from_slice(&side.to_be_bytes());
        let mut checksum = flate2::Crc::new();
        checksum.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
        bytes
    }

    #[test]
    fn pictures_are_read() {
        assert_eq!(read(SVG.as_bytes()), Ok(Logo::Svg));
        assert!(
            matches!(read(&png()), Ok(Logo::Pixels { width: 9, height: 7, rgba }) if rgba.len() == 9 * 7 * 4)
        );
        assert!(matches!(read(&jpeg()), Ok(Logo::Pixels { width: 16, height: 8, .. })));
    }

    #[test]
    fn a_document_type_without_definitions_is_what_drawing_programs_write() {
        let public = "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">";
        assert_eq!(read(SVG.replace("<svg", &format!("{public}<svg")).as_bytes()), Ok(Logo::Svg));
        for definitions in
            ["[<!ENTITY a \"b\">]", "SYSTEM \"x\" [<!ENTITY % a SYSTEM \"file:///etc/passwd\"> %a;]"]
        {
            let text = SVG.replace("<svg", &format!("<!DOCTYPE svg {definitions}><svg"));
            assert!(read(text.as_bytes()).is_err(), "{definitions}");
        }
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let laughs: String = (1..30)
            .map(|n| format!("<g id=\"l{n}\"><use href=\"#l{0}\"/><use href=\"#l{0}\"/></g>", n - 1))
            .collect();
        let within = |inner: &str| SVG.replace("<defs>", &format!("{inner}<defs>"));
        for (bytes, said) in [
            (b"".to_vec(), "is empty"),
            (b"<html><body>404</body></html>".to_vec(), "is no picture"),
            (b"GIF89a\x01\x00\x01\x00\x00\x00\x00".to_vec(), "of a kind that is not shown"),
            (png()[..40].to_vec(), "cannot be read as a picture"),
            (jpeg()[..60].to_vec(), "cannot be read as a picture"),
            (bomb(60_000), "cannot be read as a picture"),
            (bomb(5_000), "cannot be read as a picture"),
            (vec![b'x'; BYTES_MAX + 1], "8 MB"),
            (SVG.as_bytes()[..150].to_vec(), "is no SVG"),
            (SVG.replace("width=\"40\"", "width=\"1e9\"").into_bytes(), "a width that no screen has"),
            (SVG.replace("height=\"20\"", "height=\"-1\"").into_bytes(), "a height that no screen has"),
            (
                SVG.replace("\"#a\"", "\"http://tracker.example/x.svg#a\"").into_bytes(),
                "outside itself: http://tracker",
            ),
            (SVG.replace("\"#a\"", "\"file:///etc/passwd\"").into_bytes(), "outside itself: file"),
            (within("<image href=\"//host/x.png\"/>").into_bytes(), "outside itself: //host"),
            (SVG.replace("url(#g)", "url(https://host/g)").into_bytes(), "outside itself"),
            (within("<style>@import 'x.css';</style>").into_bytes(), "outside itself"),
            (SVG.replace("<svg", "<!DOCTYPE svg [<!ENTITY a \"aaaa\">]><svg").into_bytes(), "is no SVG"),
            (within(&format!("<g id=\"l0\"/>{laughs}")).into_bytes(), "more than 20000 elements"),
            (within("<g id=\"x\"><use href=\"#x\"/></g>").into_bytes(), "use themselves"),
            (within(&format!("{}{}", "<g>".repeat(200), "</g>".repeat(200))).into_bytes(), "nested deeper"),
        ] {
            let error = read(&bytes).expect_err(said);
            assert!(error.what.contains(said), "{said}: {error}");
            assert!(!error.fix.is_empty());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(17), ..ProptestConfig::default() })]

        #[test]
        fn no_mutation_of_a_picture_makes_the_reader_panic(kind in 0..3_usize, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>(), cuts in any::<bool>()) {
            let mut bytes = [SVG.as_bytes().to_vec(), png(), jpeg()].into_iter().nth(kind).unwrap();
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            let _ = read(&bytes);
        }
    }
}
