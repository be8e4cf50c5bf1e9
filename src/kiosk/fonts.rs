//! Fonts for machines that have none.
//!
//! The pages' fonts are embedded, but the font library below Slint (fontique 0.11) asks fontconfig for the machine's fonts first, and ends
//! the program where fontconfig is installed and knows none. So fontconfig is given a folder with one of our own. That also keeps a
//! terminal's text the same on every machine: no stray system font stands in for a missing glyph.

use std::{fs, io, path::Path};

use super::terminal::FONTS;

/// Where fontconfig looks for its configuration.
const VARIABLE: &str = "FONTCONFIG_FILE";

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
    let font = folder.join("NotoSansSC-Regular.ttf");
    if fs::metadata(&font).map(|data| data.len()).ok() != u64::try_from(FONTS[0].len()).ok() {
        fs::write(&font, FONTS[0])?;
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
