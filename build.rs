//! Turns the screens in `ui/` into Rust; only for programs that have a screen.

fn main() {
    #[cfg(feature = "kiosk")]
    screens();
}

#[cfg(feature = "kiosk")]
fn screens() {
    // Tests and simulated visitors find elements by what they are called on the screen; a terminal need not carry those names.
    let debug_info = cfg!(feature = "simulator");
    let configuration =
        slint_build::CompilerConfiguration::new().with_style("fluent".into()).with_debug_info(debug_info);
    if let Err(error) = slint_build::compile_with_config("ui/app.slint", configuration) {
        println!("cargo::error=the screens in ui/ do not compile: {error}");
    }
}
