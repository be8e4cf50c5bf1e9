//! What must not be repeated: passwords, PINs, tokens, keys and their hashes, wherever they stand in a text.
//!
//! [`masked`] gives a text of the same length with every such value in stars, so that places found in one are right in the other. It works on
//! lines, not on a tree, because a file with a mistake in it has no tree. It hides too much rather than too little.

use std::ops::Range;

/// Words that make a key's value a secret, in any part of the key.
const ANYWHERE: [&str; 15] = [
    "passw",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "hash",
    "credential",
    "密码",
    "口令",
    "密钥",
    "秘钥",
    "psk",
    "验证码",
    "授权码",
];

/// Words that make it one where a word of the key begins or ends with them.
const AT_AN_END: [&str; 2] = ["pin", "pass"];

/// Words that people misspell.
const MISSPELT: [&str; 4] = ["password", "secret", "passphrase", "credential"];

/// Sections whose every value is a secret but for these keys.
const SECTIONS: [(&str, &[&str]); 1] = [("staff", &["export_dir"])];

/// What a value begins with that is a hash or a key whatever its key is called.
const VALUES: [&str; 7] = ["$argon2", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "-----BEGIN"];

/// A text of the same length, with every secret in stars.
pub(crate) fn masked(text: &str) -> String {
    masked_knowing(text, &|_| true)
}

/// The same, where the value of a key that nobody knows is a secret too: it may be one whatever language it is written in.
pub(crate) fn masked_knowing(text: &str, is_known: &dyn Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut state = State::default();
    for line in text.split_inclusive('\n') {
        let from = state.secret_from(line, is_known);
        let hidden = hidden_parts(line);
        let hidden = |at: usize| at >= from || hidden.iter().any(|part| part.contains(&at));
        out.extend(line.char_indices().flat_map(|(at, c)| shown(c, hidden(at))));
    }
    out
}

/// The secrets of a text by themselves, the longest first, to be taken out of sentences about it.
pub fn values(text: &str) -> Vec<String> {
    let hidden = masked(text);
    let mut found = Vec::new();
    // No sentence repeats a comment, and its words are everybody's.
    for (line, hidden) in
        text.lines().zip(hidden.lines()).filter(|(line, _)| !line.trim_start().starts_with('#'))
    {
        let mut start = None;
        let ends = line.char_indices().map(|(at, c)| (at, hidden[at..].starts_with(c) && c != '*'));
        for (at, plain) in ends.chain([(line.len(), true)]) {
            match (start, plain) {
                (None, false) => start = Some(at),
                (Some(from), true) => {
                    collect(&line[from..at], &mut found);
                    start = None;
                }
                _ => {}
            }
        }
    }
    found.sort_by_key(|value: &String| std::cmp::Reverse(value.len()));
    found.dedup();
    found
}

/// A sentence without secrets.
pub fn without(sentence: &str, secrets: &[String]) -> String {
    let sentence = without_user_info(sentence);
    secrets.iter().fold(sentence, |sentence, secret| {
        if sentence.contains(secret.as_str()) { without_word(&sentence, secret) } else { sentence }
    })
}

/// Stars in place of a secret, but not within a longer word.
fn without_word(sentence: &str, secret: &str) -> String {
    let inside = |outer: Option<char>, inner: Option<char>| {
        [outer, inner].iter().all(|c| c.is_some_and(|c| c.is_ascii_alphanumeric()))
    };
    let (first, last) = (secret.chars().next(), secret.chars().last());
    let (mut out, mut rest) = (String::new(), sentence);
    while let Some(at) = rest.find(secret) {
        let (before, behind) = (&rest[..at], &rest[at + secret.len()..]);
        let longer = inside(before.chars().last(), first) || inside(behind.chars().next(), last);
        out.push_str(before);
        out.push_str(if longer { secret } else { "***" });
        rest = behind;
    }
    out + rest
}

/// The same text with names and passwords of addresses (`https://NAME:PASSWORD@host`) in stars.
pub(crate) fn without_user_info(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let hidden = hidden_parts(line);
        let hidden = |at: usize| hidden.iter().any(|part| part.contains(&at));
        out.extend(line.char_indices().flat_map(|(at, c)| shown(c, hidden(at))));
    }
    out
}

