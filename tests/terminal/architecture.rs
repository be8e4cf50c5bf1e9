//! The arrows of ARCHITECTURE.md are the arrows of the code: which module may use which, with nothing left out and nothing idle, and no
//! circle.
//!
//! Read from the `use` lines and paths of the source as text. Test modules and `tests.rs` files are left out: a test may look anywhere.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    found
}

/// The source without comments and without its test module, which stands last.
fn product_part(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The first name of every path that begins with `head`, such as `crate::`; also of each member of `crate::{..}`.
fn first_names(text: &str, head: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(head) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = text[at + head.len()..].trim_start();
        let Some(list) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let mut depth = 0_u32;
        let mut member = String::new();
        for c in list.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.insert(name(&member));
                    member.clear();
                }
                _ if depth == 0 => member.push(c),
                _ => {}
            }
        }
        found.insert(name(&member));
    }
    found.remove("");
    found
}

fn in_the_code() -> Arrows {
    let folder = root().join("src");
    let mut arrows = Arrows::new();
    for path in sources(&folder) {
        let inside = path.strip_prefix(&folder).unwrap();
        // The vectors are a test too.
        let is_test = inside.ends_with("tests.rs") || inside.ends_with("vectors.rs");
        if is_test || inside == Path::new("lib.rs") {
            continue;
        }
        let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        let text = product_part(&fs::read_to_string(&path).unwrap());
        let mut used = first_names(&text, "crate::");
        if module == "bin" {
            used.extend(first_names(&text, "xinsheng::"));
        }
        used.remove(&module);
        arrows.entry(module).or_default().extend(used);
    }
    arrows
}

/// The block of lines `module -> module module` below the mark.
fn in_the_document() -> Arrows {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let block = text.split("<!-- arrows: held by tests/terminal/architecture.rs -->\n```\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    block
        .lines()
        .map(|line| {
            let (module, used) = line.split_once("->").unwrap_or((line, ""));
            (module.trim().to_owned(), used.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn the_document_draws_the_arrows_that_the_code_has() {
    let (code, document) = (in_the_code(), in_the_document());
    let line = |module: &str, used: &BTreeSet<String>| {
        format!("{module} -> {}", used.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
    };
    let drawn: Vec<String> = document.iter().map(|(module, used)| line(module, used)).collect();
    let found: Vec<String> = code.iter().map(|(module, used)| line(module, used)).collect();
    assert_eq!(
        found.join("\n"),
        drawn.join("\n"),
        "left: the code, right: ARCHITECTURE.md. A new arrow is a decision: is it wanted?"
    );
}

#[test]
fn no_arrow_leads_back() {
    let code = in_the_code();
    let mut left: BTreeSet<&str> = code.keys().map(String::as_str).collect();
    // Takes away what uses nothing that is left; what can never be taken away stands in a circle.
    while let Some(free) =
        left.iter().find(|module| code[**module].iter().all(|used| !left.contains(used.as_str()))).copied()
    {
        left.remove(free);
    }
    assert!(left.is_empty(), "a circle among {left:?}");
}

#[test]
fn terminal_and_central_meet_in_pure_modules_only() {
    let code = in_the_code();
    let reach = |from: &str| {
        let mut seen = BTreeSet::from([from.to_owned()]);
        let mut open = vec![from.to_owned()];
        while let Some(module) = open.pop() {
            for used in code.get(&module).into_iter().flatten() {
                if seen.insert(used.clone()) {
                    open.push(used.clone());
                }
            }
        }
        seen
    };
    assert!(!reach("kiosk").contains("central"));
    for never in ["kiosk", "journal", "sync", "staff", "sound", "ui"] {
        assert!(!reach("central").contains(never), "central reaches {never}");
    }
}

#[test]
fn a_path_is_found_however_it_is_written() {
    let text = "use crate::{a, b::{c, d}, e as f};\nlet x = crate::g::h(); my_crate::i(); // crate::j\n";
    let found = first_names(&product_part(text), "crate::");
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "e", "g"]);
}
