//! Pictures of every page, for people: single ones, and sheets on which a whole panel can be looked at.
//!
//! Each picture goes over a simulated display, with 24 bits a pixel or with the 16 of a cheap panel.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use embedded_graphics::{
    Drawable,
    draw_target::DrawTarget,
    geometry::{Point, Size},
    mono_font::{MonoTextStyle, ascii::FONT_9X15},
    pixelcolor::{PixelColor, Rgb565, Rgb888},
    primitives::Rectangle,
    text::{Baseline, Text},
};
use embedded_graphics_simulator::{OutputSettings, SimulatorDisplay};

use crate::{
    page_audit::{
        gallery::{Gallery, Group, Scene, Voice},
        stage::{Frame, Stage},
    },
    panel::Panel,
    theme::{Color, Theme},
};

/// What to take pictures of.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// On these panels.
    pub panels: Vec<Panel>,
    /// Targets in the lower half.
    pub low_reach: bool,
    /// In this language only; else in all.
    pub lang: Option<String>,
    /// In this theme only; else in all.
    pub theme: Option<Theme>,
    /// A picture of each page, not only sheets.
    pub singles: bool,
    /// 16 bits a pixel.
    pub rgb565: bool,
}

/// A page on a sheet is this many pixels on its longer side.
const THUMB_PX: usize = 360;
/// Pages a row.
const COLUMNS_LANDSCAPE: usize = 6;
const COLUMNS_PORTRAIT: usize = 10;
/// The height of a caption, and the space between pages.
const CAPTION_PX: usize = 18;
const SPACE_PX: usize = 12;
/// Behind the pages of a sheet.
const DESK: Rgb888 = Rgb888::new(0x80, 0x80, 0x80);
const CAPTION: Rgb888 = Rgb888::new(0xff, 0xff, 0xff);

/// Writes pictures into a folder and returns their paths. Runs on a thread of its own, since a thread has one screen.
///
/// # Errors
/// A language nobody speaks, or a file that cannot be written.
pub fn save(gallery: Gallery, wanted: &Wanted, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (wanted, folder) = (wanted.clone(), folder.to_owned());
    let work = std::thread::spawn(move || Photographer::new(gallery, wanted, folder)?.work());
    work.join().map_err(|_| anyhow!("the pictures were not finished: a page cannot be drawn"))?
}

struct Photographer {
    gallery: Gallery,
    wanted: Wanted,
    folder: PathBuf,
    stage: Stage,
    paths: Vec<PathBuf>,
}

impl Photographer {
    fn new(gallery: Gallery, wanted: Wanted, folder: PathBuf) -> anyhow::Result<Self> {
        let stage = Stage::new(gallery.fonts())?;
        Ok(Self { gallery, wanted, folder, stage, paths: Vec::new() })
    }

    fn work(mut self) -> anyhow::Result<Vec<PathBuf>> {
        let speaks = |voice: &Voice| self.wanted.lang.as_ref().is_none_or(|lang| voice.lang.as_str() == lang);
        let voices: Vec<Voice> = self.gallery.voices().into_iter().filter(speaks).collect();
        anyhow::ensure!(
            !voices.is_empty(),
            "there is no language `{}`",
            self.wanted.lang.unwrap_or_default()
        );
        for panel in self.wanted.panels.clone() {
            for voice in &voices {
                for theme in Theme::ALL {
                    if self.wanted.theme.is_none_or(|wanted| wanted == theme) {
                        self.sheet(&panel, voice, theme)?;
                    }
                }
            }
        }
        Ok(self.paths)
    }

    /// All pages of one panel, language and theme.
    fn sheet(&mut self, panel: &Panel, voice: &Voice, theme: Theme) -> anyhow::Result<()> {
        self.stage.lay_out(panel, self.wanted.low_reach);
        self.stage.paint(&theme.palette(None));
        let scenes = Gallery::scenes();
        let mut sheet = Sheet::new(panel, scenes.len(), self.wanted.rgb565);
        let place = format!("{}/{}/{}", file_name(panel, &self.wanted), voice.lang, theme.name());
        for scene in &scenes {
            self.gallery.show(&mut self.stage, scene, voice);
            let frame = self.stage.frame();
            sheet.add(scene, &frame);
            if self.wanted.singles {
                let path = self.folder.join(&place).join(format!("{}.png", scene.name));
                save_frame(&frame, self.wanted.rgb565, &path)?;
                self.paths.push(path);
            }
        }
        let path = self.folder.join(format!("{}.png", place.replace('/', "-")));
        write(&sheet.display, &path)?;
        self.paths.push(path);
        Ok(())
    }
}

/// A panel as part of a file name: `10.1in-1280x800-low-reach`.
fn file_name(panel: &Panel, wanted: &Wanted) -> String {
    let (width, height) = panel.page_px();
    let large = if panel.large_text { "-large-text" } else { "" };
    let low = if wanted.low_reach { "-low-reach" } else { "" };
    let coarse = if wanted.rgb565 { "-rgb565" } else { "" };
    format!("{}in-{width}x{height}{large}{low}{coarse}", panel.diagonal_in)
}

