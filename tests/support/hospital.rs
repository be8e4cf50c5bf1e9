//! A small hospital for tests: a window with two questions, a ward with reasons, an exit with the Friends and Family question.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic; not every file does")]
#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;

use xinsheng::model::{Lang, Scale, Value};
use xinsheng::questionnaire::{
    Hospital, OpeningHours, Order, Question, Questionnaire, Reason, ReasonGroup, Site, Stage, Texts,
    Touchpoint,
};
use xinsheng::survey::{OutOfHours, Plan, Start, Timing};

pub fn texts(text: &str) -> Texts {
    let (zh, en) = match text {
        "a" => ("您对这里的服务满意吗？", "How was the service here?"),
        "b" => ("这里的环境怎么样？", "How was the place itself?"),
        "fft" => ("总的来说，\n您在这里的体验怎么样？", "Overall, how was your experience?"),
        "why" => ("哪里让您不满意？可以多选", "What went wrong? Choose any"),
        "wait" => ("等得太久", "Long wait"),
        "manner" => ("态度不好", "Attitude"),
        "other" => ("其他", "Other"),
        "window" => ("挂号窗口", "Registration"),
        "ward" => ("住院病房", "Ward"),
        "exit" => ("门诊出口", "Exit"),
        same => (same, same),
    };
    Texts([(lang("zh-CN"), zh.to_owned()), (lang("en"), en.to_owned())].into())
}

pub fn lang(tag: &str) -> Lang {
    tag.parse().unwrap()
}

pub fn question(id: &str, scale: Scale, reasons_after: &[u8]) -> Question {
    let reason = |id: &str| Reason { id: id.parse().unwrap(), text: texts(id), dimension: None };
    let group = ReasonGroup {
        values: reasons_after.iter().copied().map(Value).collect(),
        prompt: texts("why"),
        reasons: ["wait", "manner", "other"].map(reason).into(),
    };
    Question {
        id: id.parse().unwrap(),
        text: texts(id),
        scale,
        order: Order::WorstFirst,
        reasons: if reasons_after.is_empty() { vec![] } else { vec![group] },
    }
}

pub fn plan(touchpoints: &[&str], start: Start) -> Plan {
    let touchpoint = |id: &str, questionnaire: &str| Touchpoint {
        id: id.parse().unwrap(),
        site: "main".parse().unwrap(),
        name: texts(id),
        stage: Stage::Visit,
        dimension: None,
        hours: OpeningHours::default(),
        icon: "generic".into(),
        questionnaire: questionnaire.parse().unwrap(),
    };
    let questionnaire =
        |id: &str, questions: Vec<Question>| Questionnaire { id: id.parse().unwrap(), questions };
    Plan {
        hospital: Arc::new(Hospital {
            languages: vec![lang("zh-CN"), lang("en")],
            sites: vec![Site {
                id: "main".parse().unwrap(),
                name: texts("Main"),
                time_zone: chrono_tz::Asia::Shanghai,
            }],
            touchpoints: vec![
                touchpoint("window", "long@1"),
                touchpoint("ward", "short@1"),
                touchpoint("exit", "fft@2"),
            ],
            questionnaires: vec![
                questionnaire(
                    "long@1",
                    vec![question("a", Scale::Csat5, &[1, 2]), question("b", Scale::Face4, &[])],
                ),
                questionnaire("short@1", vec![question("a", Scale::YesNo, &[0])]),
                questionnaire("fft@2", vec![question("fft", Scale::Fft6, &[])]),
            ],
        }),
        touchpoints: touchpoints.iter().map(|id| id.parse().unwrap()).collect(),
        languages: vec![lang("zh-CN"), lang("en")],
        start,
        timing: Timing::default(),
        out_of_hours: OutOfHours::Ask,
        out_of_service: None,
        help: true,
    }
}
