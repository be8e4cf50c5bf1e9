//! Every page against the rules of axe-core, AAA included, at three widths and in both languages. Needs `XINSHENG_AXE`, the path of
//! `axe.min.js` from the npm package axe-core; without it the test is skipped, except where `CI` is set.

use std::net::TcpListener;

use chrono::TimeDelta;
use serde_json::json;
use xinsheng::central::Central;

use super::{
    browser::browser,
    hospital::{example, fill},
    now,
};

/// A phone held upright, a tablet, a desk.
const WIDTHS: [u32; 3] = [360, 820, 1280];

/// What axe-core calls the success criteria of WCAG 2.2, levels A to AAA, and what it advises beside them.
const RUN: &str = "const done = arguments[arguments.length - 1]; \
    axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag2aaa', 'wcag21a', 'wcag21aa', 'wcag21aaa', 'wcag22aa', 'best-practice']}) \
    .then((found) => done({passes: found.passes.length, violations: found.violations.map((one) => one.id + ': ' + one.help + ' ' \
    + one.nodes.map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')).join(' | '))}));";

fn axe() -> Option<String> {
    let path = std::env::var_os("XINSHENG_AXE");
    if path.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI names axe.min.js in XINSHENG_AXE");
        println!("skipped: XINSHENG_AXE names no axe.min.js");
    }
    Some(std::fs::read_to_string(path?).unwrap())
}

#[test]
fn every_page_keeps_the_rules_of_wcag_up_to_aaa_at_three_widths_in_both_languages() {
    let (Some(browser), Some(axe)) = (browser(), axe()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (settings, hospital) = example(folder.path());
    let central =
        Central::start(settings, hospital.clone(), TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let mut terminals = fill(&central, &hospital);
    terminals[0].call_help("ug", now() - TimeDelta::minutes(4));
    terminals[2].call_help("zh-CN", now() - TimeDelta::hours(3));
    let mut wrong = Vec::new();
    for path in ["/?period=all", "/?period=today&filter=raw", "/?site=elsewhere"] {
        for lang in ["zh-CN", "en"] {
            browser.go(&format!("{}{path}&lang={lang}", central.url()));
            browser.run(&axe);
            for width in WIDTHS {
                browser.resize(width, 1500);
                let found = browser.tell("execute/async", &json!({"script": RUN, "args": []}));
                assert!(found["passes"].as_u64().is_some_and(|n| n > 5), "{found}");
                let violations = found["violations"].as_array().unwrap().iter();
                wrong.extend(
                    violations.map(|one| format!("{path} {lang} {width}: {}", one.as_str().unwrap())),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    drop(browser);
    central.stop().unwrap();
}
