//! Where something is on the glass.

/// A rectangle on the glass, in physical pixels.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Area {
    /// The middle.
    pub fn center(&self) -> (f32, f32) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The first place to the right that is not part of it.
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    /// The first place below that is not part of it.
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// The smallest rectangle that holds both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let (right, bottom) = (self.right().max(other.right()), self.bottom().max(other.bottom()));
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// How far two rectangles are apart, across and down; negative where they overlap.
    pub fn apart(&self, other: &Self) -> (f32, f32) {
        let across = (self.x - other.right()).max(other.x - self.right());
        let down = (self.y - other.bottom()).max(other.y - self.bottom());
        (across, down)
    }

    /// How far this one reaches out of another; not positive if it lies inside.
    pub fn beyond(&self, other: &Self) -> f32 {
        let across = (other.x - self.x).max(self.right() - other.right());
        let down = (other.y - self.y).max(self.bottom() - other.bottom());
        across.max(down)
    }
}
