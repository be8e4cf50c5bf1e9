//! What the machine says about itself.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// Degrees Celsius of the processor, if the machine tells.
pub(super) fn temperature_c() -> Option<f32> {
    let text = fs::read_to_string("/sys/class/thermal/thermal_zone0/temp").ok()?;
    let thousandths: f32 = text.trim().parse().ok()?;
    Some(thousandths / 1000.0)
}

/// A number that changes when the network does: routes of IPv4 and addresses of IPv6.
pub(super) fn network() -> u64 {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    fingerprint(&read("/proc/net/route"), &read("/proc/net/if_inet6"))
}

fn fingerprint(routes: &str, addresses: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    for line in routes.lines() {
        // Interface, destination, gateway, flags; what follows are counters.
        line.split_whitespace().take(4).for_each(|field| field.hash(&mut hasher));
    }
    addresses.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_route_is_a_change_and_a_counter_is_not() {
        let route = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000";
        let counted = "eth0\t00000000\t0101A8C0\t0003\t7\t9\t100\t00000000";
        let other = "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000";
        assert_eq!(fingerprint(route, ""), fingerprint(counted, ""));
        assert_ne!(fingerprint(route, ""), fingerprint(other, ""));
        assert_ne!(fingerprint(route, ""), fingerprint("", ""));
        assert_ne!(fingerprint(route, ""), fingerprint(route, "fe80::1"));
    }
}
