//! From Slint's frame to the simulated glass: only what changed is sent.

use std::rc::Rc;

use embedded_graphics::{
    draw_target::DrawTarget,
    geometry::{Point, Size},
    pixelcolor::{Rgb888, RgbColor},
    primitives::Rectangle,
};
use embedded_graphics_simulator::SimulatorDisplay;
use slint::{
    Rgb8Pixel,
    platform::software_renderer::{MinimalSoftwareWindow, PhysicalRegion},
};

pub(super) struct Display {
    frame: Vec<Rgb8Pixel>,
    /// What the glass shows: rows that did not change are not sent again.
    sent: Vec<Rgb8Pixel>,
    stride: usize,
    glass: SimulatorDisplay<Rgb888>,
    pub frames_drawn: u64,
}

impl Display {
    pub fn new(width: u32, height: u32) -> Self {
        let stride = width as usize;
        Self {
            frame: vec![Rgb8Pixel::default(); stride * height as usize],
            sent: vec![Rgb8Pixel::default(); stride * height as usize],
            stride,
            glass: SimulatorDisplay::with_default_color(Size::new(width, height), Rgb888::BLACK),
            frames_drawn: 0,
        }
    }

    pub fn draw(&mut self, window: &Rc<MinimalSoftwareWindow>) {
        let mut changed: Option<PhysicalRegion> = None;
        window.draw_if_needed(|renderer| {
            changed = Some(renderer.render(&mut self.frame, self.stride));
        });
        self.frames_drawn += u64::from(changed.is_some());
        for (at, size) in changed.iter().flat_map(PhysicalRegion::iter) {
            let left = usize::try_from(at.x).unwrap_or(0);
            let top = usize::try_from(at.y).unwrap_or(0);
            for row in top..top + size.height as usize {
                self.send_row(row, left, size.width as usize);
            }
        }
    }

    /// Sends what changed of a part of a row to the glass.
    fn send_row(&mut self, row: usize, left: usize, width: usize) {
        let start = row * self.stride + left;
        let (Some(new), Some(old)) =
            (self.frame.get(start..start + width), self.sent.get_mut(start..start + width))
        else {
            return;
        };
        let Some(first) = new.iter().zip(old.iter()).position(|(new, old)| new != old) else { return };
        let last = new.iter().zip(old.iter()).rposition(|(new, old)| new != old).unwrap_or(first);
        let (new, old) = (&new[first..=last], &mut old[first..=last]);
        old.copy_from_slice(new);
        let corner = Point::new(coordinate(left + first), coordinate(row));
        let area = Rectangle::new(corner, Size::new(coordinate(new.len()).cast_unsigned(), 1));
        // Its error type is `Infallible`.
        let Ok(()) =
            self.glass.fill_contiguous(&area, new.iter().map(|pixel| Rgb888::new(pixel.r, pixel.g, pixel.b)));
    }

    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let color = self.glass.get_pixel(Point::new(x.cast_signed(), y.cast_signed()));
        [color.r(), color.g(), color.b()]
    }
}

/// A panel has some thousands of pixels a side.
fn coordinate(pixels: usize) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX)
}
