//! Screens as they were last looked at and found good: one panel per orientation, and one with letters taller than 256 pixels.
//!
//! A picture that changes is looked at before it is kept: `XINSHENG_RENEW_SCREENS=1 cargo test --test screens golden::` writes the pictures
//! of `tests/golden` anew, and the review of the change shows them side by side with the old ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::pedantic,
    reason = "a test that cannot go on fails"
)]
#![cfg(feature = "simulator")]

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
};

use xinsheng::{
    page_audit::{
        gallery::{Gallery, Scene},
        stage::{Frame, Stage},
    },
    panel::{Panel, Rotation},
    simulator::pictures::{Wanted, save},
    theme::Theme,
};

/// A channel may differ by this much before a pixel counts as changed: another processor rounds the edges of letters otherwise.
const CHANNEL_SLACK: u8 = 24;
/// So many pixels in a million may be changed.
const CHANGED_PPM: usize = 50;

struct Picture {
    panel: Panel,
    folder: &'static str,
    scene: &'static str,
    lang: &'static str,
    theme: Theme,
}

impl Picture {
    fn path(&self) -> PathBuf {
        let name = format!("{}-{}-{}.png", self.scene, self.lang, self.theme.name().replace(' ', "-"));
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(self.folder).join(name)
    }
}

fn pictures() -> Vec<Picture> {
    const SCENES: [&str; 10] = [
        "attract",
        "choice-6",
        "question-csat5",
        "question-nps11",
        "reasons-6",
        "thanks-another",
        "still-there",
        "language",
        "help-told",
        "pin",
    ];
    let landscape = Panel::new(10.1, 1280, 800);
    let portrait = Panel { rotation: Rotation::Quarter, ..landscape };
    let mut pictures = Vec::new();
    for (panel, folder) in [(landscape, "landscape"), (portrait, "portrait")] {
        let mut add = |scene, lang, theme| pictures.push(Picture { panel, folder, scene, lang, theme });
        for scene in SCENES {
            add(scene, "zh-CN", Theme::Standard);
        }
        add("question-csat5", "ug", Theme::Night);
        add("question-csat5", "bo", Theme::Standard);
        add("reasons-6", "en", Theme::HighContrast);
    }
    // 13 pixels a millimetre: the seconds of the countdown are drawn with more than 256 pixels an em, which the renderer once could not.
    let fine = Panel { rotation: Rotation::Half, ..Panel::new(13.3, 3840, 2160) };
    pictures.push(Picture {
        panel: fine,
        folder: "fine",
        scene: "still-there",
        lang: "en",
        theme: Theme::Standard,
    });
    pictures
}

#[test]
fn pages_look_as_they_did_when_they_were_last_looked_at() {
    let gallery = Gallery::shipped().unwrap();
    let mut stage = Stage::new(gallery.fonts()).unwrap();
    let scenes = Gallery::scenes();
    let mut changed = Vec::new();
    for picture in pictures() {
        let scene = scenes.iter().find(|scene| scene.name == picture.scene).unwrap();
        let frame = draw(&gallery, &mut stage, &picture, scene);
        if renewing() {
            write(&frame, &picture.path());
        } else if let Some(difference) = difference(&frame, &picture.path()) {
            let found = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join(picture.folder)
                .join(picture.path().file_name().unwrap());
            write(&frame, &found);
            changed.push(format!("{}: {difference}; now {}", picture.path().display(), found.display()));
        }
    }
    assert!(
        changed.is_empty(),
        "{}\nlook at them; if they are good: XINSHENG_RENEW_SCREENS=1 cargo test --test screens golden::",
        changed.join("\n")
    );
}

#[test]
fn the_largest_letters_are_taller_than_256_pixels() {
    let gallery = Gallery::shipped().unwrap();
    let mut stage = Stage::new(gallery.fonts()).unwrap();
    let picture = pictures().pop().unwrap();
    let scene = Gallery::scenes().into_iter().find(|scene| scene.name == picture.scene).unwrap();
    draw(&gallery, &mut stage, &picture, &scene);
    let sketch = stage.sketch();
    let ems = sketch.texts.iter().flat_map(|text| text.lines.iter().map(|line| line.em));
    let largest = ems.fold(0.0, f32::max);
    assert!(largest > 256.0, "{largest}");
}

