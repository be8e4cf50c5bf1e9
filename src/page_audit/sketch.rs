//! What a window draws, as a list instead of pixels: every text with its lines and glyphs, every drawing, every plate, every target.
//!
//! Slint walks its items in front of a renderer; [`Sketcher`] is one that writes down what it is asked to draw. So an audit knows the font
//! size that was really used, where each line's ink is, and what belongs to which target, without a page having to tell.

mod glyphs;

use std::{pin::Pin, rc::Rc};

use i_slint_core::{
    Brush, Color as SlintColor,
    graphics::Image,
    item_rendering::{
        CachedRenderingData, ItemRenderer, PlainOrStyledText, RenderBorderRectangle, RenderImage,
        RenderRectangle, RenderText, render_component_items,
    },
    item_tree::{ItemRc, ParentItemTraversalMode},
    items::{AccessibleRole, BoxShadow, Path, TextInput, TextOverflow, TouchArea},
    lengths::{LogicalBorderRadius, LogicalPoint, LogicalRect, LogicalSize, LogicalVector, ScaleFactor},
    textlayout::sharedparley::{
        self, GlyphRenderer, PhysicalLength, PhysicalRect, RectangleBorder, fontique, parley,
    },
    window::{WindowAdapter, WindowInner},
};

use super::Area;
use crate::theme::Color;
pub(crate) use glyphs::GlyphBoxes;

/// Everything a window draws, in drawing order. Lengths are physical pixels.
#[derive(Clone, Debug, Default)]
pub struct Sketch {
    /// The whole glass.
    pub glass: Area,
    /// What can be touched, in the order of the page's source: the order of the keyboard.
    pub targets: Vec<Target>,
    /// What can be read.
    pub texts: Vec<Text>,
    /// Faces, icons and pictures.
    pub pictures: Vec<Picture>,
    /// Filled and framed rectangles.
    pub plates: Vec<Plate>,
    /// What takes a touch without being a target, by its names.
    pub strays: Vec<Vec<String>>,
}

/// Something to touch.
#[derive(Clone)]
pub struct Target {
    /// What assistive programs call it.
    pub label: String,
    /// Where it takes a touch.
    pub area: Area,
    /// It takes no tap now.
    pub asleep: bool,
    item: ItemRc,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("label", &self.label).field("area", &self.area).finish_non_exhaustive()
    }
}

/// One text.
#[derive(Clone, Debug)]
pub struct Text {
    /// What it is called in the pages' source, from the text outwards, such as `Pair::first`, `Frame::heading`.
    pub names: Vec<String>,
    /// Its words.
    pub words: String,
    /// The room it has.
    pub room: Area,
    /// What leaves the room is cut off.
    pub clipped: bool,
    /// Its end was replaced by an ellipsis.
    pub elided: bool,
    /// As it was asked for.
    pub color: Color,
    /// The target it stands on, as an index.
    pub target: Option<usize>,
    /// Its lines, from above.
    pub lines: Vec<Line>,
    /// Characters no font has a glyph for.
    pub missing: usize,
}

impl Text {
    /// Whether the text or what it is part of has this name in the source.
    pub fn is(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Where its ink is; `None` if there is none.
    pub fn ink(&self) -> Option<Area> {
        self.lines.iter().map(|line| line.ink).reduce(|a, b| a.union(&b))
    }
}

/// A line of a text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Line {
    /// Where the letters stand.
    pub baseline: f32,
    /// Height of an em, as drawn.
    pub em: f32,
    /// Height of a capital H of this size.
    pub capital: f32,
    /// Height of an ideograph of this size.
    pub ideograph: f32,
    /// What is really covered.
    pub ink: Area,
    /// Glyphs about as wide as an em: ideographs and full-width signs.
    pub wide: usize,
    /// All others that take room, spaces too.
    pub narrow: usize,
    /// Letters, digits and ideographs, without signs and spaces.
    pub characters: usize,
}

/// A drawing.
#[derive(Clone, Debug)]
pub struct Picture {
    /// As for a text.
    pub names: Vec<String>,
    /// Where it is.
    pub area: Area,
    /// The target it stands on.
    pub target: Option<usize>,
}

