//! The staff area on the real pages: the head of a page is touched, a PIN is typed, buttons are tested, with the real journal and the real worker.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::sync::Arc;
use std::time::Duration;

use i_slint_backend_testing::{AccessibleRole, ElementHandle, init_no_event_loop, mock_elapsed_time};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, PhysicalSize};
use xinsheng::clock::SimClock;
use xinsheng::kiosk::Kiosk;
use xinsheng::lang::{Catalogue, Text};
use xinsheng::model::BootId;
use xinsheng::panel::Panel;
use xinsheng::staff::{Volume, lockout::LOCK_MS};
use xinsheng::survey::{Page, Plan, Start};
use xinsheng::terminal::{Look, Parts, Setup};
use xinsheng::ui::{AppWindow, Page as Shown, Shell};
use xinsheng::wire::Body;

use crate::hospital;

use crate::backstage::{Backstage, PIN};

pub(crate) struct Screen {
    pub(crate) window: AppWindow,
    pub(crate) kiosk: Kiosk,
    clock: Arc<SimClock>,
    behind: Backstage,
}

impl Screen {
    fn new() -> Self {
        init_no_event_loop();
        Self::at(tempfile::tempdir().unwrap(), BootId::from_parts(0, [1; 10]))
    }

    fn at(home: tempfile::TempDir, boot: BootId) -> Self {
        Self::with(home, boot, |_| {})
    }

    fn with(home: tempfile::TempDir, boot: BootId, prepare: impl FnOnce(&mut Backstage)) -> Self {
        let plan = hospital::plan(&["exit"], Start::Question);
        Self::of(home, boot, (plan, Panel::new(10.1, 1280, 800)), prepare)
    }

    /// A terminal that asks what a plan says, on a panel.
    pub(crate) fn on(plan: Plan, panel: Panel) -> Self {
        init_no_event_loop();
        let home = tempfile::tempdir().unwrap();
        Self::of(home, BootId::from_parts(0, [1; 10]), (plan, panel), |_| {})
    }

    fn of(
        home: tempfile::TempDir,
        boot: BootId,
        (plan, panel): (Plan, Panel),
        prepare: impl FnOnce(&mut Backstage),
    ) -> Self {
        let window = AppWindow::new().unwrap();
        let (width, height) = panel.page_px();
        window.window().set_size(PhysicalSize::new(width, height));
        let clock = Arc::new(SimClock::at("2026-11-21T02:00:00Z".parse().unwrap(), boot));
        let mut behind = Backstage::open(home, clock.clone());
        prepare(&mut behind);
        let parts = Parts {
            plan,
            catalogue: Catalogue::shipped().unwrap(),
            fonts: xinsheng::fonts::Fonts::shipped(),
            second_language: Some(hospital::lang("en")),
            panel,
            low_reach: false,
            look: Look::default(),
            full_screen: false,
            clock: clock.clone(),
            store: behind.store(),
            staff: behind.staff(),
            sound: xinsheng::sound::SoundHandle::silent(),
        };
        let kiosk = Kiosk::new(&window, parts).unwrap();
        window.show().unwrap();
        behind.serve(&kiosk);
        Self { window, kiosk, clock, behind }
    }

    /// The power goes off and on: another start of the machine, the same card.
    fn power_cycle(self, boot: BootId) -> Self {
        Self::at(self.behind.close(), boot)
    }

    pub(crate) fn wait(&self, ms: u64) -> &Self {
        for _ in 0..ms.div_ceil(100) {
            self.clock.advance(100);
            mock_elapsed_time(Duration::from_millis(100));
        }
        self
    }

    /// What was handed to the worker is done, and what was handed to the journal is on the disk.
    fn answered(&self) -> &Self {
        self.behind.answered();
        self.kiosk.take_news();
        self
    }

    pub(crate) fn committed(&self) -> &Self {
        self.behind.committed();
        self.kiosk.take_news();
        self
    }

    /// Another configuration comes, for a panel of 10.1 inches.
    pub(crate) fn change(&self, plan: Plan) -> &Self {
        self.kiosk.screen().setup(Setup {
            plan,
            second_language: Some(hospital::lang("en")),
            panel: Panel::new(10.1, 1280, 800),
            low_reach: false,
            look: Look::default(),
        });
        self.kiosk.take_news();
        self
    }

    /// Touches the head of the page beside its buttons.
    pub(crate) fn knock(&self, times: usize) -> &Self {
        let window = self.window.window();
        let middle = window.size().to_logical(window.scale_factor()).width * 0.4;
        for _ in 0..times {
            let position = LogicalPosition::new(middle, 30.0);
            let button = PointerEventButton::Left;
            self.window.window().dispatch_event(WindowEvent::PointerPressed { position, button });
            self.window.window().dispatch_event(WindowEvent::PointerReleased { position, button });
            self.wait(300);
        }
        self
    }

