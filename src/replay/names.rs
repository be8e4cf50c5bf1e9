//! Names of places: which are the same, and which id each gets.
//!
//! An id is stable: it depends on the name and on the places that are there already, never on the other rows. Names of ASCII letters and
//! digits give a readable id; any other name is transliterated and gets a part of its hash, since different names may sound the same.

use std::collections::BTreeMap;

use deunicode::deunicode;

use crate::{
    chain,
    model::{IdError, Lang, TouchpointId},
    questionnaire::Hospital,
};

/// Longest readable part of an id: with the hash it stays below the 64 of an id.
const SLUG_LEN_MAX: usize = 48;
/// Digits of a name's hash in its id.
const HASH_DIGITS: usize = 6;
/// Widest name on a button, in cells of a Latin letter.
const SHOWN_CELLS_MAX: usize = 32;

/// A name without what people do not see or mean: width, case, blanks at the ends and double ones within.
pub fn fold(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !is_invisible(*c)).map(half_width).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The same without any blank: two such names look alike.
pub(super) fn fold_tight(name: &str) -> String {
    fold(name).chars().filter(|c| !c.is_whitespace()).collect()
}

/// Full-width letters, digits and signs as everybody types them.
pub(super) fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' | '\u{202f}' => ' ',
        other => other,
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// A place of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The name in the file.
    pub name: String,
    /// Its id.
    pub id: TouchpointId,
    /// The hospital has it already.
    pub exists: bool,
}

/// Gives each name its id, in the given order. `missing` are the characters that no font of a language has.
///
/// # Errors
/// None that a name can cause.
pub fn assign(
    names: &[String],
    hospital: &Hospital,
    missing: &dyn Fn(&Lang, &str) -> Vec<char>,
) -> Result<Vec<Place>, IdError> {
    let mut same_slug: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *same_slug.entry(slug(name)).or_default() += 1;
    }
    let assign_one = |name: &String| {
        let plain = slug(name);
        let hashed = hashed(name, &plain)?;
        let is_of_this_name = |id: &TouchpointId| hospital.touchpoint(id).is_some();
        if let Some(id) =
            existing(name, hospital, missing).or_else(|| Some(hashed.clone()).filter(is_of_this_name))
        {
            return Ok(Place { name: name.clone(), id, exists: true });
        }
        let is_free = |id: &TouchpointId| hospital.touchpoint(id).is_none();
        // A name that is shortened or written otherwise on the screen is known again by the hash alone.
        let is_shown = || shown(name, &|_| Vec::new()) == *name;
        let readable = (name.is_ascii() && is_shown() && same_slug.get(&plain) == Some(&1))
            .then(|| plain.parse().ok())
            .flatten()
            .filter(is_free);
        Ok(Place { name: name.clone(), id: readable.unwrap_or(hashed), exists: false })
    };
    names.iter().map(assign_one).collect()
}

/// The place of the hospital's first site that has this name in any language, or this id. A name that the screen shortens says too little.
fn existing(
    name: &str,
    hospital: &Hospital,
    missing: &dyn Fn(&Lang, &str) -> Vec<char>,
) -> Option<TouchpointId> {
    let site = &hospital.sites.first()?.id;
    let wanted = fold(name);
    let here = || hospital.touchpoints.iter().filter(|touchpoint| &touchpoint.site == site);
    let by_id = here().find(|touchpoint| touchpoint.id.as_str() == wanted);
    let is_called = |lang: &Lang, text: &String| {
        let unbroken = fold(&text.replace('\n', ""));
        let as_shown = fold(&shown(name, &|shown| missing(lang, shown)));
        unbroken == wanted || (unbroken == as_shown && !as_shown.contains('…') && !as_shown.contains('?'))
    };
    let by_name = || here().find(|touchpoint| touchpoint.name.0.iter().any(|(l, text)| is_called(l, text)));
    by_id.or_else(by_name).map(|touchpoint| touchpoint.id.clone())
}

/// A name as a page can show it: without signs that no font has, and not too long for a button.
pub fn shown(name: &str, missing: &dyn Fn(&str) -> Vec<char>) -> String {
    let clean: String =
        name.chars().filter(|c| !is_invisible(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let lacking = missing(&clean);
    let replace = |c: char| if lacking.contains(&c) { deunicode(&c.to_string()) } else { c.to_string() };
    let drawn = clean.chars().map(replace).collect::<String>();
    let drawn = drawn.split_whitespace().collect::<Vec<_>>().join(" ");
    let drawn = if drawn.is_empty() { "?".to_owned() } else { drawn };
    shorten(&drawn)
}

/// A name for a button that no other button has: the same with the sign of its id at the end.
pub fn told_apart(shown: &str, id: &TouchpointId) -> String {
    const SIGN: usize = 4;
    let sign: String = id.as_str().chars().rev().take(SIGN).collect::<Vec<_>>().into_iter().rev().collect();
    let width = |c: char| if c.is_ascii() { 1 } else { 2 };
    let mut left = SHOWN_CELLS_MAX - SIGN - 1;
    let head: String = shown
        .chars()
        .take_while(|c| {
            let fits = width(*c) <= left;
            left = left.saturating_sub(width(*c));
            fits
        })
        .collect();
    format!("{} {sign}", head.trim_end())
}

/// The head and the end of a long name: names that differ often differ there.
fn shorten(name: &str) -> String {
    let width = |c: char| if c.is_ascii() { 1 } else { 2 };
    if name.chars().map(width).sum::<usize>() <= SHOWN_CELLS_MAX {
        return name.to_owned();
    }
    let take = |chars: &mut dyn Iterator<Item = char>, cells: usize| {
        let mut left = cells;
        chars
            .take_while(|c| {
                let fits = width(*c) <= left;
                left = left.saturating_sub(width(*c));
                fits
            })
            .collect::<Vec<char>>()
    };
    let head: String = take(&mut name.chars(), 20).into_iter().collect();
    let tail: String = take(&mut name.chars().rev(), 10).into_iter().rev().collect();
    format!("{}…{}", head.trim_end(), tail.trim_start())
}

/// Lower-case ASCII letters and digits, everything else a dash.
fn slug(name: &str) -> String {
    let dashed: String = deunicode(&fold(name))
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let mut slug = String::new();
    for part in dashed.split('-').filter(|part| !part.is_empty()) {
        let dash = usize::from(!slug.is_empty());
        if slug.len() + dash >= SLUG_LEN_MAX {
            break;
        }
        let room = SLUG_LEN_MAX - slug.len() - dash;
        if dash == 1 {
            slug.push('-');
        }
        slug.push_str(&part[..part.len().min(room)]);
    }
    slug
}

fn hashed(name: &str, slug: &str) -> Result<TouchpointId, IdError> {
    let hash = chain::sha256(fold(name).as_bytes()).to_string();
    let head = if slug.is_empty() { "place" } else { slug };
    format!("{head}-{}", hash.chars().take(HASH_DIGITS).collect::<String>()).parse()
}