/// So that this suite can fail: a page in other colours, with another word or moved by a pixel is another picture.
#[test]
fn another_word_another_colour_and_a_shift_are_seen() {
    // The pictures to compare with are just being written.
    if renewing() {
        return;
    }
    let gallery = Gallery::shipped().unwrap();
    let mut stage = Stage::new(gallery.fonts()).unwrap();
    let scenes = Gallery::scenes();
    let all = pictures();
    let picture =
        all.iter().find(|picture| picture.scene == "question-csat5" && picture.lang == "zh-CN").unwrap();
    let find = |name: &str| scenes.iter().find(|scene| scene.name == name).unwrap();
    let differs = |stage: &mut Stage, other: &Picture, scene: &str| {
        difference(&draw(&gallery, stage, other, find(scene)), &picture.path()).is_some()
    };
    let like = |change: fn(&mut Picture)| {
        let mut other = Picture { folder: picture.folder, ..*picture };
        change(&mut other);
        other
    };
    assert!(!differs(&mut stage, &like(|_| ()), "question-csat5"));
    assert!(differs(&mut stage, &like(|_| ()), "question-ces5"), "another word");
    assert!(
        differs(&mut stage, &like(|other| other.theme = Theme::HighContrast), "question-csat5"),
        "a colour"
    );
    assert!(differs(&mut stage, &like(|other| other.panel.diagonal_in = 10.0), "question-csat5"), "a shift");
}

#[test]
fn contact_sheets_show_every_page_and_a_coarse_panels_colours() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = |rgb565| Wanted {
        panels: vec![Panel::new(7.0, 800, 480)],
        low_reach: false,
        lang: Some("zh-CN".to_owned()),
        theme: Some(Theme::Night),
        singles: true,
        rgb565,
    };
    let mut sheets = Vec::new();
    for rgb565 in [false, true] {
        let paths = save(Gallery::shipped().unwrap(), &wanted(rgb565), folder.path()).unwrap();
        assert_eq!(paths.len(), Gallery::scenes().len() + 1, "each page, and the sheet");
        let question = paths.iter().find(|path| path.ends_with("question-csat5.png")).unwrap();
        let reds: BTreeSet<u8> = read(question).1.chunks(3).map(|pixel| pixel[0]).collect();
        assert_eq!(reds.len() <= 32, rgb565, "{} shades of red in {}", reds.len(), question.display());
        sheets.push(read(paths.last().unwrap()).1);
    }
    assert_eq!(sheets[0].len(), sheets[1].len());
    assert_ne!(sheets[0], sheets[1], "the sheet shows what the panel does");
}

fn renewing() -> bool {
    std::env::var_os("XINSHENG_RENEW_SCREENS").is_some()
}

fn draw<'a>(gallery: &Gallery, stage: &'a mut Stage, picture: &Picture, scene: &Scene) -> Frame<'a> {
    let voice = gallery.voices().into_iter().find(|voice| voice.lang.as_str() == picture.lang).unwrap();
    stage.lay_out(&picture.panel, false);
    stage.paint(&picture.theme.palette(None));
    gallery.show(stage, scene, &voice);
    stage.frame()
}

/// What is different, if anything is.
fn difference(frame: &Frame, golden: &Path) -> Option<String> {
    if !golden.exists() {
        return Some("there is no such picture yet".to_owned());
    }
    let (size, bytes) = read(golden);
    if size != frame.size() {
        return Some(format!("{size:?} became {:?}", frame.size()));
    }
    let differs = |(now, then): (&slint::Rgb8Pixel, &[u8])| {
        [now.r, now.g, now.b].iter().zip(then).any(|(a, b)| a.abs_diff(*b) > CHANNEL_SLACK)
    };
    let changed = frame.pixels().iter().zip(bytes.chunks_exact(3)).filter(|pair| differs(*pair)).count();
    (changed * 1_000_000 > CHANGED_PPM * frame.pixels().len()).then(|| format!("{changed} pixels changed"))
}

/// Width and height, and three bytes a pixel.
fn read(path: &Path) -> ((usize, usize), Vec<u8>) {
    let file = File::open(path).unwrap();
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    ((info.width as usize, info.height as usize), bytes)
}

fn write(frame: &Frame, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let (width, height) = frame.size();
    let file = BufWriter::new(File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    // Plain areas and letters pack best as they are.
    encoder.set_filter(png::Filter::NoFilter);
    let bytes: Vec<u8> = frame.pixels().iter().flat_map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
    encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
}