    pub(crate) fn press(&self, label: &str) -> &Self {
        self.wait(600);
        ElementHandle::find_by_accessible_label(&self.window, label)
            .find(|element| element.accessible_role() == Some(AccessibleRole::Button))
            .unwrap_or_else(|| panic!("no button `{label}` on {:?}", self.page()))
            .invoke_accessible_default_action();
        self
    }

    pub(crate) fn type_pin(&self, pin: &str) -> &Self {
        for digit in pin.chars() {
            self.press(&digit.to_string());
        }
        self.press("确定").answered()
    }

    pub(crate) fn page(&self) -> Shown {
        self.window.global::<Shell>().get_page()
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        ElementHandle::find_by_accessible_label(&self.window, text).next().is_some()
    }

    pub(crate) fn entries(&self) -> Vec<Body> {
        self.committed();
        self.behind.entries()
    }
}

#[test]
fn five_touches_on_the_head_open_the_pin_page_and_four_do_not() {
    let screen = Screen::new();
    screen.knock(4).wait(4_000);
    assert_eq!(screen.page(), Shown::Question);
    screen.knock(5);
    assert_eq!(screen.page(), Shown::Keypad);
    assert!(screen.shows("请输入密码"));
    screen.press("返回");
    assert_eq!(screen.page(), Shown::Question);
    assert!(screen.kiosk.at_rest(), "a knock is no visit");
}

#[test]
fn the_pin_opens_the_menu_and_a_minute_without_a_touch_closes_it() {
    let screen = Screen::new();
    screen.knock(5).type_pin(PIN);
    assert_eq!(screen.page(), Shown::Choice);
    assert!(screen.shows("要做什么？"));
    screen.press("状态").answered();
    assert_eq!(screen.page(), Shown::Report);
    assert!(screen.shows("未发送: 0"));
    screen.wait(60_000);
    assert_eq!(screen.page(), Shown::Question);
}

#[test]
fn wrong_pins_lock_the_keypad_and_neither_power_nor_clock_unlocks_it() {
    let screen = Screen::new();
    screen.knock(5).type_pin("1111");
    assert!(screen.shows("密码不对，还能试 4 次"));
    for _ in 0..4 {
        screen.type_pin("2222");
    }
    assert!(screen.shows("已锁定，请等 5 分钟"));
    screen.press("1");
    screen.wait(120_000).knock(5).type_pin(PIN);
    assert!(screen.shows("已锁定，请等 3 分钟"), "the right PIN is not looked at either");

    screen.clock.set_wall("2027-11-21T02:00:00Z".parse().unwrap());
    let screen = screen.power_cycle(BootId::from_parts(0, [2; 10]));
    screen.knock(5).type_pin(PIN);
    assert!(screen.shows("已锁定，请等 5 分钟"), "the whole wait begins again");
    screen.press("返回").wait(LOCK_MS).knock(5).type_pin(PIN);
    assert!(screen.shows("要做什么？"));
}

#[test]
fn wiping_needs_no_pin_and_counts_for_nothing() {
    let screen = Screen::new();
    screen.knock(5).press("清洁屏幕");
    assert!(screen.kiosk.with_survey(|survey| matches!(survey.page(), Page::Cleaning { .. })));
    assert!(screen.shows("正在清洁屏幕"));
    screen.knock(8);
    assert_eq!(screen.page(), Shown::Notice, "nobody knocks with a cloth");
    screen.wait(30_000);
    assert_eq!(screen.page(), Shown::Question);
    let kinds: Vec<_> = screen.entries().iter().map(Body::kind).collect();
    assert_eq!(kinds, ["cleaning"]);
}

#[test]
fn the_network_test_says_why_central_is_not_reached() {
    let screen = Screen::new();
    screen.knock(5).type_pin(PIN).press("测试网络").answered();
    assert!(screen.shows("与中心服务器通信不正常"));
    assert!(screen.shows("连不上中心服务器，请检查网线和网络"));
}

#[test]
fn an_answer_that_is_not_centrals_is_named_in_the_language_of_the_page() {
    init_no_event_loop();
    let home = tempfile::tempdir().unwrap();
    let screen = Screen::with(home, BootId::from_parts(0, [1; 10]), Backstage::refuse);
    screen.knock(5).type_pin(PIN).press("测试网络").answered();
    assert!(screen.shows("与中心服务器通信不正常"));
    let note = screen.window.global::<xinsheng::ui::Report>().get_note().spoken;
    assert_eq!(
        note, "应答的不是中心服务器，可能是登录页或代理，请通知信息科",
        "nothing of the answer's English"
    );
}

