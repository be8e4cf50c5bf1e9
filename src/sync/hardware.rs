//! Which machine this is: what tells it from a copy of its card.
//!
//! One source is not enough. Machine ids are copied with an image, most PCs hide their serial number from all users but root, and a network card
//! can be exchanged. So an id names several things, each hashed so that nothing else can be looked up with it, and two ids are compared by
//! the strongest kind of thing that both name: serial number, board, network cards, installation.

use std::{fs, path::Path};

use crate::chain;

/// Where a Raspberry Pi tells its serial number, where PCs tell their board's, and where Linux tells which installation this is.
const SERIAL_FILE: &str = "proc/device-tree/serial-number";
const BOARD_FILE: &str = "sys/class/dmi/id/product_uuid";
const MACHINE_ID_FILE: &str = "etc/machine-id";

/// Where the kernel lists network cards.
const NETWORK: &str = "sys/class/net";

/// Network cards in an id; machines with more have others as well.
const CARDS_MAX: usize = 3;

/// A machine that does not say who it is cannot be told from a copy.
const UNKNOWN: &str = crate::wire::HARDWARE_UNKNOWN;

/// Between two things in an id.
const SEPARATOR: char = '.';

/// Kinds of things, the strongest first.
const KINDS: [&str; 4] = ["serial", "board", "net", "machine"];

/// What this machine is called.
pub fn hardware_id() -> String {
    hardware_id_at(Path::new("/"))
}

fn hardware_id_at(root: &Path) -> String {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    let named = |kind: &str, text: &str, digits: usize| {
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        // Boards whose maker left the number out say so in many ways; each of them is one character over and over.
        let tells = text.chars().filter(char::is_ascii_alphanumeric).any(|c| !text.starts_with(c));
        let hash = chain::sha256(format!("xinsheng {kind} {text}").as_bytes()).to_string();
        tells.then(|| format!("{kind}-{}", hash.get(..digits).unwrap_or_default()))
    };
    if let Some(serial) = read(SERIAL_FILE).and_then(|text| named("serial", &text, 24)) {
        return serial;
    }
    let board = read(BOARD_FILE).and_then(|text| named("board", &text, 16));
    let cards = cards(&root.join(NETWORK));
    let cards = cards.iter().filter_map(|address| named("net", address, 12)).take(CARDS_MAX);
    // As long as it was when it was all there was, so that an identity of that time is still known.
    let machine = read(MACHINE_ID_FILE).and_then(|text| named("machine", &text, 24));
    let all: Vec<String> = machine.into_iter().chain(board).chain(cards).collect();
    if all.is_empty() { UNKNOWN.to_owned() } else { all.join(&SEPARATOR.to_string()) }
}

/// Addresses of the network cards that are built in, in order: no bridge or tunnel, no address that somebody chose, nothing on USB.
fn cards(network: &Path) -> Vec<String> {
    let Ok(folder) = fs::read_dir(network) else { return Vec::new() };
    let address = |card: &Path| {
        let device = fs::canonicalize(card.join("device")).ok()?;
        let chosen = fs::read_to_string(card.join("addr_assign_type")).ok()?.trim() != "0";
        let is_usb = device.components().any(|part| part.as_os_str().to_string_lossy().starts_with("usb"));
        let address = fs::read_to_string(card.join("address")).ok()?;
        (!chosen && !is_usb).then(|| address.trim().to_owned())
    };
    let mut cards: Vec<String> = folder.flatten().filter_map(|card| address(&card.path())).collect();
    cards.sort();
    cards
}

/// Whether two ids may be of one machine. One that names nothing in common with the other gets the benefit of the doubt.
pub(super) fn may_be_same(one: &str, other: &str) -> bool {
    let things = |id: &str, kind: &str| -> Vec<String> {
        id.split(SEPARATOR).filter(|thing| thing.split('-').next() == Some(kind)).map(str::to_owned).collect()
    };
    if [one, other].contains(&UNKNOWN) {
        return true;
    }
    for kind in KINDS {
        let (ours, theirs) = (things(one, kind), things(other, kind));
        // A machine that has a serial number always tells it.
        let decides = if kind == "serial" {
            !(ours.is_empty() && theirs.is_empty())
        } else {
            !ours.is_empty() && !theirs.is_empty()
        };
        if decides {
            return ours.iter().any(|thing| theirs.contains(thing));
        }
    }
    one == other || [one, other].iter().all(|id| is_ours(id))
}