/// A rectangle with a fill, a frame, or both.
#[derive(Clone, Debug)]
pub struct Plate {
    /// As for a text.
    pub names: Vec<String>,
    /// Where it is.
    pub area: Area,
    /// How thick its frame is.
    pub border: f32,
    /// How round its corners are.
    pub radius: f32,
    /// The target it stands on.
    pub target: Option<usize>,
}

impl Sketch {
    /// Writes down what a window draws.
    pub fn of(window: &slint::Window, boxes: &mut GlyphBoxes) -> Self {
        let inner = WindowInner::from_pub(window);
        // What a renderer does first: the page that is to show may not be there yet.
        inner.ensure_tree_instantiated();
        let adapter = inner.window_adapter();
        let size = window.size();
        #[expect(clippy::cast_precision_loss, reason = "a screen has fewer than 2^24 pixels a side")]
        let glass = Area { x: 0.0, y: 0.0, width: size.width as f32, height: size.height as f32 };
        let scale = ScaleFactor::new(inner.scale_factor());
        let clip = LogicalRect::from_size(LogicalSize::new(glass.width, glass.height) / scale.get());
        let mut sketcher = Sketcher {
            window: inner,
            adapter: adapter.clone(),
            scale,
            state: State { offset: LogicalVector::default(), clip, target: None, opacity: 1.0 },
            saved: Vec::new(),
            boxes,
            sketch: Self { glass, ..Self::default() },
        };
        render_component_items(&inner.component(), &mut sketcher, LogicalPoint::default(), &adapter);
        sketcher.sketch
    }

    /// The target that the keyboard would press.
    pub(crate) fn focused(&self, window: &slint::Window) -> Option<usize> {
        let mut item = WindowInner::from_pub(window).focus_item.borrow().upgrade();
        while let Some(here) = item {
            if let Some(found) = self.targets.iter().position(|target| target.item == here) {
                return Some(found);
            }
            item = here.parent_item(ParentItemTraversalMode::StopAtPopups);
        }
        None
    }
}

#[derive(Clone, Copy)]
struct State {
    offset: LogicalVector,
    /// In the coordinates of the item.
    clip: LogicalRect,
    target: Option<usize>,
    opacity: f32,
}

struct Sketcher<'a> {
    window: &'a WindowInner,
    adapter: Rc<dyn WindowAdapter>,
    scale: ScaleFactor,
    state: State,
    saved: Vec<State>,
    boxes: &'a mut GlyphBoxes,
    sketch: Sketch,
}

impl Sketcher<'_> {
    /// A rectangle of the item, on the glass.
    fn on_glass(&self, rect: LogicalRect) -> Area {
        let scale = self.scale.get();
        let rect = rect.translate(self.state.offset);
        Area {
            x: rect.origin.x * scale,
            y: rect.origin.y * scale,
            width: rect.size.width * scale,
            height: rect.size.height * scale,
        }
    }

    fn plate(&mut self, item: &ItemRc, size: LogicalSize, border: f32, radius: f32) {
        let plate = Plate {
            names: names(item),
            area: self.on_glass(LogicalRect::from_size(size)),
            border: border * self.scale.get(),
            radius: radius * self.scale.get(),
            target: self.state.target,
        };
        self.sketch.plates.push(plate);
    }
}