#[test]
fn the_corner_says_it_in_the_language_at_rest() {
    let screen = Screen::new();
    let badge = |text| {
        screen.kiosk.screen().badge(text);
        screen.kiosk.take_news();
        screen.window.global::<Shell>().get_badge()
    };
    assert_eq!(badge(Some(Text::BadgeOffline)), "离线");
    screen.press("语言").press("English");
    assert!(screen.shows("Language"), "a visitor reads English now");
    assert_eq!(badge(Some(Text::BadgeConfigRefused)), "新设置未采用");
    assert_eq!(badge(None), "");
}

#[test]
fn touching_every_field_of_the_glass_passes_its_test() {
    let screen = Screen::new();
    screen.knock(5).type_pin(PIN).press("测试触摸");
    assert_eq!(screen.page(), Shown::TouchTest);
    let test = screen.window.global::<xinsheng::ui::TouchTest>();
    let (columns, rows) = (test.get_columns(), test.get_rows());
    let at = |n: i32| {
        let (x, y) = ((n % columns) as f32 + 0.5, (n / columns) as f32 + 0.5);
        LogicalPosition::new(x * 1280.0 / columns as f32, y * 800.0 / rows as f32)
    };
    let button = PointerEventButton::Left;
    screen.window.window().dispatch_event(WindowEvent::PointerPressed { position: at(0), button });
    for field in 0..columns * rows {
        screen.window.window().dispatch_event(WindowEvent::PointerMoved { position: at(field) });
    }
    screen.window.window().dispatch_event(WindowEvent::PointerReleased { position: at(0), button });
    assert!(screen.shows("全部正常"));
    screen.window.window().dispatch_event(WindowEvent::PointerPressed { position: at(0), button });
    screen.window.window().dispatch_event(WindowEvent::PointerReleased { position: at(0), button });
    assert_eq!(screen.page(), Shown::Choice);
}

#[test]
fn what_staff_choose_on_the_pages_is_kept_on_the_card() {
    let screen = Screen::new();
    screen.knock(5).type_pin(PIN).press("音量").press("大").answered();
    assert_eq!(screen.behind.choices().volume, Some(Volume::High));
    let again = screen.power_cycle(BootId::from_parts(0, [2; 10]));
    assert_eq!(again.behind.choices().volume, Some(Volume::High));
}

#[test]
fn a_restart_is_asked_for_only_after_its_own_page() {
    let screen = Screen::new();
    screen.knock(5).type_pin(PIN).press("重新启动");
    assert!(screen.shows("重新启动终端？"));
    assert!(!screen.behind.restarted());
    screen.press("重新启动");
    assert!(screen.behind.restarted());
}

#[test]
fn the_screen_test_shows_each_picture_over_the_whole_glass_and_ends_at_the_menu() {
    let screen = Screen::new();
    screen.knock(5).type_pin(PIN).press("测试屏幕");
    let mut seen = Vec::new();
    while screen.page() == Shown::ScreenTest {
        seen.push(screen.window.global::<xinsheng::ui::ScreenTest>().get_picture());
        assert!(seen.len() < 20, "it does not end: {seen:?}");
        let (position, button) = (LogicalPosition::new(640.0, 400.0), PointerEventButton::Left);
        screen.wait(600);
        screen.window.window().dispatch_event(WindowEvent::PointerPressed { position, button });
        screen.window.window().dispatch_event(WindowEvent::PointerReleased { position, button });
    }
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert!(seen.len() >= 5 && distinct.len() == seen.len(), "{seen:?}");
    assert_eq!(screen.page(), Shown::Choice);
}

#[test]
fn without_a_stick_the_export_says_so_and_a_wrong_code_enrols_nobody() {
    let screen = Screen::new();
    screen.knock(5).type_pin(PIN).press("导出数据").answered();
    assert!(screen.shows("没有插 U 盘"));
    screen.press("返回").press("登记终端");
    assert_eq!(screen.page(), Shown::Keypad);
    for digit in "1234567890".repeat(3).chars() {
        screen.press(&digit.to_string());
    }
    screen.press("确定").answered();
    assert_eq!(screen.page(), Shown::Report);
    assert!(screen.shows("没有登记成功"));
    assert!(screen.shows("连不上中心服务器，请检查网线和网络"), "in the language of staff");
    screen.press("再试一次");
    assert_eq!(screen.page(), Shown::Keypad, "the code can be corrected");
    assert_eq!(screen.window.global::<xinsheng::ui::Keypad>().get_typed(), "12345-67890-12345-67890");
}
