//! Mistakes in the files of a terminal and a server, and in the look of the screens.

use xinsheng::config::Kind::{Central, Kiosk};

use super::{Mistake, mistake};

pub(super) const MISTAKES: &[Mistake] = &[
    // A terminal.
    mistake(
        Kiosk,
        "http://127.0.0.1:8460",
        "http://10.1.2.3:8460",
        "\"http://10.1.2.3",
        &["not encrypted", "https://"],
    ),
    mistake(
        Kiosk,
        "http://127.0.0.1:8460",
        "https://me:secret@central",
        "\"https://me",
        &["name or password"],
    ),
    mistake(Kiosk, "http://127.0.0.1:8460", "central.example", "\"central", &["must begin with https://"]),
    mistake(
        Kiosk,
        "touchpoints = [\"registration\"]\n",
        "touchpoints = [\"registration\", \"pharmacy\"]\n",
        "\"question\"\n",
        &["several touchpoints", "attract"],
    ),
    mistake(
        Kiosk,
        "diagonal_in = 10.1",
        "diagonal_in = 43.0",
        "43.0",
        &["pixels a millimetre", "data sheet"],
    ),
    mistake(
        Kiosk,
        "# [sound]\n# volume = \"07:00-12:00 50%, 12:00-14:00 20%",
        "[sound]\nvolume = \"07:00-12:00 50%, 12:00-14:00 200%",
        "12:00-14:00 200%",
        &["not a volume", "07:00-21:00 50%"],
    ),
    mistake(
        Kiosk,
        "# [sound]\n# volume = \"07:00-12:00 50%, 12:00-14:00 20%",
        "[sound]\nvolume = \"07:00-12:00 50%, 11:00-14:00 20%",
        "11:00-14:00 20%",
        &["overlaps", "where the next begins"],
    ),
    // A server.
    mistake(
        Central,
        "listen = \"127.0.0.1:8460\"",
        "listen = \"0.0.0.0:8460\"",
        "\"http://127.0.0.1:8460\"",
        &["central encrypts", "https://"],
    ),
    mistake(
        Central,
        "listen = \"127.0.0.1:8460\"",
        "listen = \"0.0.0.0:8460\"\nbehind_proxy = true",
        "true",
        &["pass by the proxy", "trusted_proxies"],
    ),
    mistake(
        Central,
        "# behind_proxy = true",
        "behind_proxy = true\ntrusted_proxies = [\"10.20.0.5\", \"proxy\"]",
        "\"proxy\"",
        &["neither an address nor a network"],
    ),
    mistake(
        Central,
        "# behind_proxy = true",
        "behind_proxy = true\ntrusted_proxies = [\"0.0.0.0/0\"]",
        "\"0.0.0.0/0\"",
        &["everybody"],
    ),
    mistake(
        Central,
        "# behind_proxy = true",
        "hosts = [\"https://xinsheng.local/\"]",
        "\"https://xinsheng.local/\"",
        &["not the name of a host"],
    ),
    mistake(
        Central,
        "listen = \"127.0.0.1:8460\"",
        "listen = \"localhost\"",
        "\"localhost\"",
        &["address with a port"],
    ),
    mistake(
        Central,
        "# behind_proxy = true",
        "behind_proxy = true\ntls = { cert = \"a\", key = \"b\" }",
        "true\ntls",
        &["leave it to a proxy"],
    ),
    mistake(
        Central,
        "# [tls]\n# cert = \"central.pem\"\n# key = \"central.key\"",
        "[tls]\ncert = \"central.pem\"\nkey = \"central.key\"",
        "\"central.pem\"",
        &["cannot be read"],
    ),
    // Look.
    mistake(
        Kiosk,
        "theme = \"standard\"",
        "theme = \"standard\"\naccent = \"#30a0ff\"",
        "\"#30a0ff\"",
        &["white text on #30a0ff has a contrast of 2.8", "7 is the least", "for example \"#"],
    ),
    mistake(
        Kiosk,
        "theme = \"standard\"",
        "theme = \"standard\"\naccent = \"teal\"",
        "\"teal\"",
        &["`teal` is not a colour", "two hexadecimal digits"],
    ),
    mistake(
        Kiosk,
        "theme = \"standard\"",
        "theme = \"standard\"\nnight = \"21 to 6\"",
        "\"21 to 6\"",
        &["is not a span of time", "21:00-06:00"],
    ),
    mistake(
        Kiosk,
        "theme = \"standard\"",
        "theme = \"standard\"\nlogo = \"no-such.svg\"",
        "\"no-such.svg\"",
        &["cannot be read", "correct the name"],
    ),
    mistake(Kiosk, "theme = \"standard\"", "theme = \"dark\"", "\"dark\"", &["high_contrast", "night"]),
    mistake(Kiosk, "out_of_hours = \"ask\"", "out_of_hours = \"shut\"", "\"shut\"", &["offer", "close"]),
];
