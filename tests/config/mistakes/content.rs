//! Mistakes of content: identifiers, texts, hours and zones, scales and reasons.

use xinsheng::config::Kind::Touchpoints;

use super::{Mistake, mistake};

pub(super) const MISTAKES: &[Mistake] = &[
    // Identifiers, twice the same.
    mistake(
        Touchpoints,
        "id = \"canteen\"",
        "id = \"Canteen\"",
        "\"Canteen\"",
        &["`Canteen` is not an id", "lower-case"],
    ),
    mistake(
        Touchpoints,
        "id = \"canteen\"",
        "id = \"ward\"",
        "\"ward\"\nname = { zh-CN = \"营养餐厅\"",
        &["touchpoint `ward` is there twice"],
    ),
    mistake(
        Touchpoints,
        "id = \"clean\"",
        "id = \"smell\"",
        "\"smell\"\ntext = { zh-CN = \"有异味\"",
        &["reason `smell` is there twice"],
    ),
    mistake(
        Touchpoints,
        "id = \"guidance@1\"",
        "id = \"registration@1\"",
        "\"registration@1\"\n\n[[questionnaire.question]]\nid = \"overall\"\ntext = { zh-CN = \"您对导医",
        &["twice"],
    ),
    mistake(
        Touchpoints,
        "id = \"explained\"\ntext = { zh-CN = \"医生",
        "id = \"overall\"\ntext = { zh-CN = \"医生",
        "\"overall\"\ntext = { zh-CN = \"医生",
        &["question `overall` is there twice"],
    ),
    mistake(
        Touchpoints,
        "languages = [\"zh-CN\", \"en\"]",
        "languages = [\"zh-CN\", \"en\", \"en\"]",
        "\"en\"]",
        &["listed twice"],
    ),
    mistake(
        Touchpoints,
        "languages = [\"zh-CN\", \"en\"]",
        "languages = [\"zh-CN\", \"en\", \"zh_TW\"]",
        "\"zh_TW\"",
        &["not a language tag", "did you mean \"zh-TW\"?"],
    ),
    // Texts.
    mistake(
        Touchpoints,
        "name = { zh-CN = \"药房取药\", en = \"Pharmacy\" }",
        "name = { zh-CN = \"药房取药\" }",
        "{ zh-CN = \"药房取药\" }",
        &["missing in `en`", "add en = \"...\""],
    ),
    mistake(
        Touchpoints,
        "{ zh-CN = \"缺药\"",
        "{ zh-cn = \"缺药\"",
        "{ zh-cn = \"缺药\"",
        &["missing in `zh-CN`", "write zh-CN in place of zh-cn"],
    ),
    mistake(
        Touchpoints,
        "{ zh-CN = \"缺药\"",
        "{ zh_CN = \"缺药\"",
        "zh_CN",
        &["`zh_CN` is not a language tag"],
    ),
    mistake(Touchpoints, "zh-CN = \"缺药\"", "zh-CN = \"\"", "{ zh-CN = \"\"", &["missing in `zh-CN`"]),
    mistake(
        Touchpoints,
        "zh-CN = \"缺药\"",
        "zh-CN = \"您要的药品今天医院里已经没有了\"",
        "\"您要的药品",
        &["too long", "30 of at most 24", "12 Chinese characters"],
    ),
    mistake(Touchpoints, "zh-CN = \"缺药\"", "zh-CN = \"缺\\u0007药\"", "\"缺", &["U+0007"]),
    // Hours and zones.
    mistake(
        Touchpoints,
        "hours = \"daily 07:00-18:00\"",
        "hours = \"daily 07:00-25:00\"",
        "07:00-25:00",
        &["not a span of time"],
    ),
    mistake(
        Touchpoints,
        "Sat 08:00-12:00\"\n\n[[touchpoint]]\nid = \"laboratory\"",
        "Satt 08:00-12:00\"\n\n[[touchpoint]]\nid = \"laboratory\"",
        "Satt",
        &["`Satt` is not a day"],
    ),
    mistake(
        Touchpoints,
        "time_zone = \"Asia/Shanghai\"",
        "time_zone = \"Asia/Shanghi\"",
        "\"Asia/Shanghi\"",
        &["not a time zone", "Asia/Shanghai"],
    ),
    mistake(
        Touchpoints,
        "time_zone = \"Asia/Shanghai\"",
        "time_zone = \"UTC+8\"",
        "\"UTC+8\"",
        &["not a time zone", "Asia/Shanghai"],
    ),
    // Scales and reasons.
    mistake(
        Touchpoints,
        "values = [0, 1, 2, 3, 4, 5, 6]",
        "values = [0, 11]",
        "11]\nprompt",
        &["from 0 to 10"],
    ),
    mistake(
        Touchpoints,
        "choices = [\"kind\", \"doctor-clear\"",
        "values2 = 1\nchoices = [\"kind\", \"doctor-clear\"",
        "values2",
        &["unknown key `values2`"],
    ),
    mistake(
        Touchpoints,
        "values = [4, 5]\nprompt = { zh-CN = \"哪里让您满意？\\n可以多选\", en = \"What was good? Choose any\" }\nchoices = [\"kind\", \"doctor-clear\"",
        "values = [2, 5]\nprompt = { zh-CN = \"哪里让您满意？\\n可以多选\", en = \"What was good? Choose any\" }\nchoices = [\"kind\", \"doctor-clear\"",
        "2, 5]",
        &["answer 2 already leads to other reasons"],
    ),
    mistake(
        Touchpoints,
        "scale = \"csat5\"\n\n[[questionnaire.question.reasons]]\nvalues = [1, 2]",
        "scale = \"csat5\"\n\n[[questionnaire.question.reasons]]\nvalues = [0, 2]",
        "0, 2]",
        &["0 is not an answer of the scale csat5", "1, 2, 3, 4, 5"],
    ),
    mistake(
        Touchpoints,
        "\"wet-floor\", \"broken\", \"crowded\", \"other\"]",
        "\"wet-floor\", \"broken\", \"crowded\", \"price\", \"other\"]",
        "[\"not-clean\", \"smell\", \"no-paper\"",
        &["7 reasons are too many", "at most 6 besides `other`"],
    ),
    mistake(
        Touchpoints,
        "\"wet-floor\", \"broken\", \"crowded\", \"other\"]",
        "\"wet-floor\", \"broken\", \"smell\", \"other\"]",
        "\"smell\", \"other\"",
        &["choice `smell` is there twice"],
    ),
];
