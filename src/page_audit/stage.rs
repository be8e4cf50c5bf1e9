//! A window without a survey behind it: any page, filled by hand, on any panel, in any language and theme, and quickly.
//!
//! One window is laid out anew for each setting; nothing waits and no time passes. One stage a thread, because Slint has one platform a
//! thread.

use std::{rc::Rc, time::Duration};

use anyhow::{Context, anyhow};
use slint::{
    ComponentHandle, LogicalPosition, PhysicalSize, Rgb8Pixel, SharedString,
    platform::{
        Key, Platform, PointerEventButton, WindowAdapter, WindowEvent,
        software_renderer::{MinimalSoftwareWindow, RepaintBufferType},
    },
};

use super::{
    Area,
    sketch::{GlyphBoxes, Sketch},
};
use crate::{
    fonts::{Fonts, Ruler},
    kiosk::{fonts::register, look, pages::Glass},
    panel::Panel,
    theme::{Color, Palette},
    ui::{self, AppWindow},
};

/// The window and what it drew last.
pub struct Stage {
    adapter: Rc<MinimalSoftwareWindow>,
    window: AppWindow,
    glass: Glass,
    boxes: GlyphBoxes,
    frame: Vec<Rgb8Pixel>,
}

/// What is on the glass.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    pixels: &'a [Rgb8Pixel],
    width: usize,
}

impl Frame<'_> {
    /// Pixels across and down.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.pixels.len() / self.width.max(1))
    }

    /// One pixel; `None` beside the glass.
    pub fn at(&self, x: usize, y: usize) -> Option<Color> {
        if x >= self.width {
            return None;
        }
        self.pixels.get(y * self.width + x).map(|pixel| Color { r: pixel.r, g: pixel.g, b: pixel.b })
    }

    /// The pixels of a part, row by row, as far as it lies on the glass.
    pub fn rows(&self, area: &Area) -> impl Iterator<Item = &[Rgb8Pixel]> {
        let (width, height) = self.size();
        let (left, right) = span(area.x, area.right(), width);
        let (top, bottom) = span(area.y, area.bottom(), height);
        (top..bottom).filter_map(move |y| self.pixels.get(y * width + left..y * width + right))
    }

    /// Every pixel, row by row.
    pub fn pixels(&self) -> &[Rgb8Pixel] {
        self.pixels
    }
}

/// The pixels that a length touches.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and the size of a screen"
)]
fn span(from: f32, to: f32, whole: usize) -> (usize, usize) {
    let clamp = |at: f32| at.clamp(0.0, whole as f32) as usize;
    let (from, to) = (clamp(from.floor()), clamp(to.ceil()));
    (from, to.max(from))
}

struct StillPlatform(Rc<MinimalSoftwareWindow>);

impl Platform for StillPlatform {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, slint::PlatformError> {
        Ok(self.0.clone())
    }

    fn duration_since_start(&self) -> Duration {
        Duration::ZERO
    }
}

impl Stage {
    /// An empty stage.
    ///
    /// # Errors
    /// This thread has a screen already.
    pub fn new(fonts: &Fonts) -> anyhow::Result<Self> {
        let adapter = MinimalSoftwareWindow::new(RepaintBufferType::NewBuffer);
        slint::platform::set_platform(Box::new(StillPlatform(adapter.clone())))
            .map_err(|error| anyhow!("this thread has a screen already: {error}"))?;
        // A window measures its words while it is made: on a machine without fonts there are only ours.
        register(fonts);
        let window = AppWindow::new().context("cannot make the window")?;
        window.show().context("cannot show the window")?;
        let glass = Glass { panel: Panel::new(10.1, 1280, 800), low_reach: false, ruler: Ruler::new(fonts) };
        let mut stage = Self { adapter, window, glass, boxes: GlyphBoxes::default(), frame: Vec::new() };
        stage.lay_out(&stage.glass.panel.clone(), false);
        Ok(stage)
    }

    /// The window, to be filled.
    pub fn window(&self) -> &AppWindow {
        &self.window
    }

    /// What the pages are laid out for.
    pub fn glass(&self) -> &Glass {
        &self.glass
    }

    /// Lays the pages out for a panel.
    pub fn lay_out(&mut self, panel: &Panel, low_reach: bool) {
        (self.glass.panel, self.glass.low_reach) = (*panel, low_reach);
        let (width, height) = panel.page_px();
        self.adapter.set_size(PhysicalSize::new(width, height));
        ui::lay_out(&self.window, panel, low_reach);
    }

    /// Colours the pages.
    pub fn paint(&self, palette: &Palette) {
        look::paint(&self.window, palette);
    }

    /// Lets the window take in what it was filled with.
    pub fn settle(&self) {
        slint::platform::update_timers_and_animations();
    }

    /// Shows a bare page, so that nothing is left of the one before: no ring, no finger.
    pub fn clear(&self) {
        self.lift_aside();
        self.window.global::<ui::Shell>().set_page(ui::Page::TouchTest);
        self.settle();
    }

    /// What is drawn, as a list.
    pub fn sketch(&mut self) -> Sketch {
        self.settle();
        Sketch::of(self.window.window(), &mut self.boxes)
    }

    /// Which target of a sketch the keyboard would press now.
    pub(crate) fn focused(&self, sketch: &Sketch) -> Option<usize> {
        sketch.focused(self.window.window())
    }

    /// What is drawn, as pixels.
    pub fn frame(&mut self) -> Frame<'_> {
        self.settle();
        let size = self.window.window().size();
        let width = size.width as usize;
        self.frame.resize(width * size.height as usize, Rgb8Pixel::default());
        self.adapter.request_redraw();
        self.adapter.draw_if_needed(|renderer| {
            renderer.render(&mut self.frame, width);
        });
        Frame { pixels: &self.frame, width }
    }

    /// A finger comes down and stays.
    pub fn press_at(&self, (x, y): (f32, f32)) {
        let position = LogicalPosition::new(x, y);
        self.tell(WindowEvent::PointerPressed { position, button: PointerEventButton::Left });
    }

    /// The finger leaves beside everything, so that nothing is tapped.
    pub(crate) fn lift_aside(&self) {
        let position = LogicalPosition::new(-1.0, -1.0);
        self.tell(WindowEvent::PointerMoved { position });
        self.tell(WindowEvent::PointerReleased { position, button: PointerEventButton::Left });
        self.tell(WindowEvent::PointerExited);
    }

    /// The keyboard goes on to the next target.
    pub(crate) fn tab(&self) {
        let text: SharedString = Key::Tab.into();
        self.tell(WindowEvent::KeyPressed { text: text.clone() });
        self.tell(WindowEvent::KeyReleased { text });
    }

    fn tell(&self, event: WindowEvent) {
        // Only a closed window refuses events, and this one is never closed.
        let _ = self.window.window().dispatch_event_with_result(event);
        self.settle();
    }
}
