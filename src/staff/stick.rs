//! Where a USB stick is: a pure reading of the kernel's list of mounts, and the few looks into `/sys` it needs.
//!
//! A stick is a mounted, writable file system that is not the one the terminal lives on: on a USB or removable disk, or mounted where
//! sticks are mounted. Mounting it is the operating system's work.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt as _,
    path::{Component, Path, PathBuf},
};

/// Where the kernel lists the mounts of this process.
const MOUNTINFO: &str = "/proc/self/mountinfo";

/// Where the kernel shows a block device by its number.
const DEVICES: &str = "/sys/dev/block";

/// Where desktop systems, automounters and people mount sticks.
const STICK_PLACES: [&str; 3] = ["/media", "/run/media", "/mnt"];

/// Where a system lives; a stick is never mounted there.
const SYSTEM_PLACES: [&str; 9] = ["/boot", "/efi", "/etc", "/home", "/nix", "/opt", "/srv", "/usr", "/var"];

/// A mounted file system.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mount {
    /// `major:minor`.
    device: String,
    point: PathBuf,
    source: String,
    is_whole: bool,
    is_writable: bool,
}

/// The disk a file system is on.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Disk {
    path: PathBuf,
    is_portable: bool,
}

/// The folder of the stick that was plugged in last; `None` if there is none. The file system that holds `data` is none.
pub fn find(data: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(MOUNTINFO).ok()?;
    let data = fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    pick(&parse(&text), &data, &|device| disk(Path::new(DEVICES), device))
}

/// The lines of mountinfo, see proc(5); a line that is none is left out.
fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mount> {
    // Any number of optional fields stands before the dash.
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ');
    let (device, root, point, options) = (before.nth(2)?, before.next()?, before.next()?, before.next()?);
    let mut after = after.split(' ');
    let (_kind, source, super_options) = (after.next()?, after.next()?, after.next()?);
    let is_read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        device: device.to_owned(),
        point: unescape(point),
        source: source.to_owned(),
        is_whole: root == "/",
        is_writable: !is_read_only(options) && !is_read_only(super_options),
    })
}