/// Whether an id is made of the kinds that are known here.
fn is_ours(id: &str) -> bool {
    id.split(SEPARATOR).all(|thing| KINDS.contains(&thing.split('-').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new(files: &[(&str, &str)]) -> Self {
            let root = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = root.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(root)
        }

        fn card(self, name: &str, bus: &str, address: &str, assigned: &str) -> Self {
            let device = self.0.path().join("sys/devices").join(bus).join(name);
            let card = self.0.path().join(NETWORK).join(name);
            fs::create_dir_all(&device).unwrap();
            fs::create_dir_all(&card).unwrap();
            symlink(&device, card.join("device")).unwrap();
            fs::write(card.join("address"), format!("{address}\n")).unwrap();
            fs::write(card.join("addr_assign_type"), assigned).unwrap();
            self
        }

        fn id(&self) -> String {
            hardware_id_at(self.0.path())
        }
    }

    const IMAGE: (&str, &str) = (MACHINE_ID_FILE, "0123456789abcdef0123456789abcdef\n");

    #[test]
    fn two_pcs_from_one_image_are_told_apart_by_board_or_network_card() {
        let first = Machine::new(&[IMAGE, (BOARD_FILE, "4c4c4544-0042\n")]);
        let second = Machine::new(&[IMAGE, (BOARD_FILE, "4c4c4544-0043\n")]);
        assert!(!may_be_same(&first.id(), &second.id()), "{} {}", first.id(), second.id());
        // Not root: the board's number is hidden.
        let first = Machine::new(&[IMAGE]).card("eth0", "pci0", "52:54:00:00:00:01", "0");
        let second = Machine::new(&[IMAGE]).card("eth0", "pci0", "52:54:00:00:00:02", "0");
        assert!(!may_be_same(&first.id(), &second.id()), "{} {}", first.id(), second.id());
        assert!(may_be_same(&first.id(), &first.id()));
    }

    #[test]
    fn a_machine_stays_itself_when_a_card_is_added_and_under_another_user() {
        let plain = Machine::new(&[IMAGE]).card("eth0", "pci0", "52:54:00:00:00:01", "0").id();
        let more = Machine::new(&[IMAGE])
            .card("eth0", "pci0", "52:54:00:00:00:01", "0")
            .card("eth1", "pci0", "52:54:00:00:00:09", "0")
            .card("eth2", "usb1", "52:54:00:00:00:08", "0")
            .card("tap0", "pci0", "52:54:00:00:00:07", "3");
        assert!(may_be_same(&plain, &more.id()));
        assert_eq!(more.id().matches("net-").count(), 2, "no card on USB, no chosen address: {}", more.id());
        let root = Machine::new(&[IMAGE, (BOARD_FILE, "4c4c4544-0042\n")]).card(
            "eth0",
            "pci0",
            "52:54:00:00:00:01",
            "0",
        );
        assert!(may_be_same(&plain, &root.id()), "root also sees the board's number");
        let exchanged = Machine::new(&[IMAGE, (BOARD_FILE, "4c4c4544-0042\n")]).card(
            "eth0",
            "pci0",
            "52:54:00:00:00:ff",
            "0",
        );
        assert!(may_be_same(&root.id(), &exchanged.id()), "the board decides before a network card");
    }

    #[test]
    fn a_serial_number_is_enough_and_an_identity_of_an_older_program_is_still_known() {
        let pi = Machine::new(&[IMAGE, (SERIAL_FILE, "10000000abcdef01\0")]);
        let copy = Machine::new(&[IMAGE, (SERIAL_FILE, "10000000abcdef02\0")]);
        assert!(pi.id().starts_with("serial-") && !pi.id().contains(SEPARATOR), "{}", pi.id());
        assert!(!may_be_same(&pi.id(), &copy.id()));
        assert!(!may_be_same(&pi.id(), &Machine::new(&[IMAGE]).id()), "the card of a Pi in a PC");
        let pc = Machine::new(&[IMAGE, (BOARD_FILE, "4c4c4544-0042\n")]).id();
        let older = pc.split(SEPARATOR).next().unwrap();
        assert!(older.starts_with("machine-") && may_be_same(older, &pc), "{older} {pc}");
    }

    #[test]
    fn a_machine_that_names_nothing_is_unknown_and_a_filler_is_no_name() {
        assert_eq!(Machine::new(&[(BOARD_FILE, "00000000-0000-0000-0000-000000000000\n")]).id(), UNKNOWN);
        assert_eq!(Machine::new(&[]).id(), UNKNOWN);
        assert!(may_be_same(UNKNOWN, "machine-1"));
        assert!(!may_be_same("serial-1", "serial-2"));
        assert!(!may_be_same("words of a test", "others"));
    }
}
