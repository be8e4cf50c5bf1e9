//! What needs the inner parts; what users see is tested in tests/config_check.rs.
use super::*;

#[test]
fn the_example_starts() {
    assert_eq!(example().value.kiosk.touchpoints.len(), 1);
}