/// A space stands as `\040` in mountinfo, and so on.
fn unescape(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = (first == b'\\').then(|| tail.get(..3)).flatten();
        let code = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// Later lines are later mounts, so the last one that fits is the stick somebody has just plugged in.
fn pick(mounts: &[Mount], data: &Path, disk_of: &dyn Fn(&str) -> Option<Disk>) -> Option<PathBuf> {
    let home =
        mounts.iter().find(|mount| mount.point == Path::new("/")).and_then(|root| disk_of(&root.device));
    let is_stick = |mount: &Mount| {
        let disk = disk_of(&mount.device);
        let is_home =
            disk.is_some() && disk.as_ref().map(|disk| &disk.path) == home.as_ref().map(|disk| &disk.path);
        let is_portable = disk.is_some_and(|disk| disk.is_portable);
        !is_home && (is_portable || lies_in(&mount.point, &STICK_PLACES))
    };
    let may_be = |mount: &&Mount| {
        mount.is_whole
            && mount.is_writable
            && mount.source.starts_with("/dev/")
            && !data.starts_with(&mount.point)
            && mount.point != Path::new("/")
            && !lies_in(&mount.point, &SYSTEM_PLACES)
    };
    mounts.iter().rev().filter(may_be).find(|mount| is_stick(mount)).map(|mount| mount.point.clone())
}

fn lies_in(path: &Path, places: &[&str]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

/// What `/sys` tells of a device: its disk, and whether that is removable or hangs on USB.
fn disk(devices: &Path, device: &str) -> Option<Disk> {
    let path = fs::canonicalize(devices.join(device)).ok()?;
    let path = if path.join("partition").exists() { path.parent()?.to_owned() } else { path };
    let is_removable = fs::read_to_string(path.join("removable")).is_ok_and(|text| text.trim() == "1");
    let is_usb = path.components().any(is_usb_bus);
    Some(Disk { is_portable: is_removable || is_usb, path })
}

/// `usb1`, `usb2` and so on.
fn is_usb_bus(component: Component<'_>) -> bool {
    let name = component.as_os_str().to_str().unwrap_or_default();
    name.strip_prefix("usb").is_some_and(|bus| !bus.is_empty() && bus.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Raspberry Pi with a stick that an automounter mounted, as its kernel tells it.
    const PI: &str = "\
22 28 0:21 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
28 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw
95 28 179:1 / /boot/firmware rw,relatime shared:31 - vfat /dev/mmcblk0p1 rw,fmask=0022,errors=remount-ro
97 28 0:40 / /run/media rw - tmpfs tmpfs rw
";
    const STICK: &str = "\
120 97 8:1 / /run/media/KINGSTON\\0408G rw,nosuid,nodev shared:99 master:3 - vfat /dev/sda1 rw,utf8,flush
";

    fn sd_card(path: &str) -> Disk {
        Disk { path: path.into(), is_portable: false }
    }

    fn disks(device: &str) -> Option<Disk> {
        match device {
            "179:1" | "179:2" => Some(sd_card("/sys/devices/mmc0/block/mmcblk0")),
            "8:1" | "8:2" => Some(Disk { path: "/sys/devices/usb1/block/sda".into(), is_portable: true }),
            "8:17" => Some(Disk { path: "/sys/devices/usb1/block/sdb".into(), is_portable: true }),
            "259:1" => Some(sd_card("/sys/devices/nvme/block/nvme0n1")),
            _ => None,
        }
    }

    fn found(mountinfo: &str) -> Option<PathBuf> {
        pick(&parse(mountinfo), Path::new("/mnt/journal/xinsheng"), &disks)
    }

    #[test]
    fn a_terminal_without_a_stick_has_none_and_with_one_it_is_found() {
        assert_eq!(found(PI), None);
        assert_eq!(found(""), None);
        assert_eq!(found("no mount at all\n1 2 3\n"), None);
        assert_eq!(found(&format!("{PI}{STICK}")), Some("/run/media/KINGSTON 8G".into()));
        let elsewhere = STICK.replace("/run/media/KINGSTON\\0408G", "/stick");
        assert_eq!(found(&format!("{PI}{elsewhere}")), Some("/stick".into()), "USB, wherever it is mounted");
    }

    #[test]
    fn the_last_stick_is_the_one_that_was_plugged_in_now() {
        let second = STICK.replace("8:1 ", "8:17 ").replace("KINGSTON\\0408G", "SECOND");
        assert_eq!(found(&format!("{PI}{STICK}{second}")), Some("/run/media/SECOND".into()));
    }

    #[test]
    fn what_is_read_only_bound_or_of_the_system_is_no_stick() {
        for (right, wrong) in [
            (" rw,nosuid", " ro,nosuid"),
            ("sda1 rw,utf8", "sda1 ro,utf8"),
            ("8:1 / ", "8:1 /part "),
            ("/dev/sda1", "nfs:/export"),
            ("/run/media/KINGSTON\\0408G", "/var/lib/xinsheng"),
        ] {
            let text = STICK.replace(right, wrong);
            assert_ne!(text, STICK);
            assert_eq!(found(&format!("{PI}{text}")), None, "{wrong}");
        }
        let data = "130 28 259:1 / /data rw - ext4 /dev/nvme0n1p1 rw\n";
        assert_eq!(found(&format!("{PI}{data}")), None, "a disk inside");
        assert_eq!(
            found(&format!("{PI}{}", data.replace("/data", "/mnt/journal"))),
            None,
            "the terminal's own"
        );
        let mounted_by_hand = data.replace("/data", "/mnt/usb");
        assert_eq!(found(&format!("{PI}{mounted_by_hand}")), Some("/mnt/usb".into()));
    }

    #[test]
    fn a_terminal_that_lives_on_a_usb_disk_does_not_take_it_for_a_stick() {
        let root = "28 1 8:2 / / rw,noatime shared:1 - ext4 /dev/sda2 rw\n";
        let data = "29 28 8:1 / /data rw - ext4 /dev/sda1 rw\n";
        assert_eq!(found(&format!("{root}{data}")), None);
        let other = STICK.replace("8:1 ", "8:17 ");
        assert_eq!(found(&format!("{root}{data}{other}")), Some("/run/media/KINGSTON 8G".into()));
    }

    #[test]
    fn names_with_spaces_and_backslashes_are_read_as_they_are() {
        assert_eq!(unescape("/media/a\\040b\\134c\\011"), PathBuf::from("/media/a b\\c\t"));
        assert_eq!(unescape("/media/\\9\\04"), PathBuf::from("/media/\\9\\04"));
        assert_eq!(unescape("/media/U盘"), PathBuf::from("/media/U盘"));
    }

    #[test]
    fn the_disk_of_a_partition_is_looked_at() {
        let sys = tempfile::tempdir().unwrap();
        let make = |place: &str, number: &str, removable: &str| {
            let disk = sys.path().join(place);
            let partition = disk.join("part1");
            fs::create_dir_all(&partition).unwrap();
            fs::write(disk.join("removable"), removable).unwrap();
            fs::write(partition.join("partition"), "1\n").unwrap();
            std::os::unix::fs::symlink(&partition, sys.path().join(number)).unwrap();
            fs::canonicalize(disk).unwrap()
        };
        let usb = make("pci0/usb1/1-1/block/sda", "8:1", "0\n");
        let reader = make("pci0/block/sdb", "8:17", "1\n");
        let inside = make("pci0/usbhid/block/sdc", "8:33", "0\n");
        assert_eq!(disk(sys.path(), "8:1"), Some(Disk { path: usb, is_portable: true }));
        assert_eq!(disk(sys.path(), "8:17"), Some(Disk { path: reader, is_portable: true }));
        assert_eq!(disk(sys.path(), "8:33"), Some(Disk { path: inside, is_portable: false }));
        assert_eq!(disk(sys.path(), "9:1"), None);
    }
}
