//! Which language stands in for one that there are no words or fonts for.

/// A tag and what may stand in for it, nearest first: `zh-Hant-MO`, `zh-Hant`, `zh-TW`, `zh`. Chinese is told apart by its script: who
/// writes traditional characters gets Taiwan's, everybody else the mainland's.
pub(crate) fn fallbacks(tag: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut shorter = Some(tag);
    while let Some(tag) = shorter.filter(|tag| !tag.is_empty()) {
        shorter = tag.rsplit_once('-').map(|(shorter, _)| shorter);
        if shorter.is_none() && is(tag, "zh") {
            tags.push(chinese(&tags).to_owned());
        }
        tags.push(tag.to_owned());
        if shorter.is_none() {
            // Spoken Chinese languages are written as the Chinese of where they are spoken.
            let written = if is(tag, "yue") { Some("zh-HK") } else { is(tag, "cmn").then_some("zh-CN") };
            tags.extend(written.into_iter().flat_map(fallbacks));
        }
    }
    tags.dedup_by(|later, earlier| is(later, earlier));
    tags
}

/// How a tag should be written: the language in small letters, a script with a capital, a region in capitals, `-` between them.
pub fn usual(tag: &str) -> String {
    // A locale of a system has its encoding behind the language: `en_US.UTF-8`.
    let tag = tag.split(['.', '@']).next().unwrap_or(tag);
    let parts = tag.trim().split(['-', '_']).enumerate().map(|(place, part)| match part.len() {
        _ if place == 0 => part.to_lowercase(),
        2 => part.to_uppercase(),
        4 if part.chars().all(|c| c.is_ascii_alphabetic()) => {
            let lower = part.to_lowercase();
            let mut letters = lower.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
        _ => part.to_lowercase(),
    });
    parts.collect::<Vec<_>>().join("-")
}

/// Whether two tags mean the same language.
pub fn is(tag: &str, other: &str) -> bool {
    tag.eq_ignore_ascii_case(other)
}

fn chinese(longer: &[String]) -> &'static str {
    let traditional = |part: &str| ["hant", "tw", "hk", "mo"].contains(&part.to_lowercase().as_str());
    let simplified = |part: &str| is(part, "hans");
    let parts = || longer.iter().flat_map(|tag| tag.split('-'));
    if parts().any(traditional) && !parts().any(simplified) { "zh-TW" } else { "zh-CN" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chinese_tag_leads_to_the_script_it_is_written_in() {
        for (tag, chain) in [
            ("zh-HK", &["zh-HK", "zh-TW", "zh"][..]),
            ("zh-MO", &["zh-MO", "zh-TW", "zh"]),
            ("zh-Hant", &["zh-Hant", "zh-TW", "zh"]),
            ("zh-Hant-MO", &["zh-Hant-MO", "zh-Hant", "zh-TW", "zh"]),
            ("zh-Hans-HK", &["zh-Hans-HK", "zh-Hans", "zh-CN", "zh"]),
            ("zh-SG", &["zh-SG", "zh-CN", "zh"]),
            ("zh-Hans", &["zh-Hans", "zh-CN", "zh"]),
            ("zh", &["zh-CN", "zh"]),
            ("zh-TW", &["zh-TW", "zh"]),
            ("zh-CN", &["zh-CN", "zh"]),
            ("en-GB", &["en-GB", "en"]),
            ("ug-Arab-CN", &["ug-Arab-CN", "ug-Arab", "ug"]),
            ("fr", &["fr"]),
            ("yue", &["yue", "zh-HK", "zh-TW", "zh"]),
            ("yue-Hant-HK", &["yue-Hant-HK", "yue-Hant", "yue", "zh-HK", "zh-TW", "zh"]),
            ("cmn", &["cmn", "zh-CN", "zh"]),
        ] {
            assert_eq!(fallbacks(tag), chain, "{tag}");
        }
    }

    #[test]
    fn tags_are_written_as_the_standard_writes_them() {
        for (written, usual_tag) in [
            ("zh_CN", "zh-CN"),
            ("ZH-cn", "zh-CN"),
            ("zh-hant-hk", "zh-Hant-HK"),
            ("EN", "en"),
            ("es-419", "es-419"),
            ("en_US.UTF-8", "en-US"),
            ("zh_CN.GB18030", "zh-CN"),
            ("de_DE@euro", "de-DE"),
        ] {
            assert_eq!(usual(written), usual_tag);
        }
    }
}
