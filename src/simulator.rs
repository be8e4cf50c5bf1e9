//! The same screens on a panel in memory: for machines without a display, for replays, for pictures and for tests.
//!
//! Slint's software renderer draws into a frame; what changed is copied to an `embedded-graphics` simulator display, the way a driver
//! would send it to glass. Time is a [`SimClock`]: nothing happens unless [`SimPanel::advance`] lets it. One panel a thread, because
//! Slint has one platform a thread.

mod display;
pub mod pictures;
pub mod replay;
pub mod visitor;

use std::{rc::Rc, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use i_slint_backend_testing::{AccessibleRole, ElementHandle};
use slint::{
    ComponentHandle, LogicalPosition, PhysicalSize,
    platform::{
        Platform, PointerEventButton, WindowAdapter, WindowEvent,
        software_renderer::{MinimalSoftwareWindow, RepaintBufferType},
    },
};

use crate::{
    clock::{Clock, SimClock},
    fonts::Fonts,
    kiosk::{Kiosk, fonts},
    page_audit::Area,
    panel::Panel,
    terminal::Parts,
    ui::AppWindow,
};
use display::Display;

/// No timer of a page is further away; a longer wait is cut into steps of this.
const STEP_MS_MAX: u64 = 60_000;

/// A panel in memory with a running screen.
pub struct SimPanel {
    adapter: Rc<MinimalSoftwareWindow>,
    window: AppWindow,
    kiosk: Kiosk,
    clock: Arc<SimClock>,
    display: Display,
}

struct SimPlatform {
    adapter: Rc<MinimalSoftwareWindow>,
    clock: Arc<SimClock>,
    started_at_ms: u64,
}

impl Platform for SimPlatform {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, slint::PlatformError> {
        Ok(self.adapter.clone())
    }

    fn duration_since_start(&self) -> Duration {
        Duration::from_millis(self.clock.now().up_ms.saturating_sub(self.started_at_ms))
    }
}

impl SimPanel {
    /// A panel whose screen is lit and shows the page at rest.
    ///
    /// # Errors
    /// A second panel on the same thread, or a plan with nothing to ask.
    pub fn new(
        panel: Panel,
        clock: Arc<SimClock>,
        parts: impl FnOnce(Arc<SimClock>) -> Parts,
    ) -> anyhow::Result<Self> {
        let adapter = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
        let platform =
            SimPlatform { adapter: adapter.clone(), clock: clock.clone(), started_at_ms: clock.now().up_ms };
        slint::platform::set_platform(Box::new(platform))
            .map_err(|error| anyhow!("this thread has a screen already: {error}"))?;
        fonts::register(&Fonts::shipped());
        let (width, height) = panel.page_px();
        let window = AppWindow::new().context("cannot make the window")?;
        adapter.set_size(PhysicalSize::new(width, height));
        let kiosk = Kiosk::new(&window, parts(clock.clone()))?;
        window.show().context("cannot show the window")?;
        let mut sim = Self { adapter, window, kiosk, clock, display: Display::new(width, height) };
        sim.settle();
        Ok(sim)
    }

    /// The running screen.
    pub fn kiosk(&self) -> &Kiosk {
        &self.kiosk
    }

    /// The window, for looking at elements.
    pub fn window(&self) -> &AppWindow {
        &self.window
    }

    /// The panel's clock.
    pub fn clock(&self) -> &Arc<SimClock> {
        &self.clock
    }

    /// Takes in news from other threads, runs what is due and draws what changed.
    pub fn settle(&mut self) {
        self.kiosk.take_news();
        slint::platform::update_timers_and_animations();
        self.display.draw(&self.adapter);
    }

    /// Lets time pass, stopping at each timer on the way.
    pub fn advance(&mut self, ms: u64) {
        let end = self.clock.now().up_ms + ms;
        loop {
            let now = self.clock.now().up_ms;
            let left = end.saturating_sub(now);
            let due = slint::platform::duration_until_next_timer_update()
                .and_then(|wait| u64::try_from(wait.as_millis()).ok())
                .unwrap_or(STEP_MS_MAX);
            // A timer that is due now runs in `settle`; a step of zero would stand still.
            let step = left.min(due.max(1)).min(STEP_MS_MAX);
            self.clock.advance(step);
            self.settle();
            if left <= step {
                return;
            }
        }
    }

    /// A finger comes down and goes up at a point, in physical pixels.
    pub fn tap_at(&mut self, (x, y): (f32, f32)) {
        self.press_at((x, y));
        self.release_at((x, y));
    }

    /// A finger comes down.
    pub fn press_at(&mut self, at: (f32, f32)) {
        let position = self.logical(at);
        self.dispatch(WindowEvent::PointerPressed { position, button: PointerEventButton::Left });
    }

    /// A finger moves while it is down.
    pub fn move_to(&mut self, at: (f32, f32)) {
        let position = self.logical(at);
        self.dispatch(WindowEvent::PointerMoved { position });
    }

    /// A finger goes up, and with it the pointer.
    pub fn release_at(&mut self, at: (f32, f32)) {
        let position = self.logical(at);
        self.dispatch(WindowEvent::PointerReleased { position, button: PointerEventButton::Left });
        self.dispatch(WindowEvent::PointerExited);
    }

    /// Where the button with this label lies; `None` if no such button shows.
    pub fn find(&self, label: &str) -> Option<Area> {
        // A place may be called as a button of the page is: the page's own comes first.
        let own = self.buttons(label).find(|button| !is_place(button));
        own.or_else(|| self.buttons(label).next()).map(|button| self.area(&button))
    }

    /// Where the cards of the places of this name lie, in the order of the list; whatever else is called so is none of them.
    pub fn find_places(&self, name: &str) -> Vec<Area> {
        self.buttons(name).filter(is_place).map(|card| self.area(&card)).collect()
    }

    fn buttons(&self, label: &str) -> impl Iterator<Item = ElementHandle> {
        ElementHandle::find_by_accessible_label(&self.window, label)
            .filter(|element| element.accessible_role() == Some(AccessibleRole::Button))
    }

    fn area(&self, element: &ElementHandle) -> Area {
        let scale = self.window.window().scale_factor();
        let (at, size) = (element.absolute_position(), element.size());
        Area { x: at.x * scale, y: at.y * scale, width: size.width * scale, height: size.height * scale }
    }

    /// Taps the middle of the button with this label.
    ///
    /// # Errors
    /// No such button shows.
    pub fn tap(&mut self, label: &str) -> anyhow::Result<()> {
        let area = self.find(label).with_context(|| format!("no button `{label}` on the screen"))?;
        self.tap_at(area.center());
        Ok(())
    }

    /// How often something had to be drawn.
    pub fn frames_drawn(&self) -> u64 {
        self.display.frames_drawn
    }

    /// The color of one pixel.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        self.display.pixel(x, y)
    }

    fn logical(&self, (x, y): (f32, f32)) -> LogicalPosition {
        let scale = self.window.window().scale_factor();
        LogicalPosition::new(x / scale, y / scale)
    }

    fn dispatch(&mut self, event: WindowEvent) {
        // Only a closed window refuses events, and this one is never closed.
        let _ = self.window.window().dispatch_event_with_result(event);
        self.settle();
    }
}

/// Whether a button is the card of a place.
fn is_place(button: &ElementHandle) -> bool {
    button.type_name().is_some_and(|name| name == "PlaceCard")
        || button.bases().is_some_and(|mut bases| bases.any(|name| name == "PlaceCard"))
}