/// Writes what is on the glass as a PNG, by way of a display with 24 or with 16 bits a pixel.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn save_frame(frame: &Frame, rgb565: bool, path: &Path) -> anyhow::Result<()> {
    if rgb565 { write(&on_display::<Rgb565>(frame), path) } else { write(&on_display::<Rgb888>(frame), path) }
}

fn on_display<C: PixelColor + From<Rgb888> + Into<Rgb888>>(frame: &Frame) -> SimulatorDisplay<C> {
    let (width, height) = frame.size();
    let mut display = SimulatorDisplay::with_default_color(size(width, height), Rgb888::default().into());
    let area = Rectangle::new(Point::zero(), size(width, height));
    let colors = frame.pixels().iter().map(|pixel| Rgb888::new(pixel.r, pixel.g, pixel.b).into());
    // Its error type is `Infallible`.
    let Ok(()) = display.fill_contiguous(&area, colors);
    display
}

fn write<C: PixelColor + Into<Rgb888>>(display: &SimulatorDisplay<C>, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let image = display.to_rgb_output_image(&OutputSettings::default());
    image.save_png(path).with_context(|| format!("cannot write {}", path.display()))
}

/// Small pictures of many pages, each with its name.
struct Sheet {
    display: SimulatorDisplay<Rgb888>,
    columns: usize,
    thumb: (usize, usize),
    /// The pages as a panel with 16 bits a pixel shows them.
    rgb565: bool,
    filled: usize,
}

impl Sheet {
    fn new(panel: &Panel, pages: usize, rgb565: bool) -> Self {
        let (width, height) = panel.page_px();
        let (width, height) = (width as usize, height as usize);
        let columns = if height > width { COLUMNS_PORTRAIT } else { COLUMNS_LANDSCAPE };
        let longer = width.max(height);
        let thumb = (width * THUMB_PX / longer, height * THUMB_PX / longer);
        let rows = pages.div_ceil(columns);
        let whole = size(
            SPACE_PX + columns * (thumb.0 + SPACE_PX),
            SPACE_PX + rows * (thumb.1 + CAPTION_PX + SPACE_PX),
        );
        Self { display: SimulatorDisplay::with_default_color(whole, DESK), columns, thumb, rgb565, filled: 0 }
    }

    fn add(&mut self, scene: &Scene, frame: &Frame) {
        let (column, row) = (self.filled % self.columns, self.filled / self.columns);
        self.filled += 1;
        let (width, height) = self.thumb;
        let (x, y) =
            (SPACE_PX + column * (width + SPACE_PX), SPACE_PX + row * (height + CAPTION_PX + SPACE_PX));
        let group = match scene.group {
            Group::Patient => "",
            Group::Notice => "notice: ",
            Group::Staff => "staff: ",
            Group::Touched => "touched: ",
        };
        let caption = format!("{group}{}", scene.name);
        let style = MonoTextStyle::new(&FONT_9X15, CAPTION);
        // Both error types are `Infallible`.
        let Ok(_) = Text::with_baseline(&caption, point(x, y), style, Baseline::Top).draw(&mut self.display);
        let area = Rectangle::new(point(x, y + CAPTION_PX), size(width, height));
        let seen = |color: Color| if self.rgb565 { color.to_rgb565() } else { color };
        let colors = (0..width * height).map(|at| mean(frame, (at % width, at / width), self.thumb, seen));
        let Ok(()) = self.display.fill_contiguous(&area, colors);
    }
}

/// The mean of all pixels that fall on one of a smaller picture.
fn mean(
    frame: &Frame,
    (x, y): (usize, usize),
    (width, height): (usize, usize),
    seen: impl Fn(Color) -> Color,
) -> Rgb888 {
    let (whole_width, whole_height) = frame.size();
    let part = |at: usize, of: usize, whole: usize| {
        let from = at * whole / of;
        from..((at + 1) * whole / of).max(from + 1)
    };
    let (mut sum, mut count) = ([0_usize; 3], 0);
    for row in part(y, height, whole_height) {
        for column in part(x, width, whole_width) {
            let Some(Color { r, g, b }) = frame.at(column, row).map(&seen) else { continue };
            for (sum, channel) in sum.iter_mut().zip([r, g, b]) {
                *sum += usize::from(channel);
            }
            count += 1;
        }
    }
    let [red, green, blue] = sum.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX));
    Rgb888::new(red, green, blue)
}

fn size(width: usize, height: usize) -> Size {
    let side = |pixels| u32::try_from(pixels).unwrap_or(u32::MAX);
    Size::new(side(width), side(height))
}

fn point(x: usize, y: usize) -> Point {
    let place = |pixels| i32::try_from(pixels).unwrap_or(i32::MAX);
    Point::new(place(x), place(y))
}
