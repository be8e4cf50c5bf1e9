//! Turns the screens in `ui/` into Rust; only for programs that have a screen.

fn main() {
    #[cfg(feature = "kiosk")]
    screens();
}

#[cfg(feature = "kiosk")]
fn screens() {
    // The audit of the pages tells a heading from a second language by what they are called in the source, also on a terminal.
    let configuration =
        slint_build::CompilerConfiguration::new().with_style("fluent".into()).with_debug_info(true);
    if let Err(error) = slint_build::compile_with_config("ui/app.slint", configuration) {
        println!("cargo::error=the screens in ui/ do not compile: {error}");
    }
}
