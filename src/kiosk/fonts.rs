//! The terminal's fonts for Slint, and for machines that have none.
//!
//! Slint is given every family by name, and they are what it falls back to: no font of the machine draws a text
//! that one of ours can draw, so a page looks the same everywhere. But the font library below Slint (fontique 0.11) asks fontconfig for the
//! machine's fonts first, and ends the program where fontconfig is installed and knows none. So fontconfig is given a folder with one of ours.

use std::{cell::RefCell, collections::BTreeSet, fs, io, path::Path};

use slint::fontique_011::{fontique::GenericFamily, shared_collection};

use crate::{
    fonts::{Fonts, collect},
    model::Lang,
};

/// Where fontconfig looks for its configuration.
const VARIABLE: &str = "FONTCONFIG_FILE";

thread_local! {
    /// The families that Slint has on this thread.
    static REGISTERED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Makes every family usable by its name on this thread's screens.
/// To be called when Slint has its platform and before a window is shown; what it has already is not registered again.
pub fn register(fonts: &Fonts) {
    REGISTERED.with_borrow_mut(|known| {
        let generics = [GenericFamily::SansSerif, GenericFamily::SystemUi];
        collect(fonts, known, &mut shared_collection(), &generics);
    });
}

/// The same with the families of some languages only: what is not registered is not read, and takes no memory.
pub fn register_for<'a>(fonts: &Fonts, languages: impl IntoIterator<Item = &'a Lang>) {
    register(&fonts.only(languages.into_iter().map(Lang::as_str)));
}

/// Points fontconfig at a folder with our font, unless somebody configured it already. To be called before any thread is started.
///
/// # Errors
/// The folder cannot be written.
pub fn provide(folder: &Path) -> io::Result<()> {
    if std::env::var_os(VARIABLE).is_some() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    // The smallest, since the whole file stays mapped.
    let (font, fonts) = (folder.join("XinshengUyghur-Regular.ttf"), Fonts::shipped());
    let [regular, _] = fonts.faces_for("ug");
    if fs::metadata(&font).map(|data| data.len()).ok() != u64::try_from(regular.len()).ok() {
        fs::write(&font, regular)?;
    }
    let configuration = folder.join("fonts.conf");
    fs::write(&configuration, configuration_for(&folder))?;
    #[expect(
        unsafe_code,
        reason = "called at the start of main, while there is one thread: nobody reads the environment"
    )]
    unsafe {
        std::env::set_var(VARIABLE, &configuration);
    }
    Ok(())
}

fn configuration_for(folder: &Path) -> String {
    let folder = folder.display().to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">\n<fontconfig>\n  <dir>{folder}</dir>\n  \
         <cachedir>{folder}/cache</cachedir>\n</fontconfig>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_strange_name_is_still_xml() {
        let text = configuration_for(Path::new("/srv/a&b <c>"));
        assert!(text.contains("<dir>/srv/a&amp;b &lt;c&gt;</dir>"), "{text}");
    }
}