/// What an item and those around it are called in the source; the outermost is left out: it is the window.
fn names(item: &ItemRc) -> Vec<String> {
    let mut names = Vec::new();
    let mut here = Some(item.clone());
    while let Some(item) = here {
        for element in 0..item.element_count().unwrap_or_default() {
            let known = item.element_type_names_and_ids(element).unwrap_or_default();
            names.extend(known.into_iter().filter(|(_, id)| !id.is_empty()).map(|(_, id)| id.to_string()));
        }
        here = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    names
}

fn color_of(brush: &Brush) -> Color {
    plain(brush.color())
}

fn plain(color: SlintColor) -> Color {
    Color { r: color.red(), g: color.green(), b: color.blue() }
}

impl ItemRenderer for Sketcher<'_> {
    fn draw_rectangle(
        &mut self,
        rect: Pin<&dyn RenderRectangle>,
        item: &ItemRc,
        size: LogicalSize,
        _: &CachedRenderingData,
    ) {
        if !rect.background().is_transparent() {
            self.plate(item, size, 0.0, 0.0);
        }
    }

    fn draw_border_rectangle(
        &mut self,
        rect: Pin<&dyn RenderBorderRectangle>,
        item: &ItemRc,
        size: LogicalSize,
        _: &CachedRenderingData,
    ) {
        if !rect.background().is_transparent() || !rect.border_color().is_transparent() {
            let radius = rect.border_radius().top_left;
            self.plate(item, size, rect.border_width().get(), radius);
        }
    }

    fn draw_window_background(
        &mut self,
        _: Pin<&dyn RenderRectangle>,
        _: &ItemRc,
        _: LogicalSize,
        _: &CachedRenderingData,
    ) {
    }

    fn draw_image(
        &mut self,
        _: Pin<&dyn RenderImage>,
        item: &ItemRc,
        size: LogicalSize,
        _: &CachedRenderingData,
    ) {
        let area = self.on_glass(LogicalRect::from_size(size));
        self.sketch.pictures.push(Picture { names: names(item), area, target: self.state.target });
    }

    fn draw_text(
        &mut self,
        text: Pin<&dyn RenderText>,
        item: &ItemRc,
        size: LogicalSize,
        _: &CachedRenderingData,
    ) {
        let words = match text.text() {
            PlainOrStyledText::Plain(words) => words.to_string(),
            PlainOrStyledText::Styled(_) => String::new(),
        };
        if words.is_empty() {
            return;
        }
        self.sketch.texts.push(Text {
            names: names(item),
            words,
            room: self.on_glass(LogicalRect::from_size(size)),
            color: color_of(&text.color()),
            target: self.state.target,
            lines: Vec::new(),
            missing: 0,
            clipped: text.overflow() == TextOverflow::Clip,
            elided: false,
        });
        let adapter = self.adapter.clone();
        sharedparley::draw_text(self, text, Some(item), size, adapter.renderer().text_layout_cache());
    }

    fn draw_text_input(&mut self, _: Pin<&TextInput>, _: &ItemRc, _: LogicalSize) {}

    fn draw_path(&mut self, _: Pin<&Path>, item: &ItemRc, size: LogicalSize) {
        let area = self.on_glass(LogicalRect::from_size(size));
        self.sketch.pictures.push(Picture { names: names(item), area, target: self.state.target });
    }

    fn draw_box_shadow(&mut self, _: Pin<&BoxShadow>, _: &ItemRc, _: LogicalSize) {}

    fn combine_clip(&mut self, rect: LogicalRect, _: LogicalBorderRadius) -> bool {
        self.state.clip = self.state.clip.intersection(&rect).unwrap_or_default();
        !self.state.clip.is_empty()
    }

    fn get_current_clip(&self) -> LogicalRect {
        self.state.clip
    }

    fn translate(&mut self, distance: LogicalVector) {
        self.state.offset += distance;
        self.state.clip = self.state.clip.translate(-distance);
    }

    fn rotate(&mut self, _: f32) {}

    fn scale(&mut self, _: f32, _: f32) {}

    fn apply_opacity(&mut self, opacity: f32) {
        self.state.opacity *= opacity;
    }

    fn global_alpha_transparent(&self) -> bool {
        self.state.opacity == 0.0
    }

    fn save_state(&mut self) {
        self.saved.push(self.state);
    }

    fn restore_state(&mut self) {
        if let Some(state) = self.saved.pop() {
            self.state = state;
        }
    }

    fn scale_factor(&self) -> ScaleFactor {
        self.scale
    }

    fn draw_cached_pixmap(&mut self, _: &ItemRc, _: &dyn Fn(&mut dyn FnMut(u32, u32, &[u8]))) {}

    fn draw_string(&mut self, _: &str, _: SlintColor) {}

    fn draw_image_direct(&mut self, _: Image) {}

    /// Called once for each item, before it is drawn: here targets are seen.
    fn filter_item(
        &mut self,
        item: &ItemRc,
        _: &Rc<dyn WindowAdapter>,
    ) -> (bool, LogicalPoint, Option<LogicalSize>) {
        let geometry = item.geometry();
        let visible = !self.state.clip.is_empty();
        if visible && item.accessible_role() == AccessibleRole::Button {
            let label = item
                .accessible_string_property(i_slint_core::accessibility::AccessibleStringProperty::Label)
                .unwrap_or_default();
            let asleep = item
                .accessible_string_property(i_slint_core::accessibility::AccessibleStringProperty::Enabled)
                .is_some_and(|enabled| enabled == "false");
            let area = self.on_glass(geometry);
            self.state.target = Some(self.sketch.targets.len());
            self.sketch.targets.push(Target { label: label.to_string(), area, asleep, item: item.clone() });
        }
        if visible && self.state.target.is_none() && item.downcast::<TouchArea>().is_some() {
            self.sketch.strays.push(names(item));
        }
        // What lies outside the glass is written down too: an audit has to see it.
        (visible, geometry.origin, Some(geometry.size))
    }

    fn window(&self) -> &WindowInner {
        self.window
    }

    fn as_any(&mut self) -> Option<&mut dyn core::any::Any> {
        None
    }
}