/// What nobody may read of the addresses in a line: from the first character of one to the last @ behind it, and what stands behind the
/// `?` or `#` of each. `id@1` is a questionnaire with its version.
fn hidden_parts(line: &str) -> Vec<Range<usize>> {
    let user = of_user(line).map(|(from, to)| from..to);
    let queries = line.match_indices("://").filter_map(|(at, _)| of_query(line, at + 3));
    user.into_iter().chain(queries).collect()
}

/// What stands behind the `?` or `#` of an address that begins here: no address of ours has it, and people's hold tokens.
fn of_query(line: &str, begin: usize) -> Option<Range<usize>> {
    let end = line[begin..]
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'))
        .map_or(line.len(), |at| begin + at);
    let from = line[begin..end].find(['?', '#']).map(|at| begin + at + 1)?;
    (from < end).then_some(from..end)
}

/// What stands before the @ of an address.
fn of_user(line: &str) -> Option<(usize, usize)> {
    let scheme = line.find("//").map(|at| at + 2).or_else(|| line.find(":/").map(|at| at + 2));
    let (at, _) = line.char_indices().rfind(|(at, c)| {
        let version = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
        matches!(c, '@' | '＠')
            && (scheme.is_some_and(|from| from < *at) || !version(&line[at + c.len_utf8()..]))
    })?;
    let word = line[..at]
        .rfind(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '='))
        .map_or(0, |before| before + line[before..].chars().next().map_or(1, char::len_utf8));
    let from = scheme.filter(|from| *from < at).unwrap_or(word);
    // Without a colon or a scheme it is an address of mail, or words.
    (from < at && (scheme.is_some() || line[from..at].contains([':', '：']))).then_some((from, at))
}

/// A sign, or as many stars as it has bytes.
fn shown(c: char, hidden: bool) -> impl Iterator<Item = char> {
    let stars = if hidden && c != '\n' && c != '\r' { c.len_utf8() } else { 0 };
    std::iter::repeat_n('*', stars).chain((stars == 0).then_some(c))
}

/// What the lines before mean for the next one.
#[derive(Default)]
struct State {
    /// The section is about secrets; keys of it that are none.
    section: Option<&'static [&'static str]>,
    /// The section `[tls]`, whose `key` is the name of a file.
    is_tls: bool,
    /// The value goes on until this stands in a line.
    until: Option<&'static str>,
    /// The key stood alone.
    pending: bool,
    /// The line before held a secret: what follows belongs to it until a line looks like another key. Quotes that were broken say nothing.
    open: bool,
}

impl State {
    /// Whether a line names the file of a key, which is no secret and the one thing that can be wrong about it.
    fn is_path_of_key(&self, line: &str) -> bool {
        let Some((key, value)) = line.split_once('=') else { return false };
        let Some(name) = value.trim().strip_prefix(['"', '\'']) else { return false };
        let Some(end) = name.find(['"', '\'']) else { return false };
        let has_ending = name[..end].rsplit_once('.').is_some_and(|(stem, ending)| {
            !stem.is_empty()
                && matches!(ending.to_ascii_lowercase().as_str(), "key" | "pem" | "crt" | "der" | "p8")
        });
        let alone = name[end + 1..].trim_start();
        self.is_tls && key.trim() == "key" && has_ending && (alone.is_empty() || alone.starts_with('#'))
    }

