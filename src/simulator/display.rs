//! From Slint's frame to the simulated glass: only what changed is sent.

use std::{io, path::Path, rc::Rc};

use embedded_graphics::{
    draw_target::DrawTarget,
    geometry::{Point, Size},
    pixelcolor::{Rgb888, RgbColor},
    primitives::{PointsIter, Rectangle},
};
use embedded_graphics_simulator::{OutputSettings, SimulatorDisplay};
use slint::{
    Rgb8Pixel,
    platform::software_renderer::{MinimalSoftwareWindow, PhysicalRegion},
};

pub(super) struct Display {
    frame: Vec<Rgb8Pixel>,
    stride: usize,
    glass: SimulatorDisplay<Rgb888>,
    pub frames_drawn: u64,
}

impl Display {
    pub fn new(width: u32, height: u32) -> Self {
        let stride = width as usize;
        Self {
            frame: vec![Rgb8Pixel::default(); stride * height as usize],
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
            self.send(Rectangle::new(Point::new(at.x, at.y), Size::new(size.width, size.height)));
        }
    }

    /// Sends a rectangle of the frame to the glass.
    fn send(&mut self, area: Rectangle) {
        let (frame, stride) = (&self.frame, self.stride);
        let colors = area.points().map(|point| {
            let index =
                usize::try_from(point.y).unwrap_or(0) * stride + usize::try_from(point.x).unwrap_or(0);
            frame.get(index).map_or(Rgb888::BLACK, |pixel| Rgb888::new(pixel.r, pixel.g, pixel.b))
        });
        // Its error type is `Infallible`.
        let Ok(()) = self.glass.fill_contiguous(&area, colors);
    }

    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let color = self.glass.get_pixel(Point::new(x.cast_signed(), y.cast_signed()));
        [color.r(), color.g(), color.b()]
    }

    pub fn save_png(&self, path: &Path) -> io::Result<()> {
        let image = self.glass.to_rgb_output_image(&OutputSettings::default());
        image.save_png(path).map_err(io::Error::other)
    }
}