impl GlyphRenderer for Sketcher<'_> {
    type PlatformBrush = SlintColor;

    fn platform_text_fill_brush(&mut self, brush: Brush, _: LogicalSize) -> Option<SlintColor> {
        Some(brush.color())
    }

    fn platform_brush_for_color(&mut self, color: &SlintColor) -> Option<SlintColor> {
        Some(*color)
    }

    fn platform_text_stroke_brush(&mut self, _: Brush, _: f32, _: LogicalSize) -> Option<SlintColor> {
        None
    }

    fn draw_glyph_run(
        &mut self,
        font: &parley::FontData,
        font_size: PhysicalLength,
        _: &[i16],
        _: &fontique::Synthesis,
        _: SlintColor,
        y_offset: PhysicalLength,
        run: &mut dyn Iterator<Item = parley::layout::Glyph>,
    ) {
        let glyphs: Vec<parley::layout::Glyph> = run.collect();
        let offset = self.state.offset * self.scale.get();
        let em = font_size.get();
        let Some(text) = self.sketch.texts.last_mut() else { return };
        text.missing += glyphs.iter().filter(|glyph| glyph.id == 0).count();
        let Some(baseline) = median(glyphs.iter().map(|glyph| glyph.y)) else { return };
        let baseline = baseline + y_offset.get() + offset.y;
        let (capital, ideograph) = self.boxes.heights(font);
        let ellipsis = self.boxes.ellipsis(font);
        text.elided |= !text.words.contains('…') && glyphs.iter().any(|glyph| Some(glyph.id) == ellipsis);
        let line = line_at(&mut text.lines, baseline, em);
        (line.capital, line.ideograph) = (capital * em, ideograph * em);
        for glyph in &glyphs {
            let read = glyph.advance > 0.0 && !self.boxes.is_sign(font, glyph.id);
            line.characters += usize::from(read);
            if glyph.advance > 0.8 * em {
                line.wide += 1;
            } else if glyph.advance > 0.0 {
                line.narrow += 1;
            }
            let at = (glyph.x + offset.x, glyph.y + y_offset.get() + offset.y);
            if let Some(ink) = self.boxes.ink(font, glyph.id, em, at) {
                line.ink = if line.ink.width > 0.0 { line.ink.union(&ink) } else { ink };
            }
        }
    }

    fn fill_rectangle(
        &mut self,
        _: PhysicalRect,
        _: SlintColor,
        _: PhysicalLength,
        _: Option<RectangleBorder<SlintColor>>,
    ) {
    }
}

/// The line that stands here already, or a new one.
fn line_at(lines: &mut Vec<Line>, baseline: f32, em: f32) -> &mut Line {
    let found = lines.iter().position(|line| (line.baseline - baseline).abs() < 0.3 * em);
    let at = found.unwrap_or_else(|| {
        let ink = Area { x: 0.0, y: baseline, width: 0.0, height: 0.0 };
        lines.push(Line { baseline, em, capital: em, ideograph: em, ink, wide: 0, narrow: 0, characters: 0 });
        lines.len() - 1
    });
    &mut lines[at]
}

/// Marks above and below are drawn beside the baseline; most of a line stands on it.
fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}