    /// Where the secret part of a line begins.
    fn secret_from(&mut self, line: &str, is_known: &dyn Fn(&str) -> bool) -> usize {
        let end = line.len();
        let trimmed = line.trim();
        if let Some(until) = self.until {
            if line.contains(until) {
                self.until = None;
            }
            return 0;
        }
        if self.open && !trimmed.is_empty() && !trimmed.starts_with('#') && !looks_like_a_key(trimmed) {
            return 0;
        }
        self.open &= trimmed.is_empty();
        if trimmed.starts_with(['[', '［', '【']) && !self.pending {
            self.section = section(trimmed);
            self.is_tls = trimmed == "[tls]";
            // A header that was not closed may have a value behind it.
            let alone =
                trimmed.ends_with([']', '］', '】']) && !trimmed.contains(['=', '＝', ':', '：', '"', '\'']);
            if self.section.is_some() && alone {
                return end;
            }
        }
        let of_a_hash = VALUES.iter().filter_map(|value| line.find(value)).min();
        let of_an_unknown_key = key_of(line).filter(|key| !is_known(key)).map(|_| value_of(line));
        let word = first_secret_word(line).filter(|_| !self.is_path_of_key(trimmed));
        let begins = [word, of_a_hash, of_an_unknown_key].into_iter().flatten().min();
        let is_open = |open: &[&str]| trimmed.is_empty() || open.iter().any(|key| trimmed.starts_with(key));
        let of_section = self.section.filter(|open| !is_open(open)).map(|_| value_of(line));
        // A value may look like the name of a secret: what comes first counts.
        let from = if self.pending && !trimmed.is_empty() {
            Some(0)
        } else {
            [begins, of_section].into_iter().flatten().min()
        };
        let Some(from) = from else { return end };
        self.open = !trimmed.starts_with('#');
        let rest = line[from..].trim();
        // Whatever signs stand behind the key: without a letter or digit the value is still to come.
        self.pending = !rest.contains(char::is_alphanumeric) && !trimmed.starts_with('#');
        self.until = ["\"\"\"", "'''"].into_iter().find(|quotes| rest.matches(quotes).count() % 2 == 1);
        if self.until.is_none() && rest.contains('[') && !rest.contains(']') {
            self.until = Some("]");
        }
        if rest.contains("-----BEGIN") && !rest.contains("-----END") {
            self.until = Some("-----END");
        }
        from
    }
}

/// A key with its sign, or the header of a section.
fn looks_like_a_key(line: &str) -> bool {
    let sign = line.find(['=', '＝', ':', '：']);
    line.starts_with(['[', '［', '【']) || sign.is_some_and(|at| line[..at].contains(char::is_alphanumeric))
}

/// The last part of the key that a line begins with, without its quotes; none where the line begins with something else.
fn key_of(line: &str) -> Option<&str> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '\t' | '"' | '\'');
    let sign = line.find(|c| !part(c))?;
    let before = line[..sign].trim();
    let quotes = before.matches(['"', '\'']).count();
    let is_sign = line[sign..].starts_with(['=', '＝', ':', '：']);
    let key = before.rsplit('.').next().unwrap_or(before).trim_matches(['"', '\'', ' ', '\t']);
    (is_sign && quotes.is_multiple_of(2) && !key.is_empty()).then_some(key)
}

/// Behind the first sign that parts key and value; the whole line where there is none.
fn value_of(line: &str) -> usize {
    let parts = |c: char| matches!(c, '=' | '＝' | ':' | '：');
    line.char_indices().find(|(_, c)| parts(*c)).map_or(0, |(at, c)| at + c.len_utf8())
}

fn section(header: &str) -> Option<&'static [&'static str]> {
    let name: String =
        header.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')).collect();
    let known = SECTIONS.into_iter().find(|(section, _)| name.eq_ignore_ascii_case(section));
    known.map(|(_, open)| open).or_else(|| name.split('.').any(is_secret).then_some(&[]))
}

/// The end of the first word of a line that makes what follows a secret.
fn first_secret_word(line: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut start = None;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        match (start, part(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                if is_secret(&line[from..at]) {
                    return Some(at);
                }
                start = None;
            }
            _ => {}
        }
    }
    None
}

/// Whether a key is one of a secret, in whatever spelling.
fn is_secret(key: &str) -> bool {
    let plain: String = key.chars().map(narrow).collect();
    let lower = plain.to_lowercase();
    let joined: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    if ANYWHERE.iter().any(|word| joined.contains(word)) {
        return true;
    }
    let words = split_words(&plain);
    let ends = |word: &str| {
        AT_AN_END.iter().any(|secret| {
            (word.starts_with(secret) && word.len() <= secret.len() + 4) || word.ends_with(secret)
        })
    };
    let is_key = |word: &str| word == "keys" || word.ends_with("key");
    words.iter().any(|word| {
        ends(word) || is_key(word) || (word.len() >= 5 && MISSPELT.iter().any(|right| near(word, right)))
    })
}

/// The words of `staffPin`, `staff_pin` and `STAFF-PIN`.
fn split_words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in key.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

/// Whether two words differ by a slip: a letter more, less or other, or two swapped.
fn near(word: &str, right: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (word.chars().collect(), right.chars().collect());
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let tail = |a: &[char], b: &[char], skip_a: usize, skip_b: usize| {
        a.get(skip_a..) == b.get(skip_b..) && a.get(skip_a..).is_some()
    };
    tail(a, b, 1, 0)
        || tail(a, b, 0, 1)
        || tail(a, b, 1, 1)
        || (a.len() >= 2 && b.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..])
}

/// The plain letter of a full-width one.
fn narrow(c: char) -> char {
    match u32::from(c) {
        wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// A hidden piece as it could stand in a sentence: as a whole, between its quotes, and word by word up to a comment. Two signs are no secret.
fn collect(piece: &str, found: &mut Vec<String>) {
    let around = |c: char| c.is_whitespace() || "\"'=,“”＝：:{}[]*".contains(c);
    let value = piece.split('#').next().unwrap_or_default();
    let words = value.split_whitespace();
    let of_address = value
        .split_whitespace()
        .filter(|word| word.contains(['@', '＠']))
        .flat_map(|word| word.split([':', '：', '/', '@', '＠']));
    let of_query = value.split_whitespace().flat_map(|word| word.split(['=', '&', '?']));
    let parts = [piece]
        .into_iter()
        .chain(piece.split(['"', '\'', '$']))
        .chain(words)
        .chain(of_address)
        .chain(of_query);
    let secret = |part: &&str| part.chars().count() > 2 && part.chars().any(char::is_alphanumeric);
    found.extend(parts.map(|part| part.trim_matches(around)).filter(secret).map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hides(text: &str, secret: &str) {
        let hidden = masked(text);
        assert!(!hidden.contains(secret), "{text} -> {hidden}");
        assert_eq!(hidden.len(), text.len(), "{text}");
        let said = without(&format!("`{secret}` is wrong"), &values(text));
        assert!(text.starts_with('#') || !said.contains(secret), "{text}: {:?}", values(text));
    }

    #[test]
    fn the_value_of_a_key_of_a_secret_is_hidden_in_every_spelling() {
        for key in [
            "pin",
            "PIN",
            "Pin",
            "pin_hash",
            "PIN_HASH",
            "pinHash",
            "staffPin",
            "staff-pin",
            "pincode",
            "pins",
            "password",
            "Passwort_password",
            "PASSWD",
            "pwd",
            "pasword",
            "pass",
            "db_pass",
            "secret",
            "clientSecret",
            "token",
            "api_token",
            "apikey",
            "api_key",
            "key",
            "private-key",
            "密码",
            "ｐｉｎ",
            "passphrase",
            "credentials",
            "sha256_hash",
        ] {
            for line in [
                "KEY = \"s3cret-9\"",
                "KEY=s3cret-9",
                "  KEY : s3cret-9",
                "a = { KEY = \"s3cret-9\" }",
                "KEY \"s3cret-9",
                "# KEY s3cret-9",
                "KEY：“s3cret-9”",
                "\"KEY\" = 's3cret-9'",
                "x.KEY = \"s3cret-9\"",
                "KEY =\n  \"s3cret-9\"",
                "KEY = \"\"\"\na\ns3cret-9\"\"\"",
                "KEY = [\n \"s3cret-9\"\n]",
            ] {
                hides(&line.replace("KEY", key), "s3cret-9");
            }
        }
        hides("[secrets]\nvalue = \"s3cret-9\"\n", "s3cret-9");
        hides("[staff]\nnumber = \"s3cret-9\"\nexport_dir = \"x\"\n", "s3cret-9");
        hides("[staff.pin]\na = 1\nb = \"s3cret-9\"\n", "s3cret-9");
        hides("anything = \"$argon2id$v=19$m=1$s3cret-9\"", "s3cret-9");
    }

    #[test]
    fn the_value_of_a_key_that_nobody_knows_is_not_shown() {
        let known = |key: &str| ["dir", "url", "full_screen"].contains(&key);
        for key in ["wpa_psx", "mexpiy", "код", "contraseña", "\"geheim wort\"", "a.b", "x . y"] {
            for line in
                ["KEY = \"s3cret-9\"", "KEY=s3cret-9", " KEY：“s3cret-9”", "KEY = [\n \"s3cret-9\"\n]"]
            {
                let text = line.replace("KEY", key);
                let hidden = masked_knowing(&text, &known);
                assert!(!hidden.contains("s3cret"), "{text} -> {hidden}");
                assert_eq!(hidden.len(), text.len());
            }
        }
        for line in [
            "dir = \"data/kiosk\"",
            "storage.dir = \"data/kiosk\"",
            "\"full_screen\" = true",
            "[panel]",
            "# wpa = unknown",
            "  \"07:00-08:00 50%\",",
            "hours",
        ] {
            assert_eq!(masked_knowing(line, &known), line);
        }
    }

    #[test]
    fn the_file_of_a_key_is_shown_and_a_key_in_its_place_is_not() {
        let shown = "[tls]\ncert = \"central.pem\"\nkey = \"certs/central.key\" # of the CA\n";
        assert_eq!(masked(shown), shown);
        for (section, value) in
            [("[tls]", "c2VjcmV0/c2Vj"), ("[tls]", "-----BEGIN PRIVATE KEY-----"), ("[central]", "a.key")]
        {
            let text = format!("{section}\nkey = \"{value}\"\n");
            assert!(!masked(&text).contains(value), "{text}");
        }
    }

    #[test]
    fn what_stands_behind_the_question_mark_of_an_address_is_hidden() {
        for line in
            ["url = \"https://central.example/?t=s3cret-9\"", "url = \"https://c.example/a#s3cret-9\" # x"]
        {
            hides(line, "s3cret-9");
            assert!(masked(line).contains("https://c"), "{}", masked(line));
        }
    }

    #[test]
    fn names_and_passwords_of_addresses_are_hidden() {
        for line in [
            "url = \"https://lobby:s3cret-9@central.example\"",
            "url = \"https//lobby:s3cret-9@central\"",
            "https://s3cret-9@host",
            "url = \"lobby:s3cret-9@host\"",
            "https://a:s3cret-9@b@host/x",
            "url = \"https://lobby:s3cret-9＠host\"",
            "https://lobby:s3cret-9@10.0.0.1",
        ] {
            hides(line, "s3cret-9");
        }
        assert_eq!(without_user_info("cannot reach https://a:b@host/x"), "cannot reach https://***@host/x");
    }

    #[test]
    fn every_secret_of_every_address_in_a_line_is_hidden() {
        let line = "https://me:s3cret-9@c.example/?t=t0ken-7 and https://d.example/?u=t0ken-8";
        let hidden = without_user_info(line);
        for secret in ["me", "s3cret-9", "t0ken-7", "t0ken-8"] {
            assert!(!hidden.contains(secret), "{secret}: {hidden}");
        }
        assert!(hidden.contains("c.example") && hidden.contains("d.example"), "{hidden}");
    }

    #[test]
    fn everything_else_stays_readable() {
        for line in [
            "questionnaire = \"outpatient@1\"",
            "width_px = 1920",
            "name = { zh-CN = \"挂号窗口\", en = \"Registration\" }",
            "hours = \"Mon-Fri 08:00-12:00\"",
            "[staff]",
            "[[touchpoint]]",
            "url = \"https://xinsheng.example-hospital.cn\"",
            "prompt = { en = \"What went wrong? Opening hours?\" }",
            "icon = \"parking\"",
            "id = \"no-shopping\"",
        ] {
            assert_eq!(masked(line), line);
        }
        assert_eq!(masked("[staff]\nexport_dir = \"/mnt\"\n"), "[staff]\nexport_dir = \"/mnt\"\n");
        assert!(values("width_px = 1920").is_empty());
    }
}
