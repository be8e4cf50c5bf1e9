#!/usr/bin/env python3
"""Make the embedded fonts, regular and bold, cut down to what a terminal can be asked to show.

    npm install --prefix SOURCES @expo-google-fonts/noto-sans-sc@0.4.3 @expo-google-fonts/noto-sans-tc@0.4.3 \\
        @expo-google-fonts/noto-sans-jp@0.4.3 @expo-google-fonts/noto-sans-arabic@0.4.3 \\
        @expo-google-fonts/noto-serif-tibetan@0.4.2 @expo-google-fonts/noto-sans@0.4.2
    python3 subset.py SOURCES/node_modules/@expo-google-fonts [FAMILY...]

writes the font files beside this script, all of them or the families named (`python3 subset.py` alone lists them). Made with fontTools
4.68. The same sources give the same bytes.

| family           | for    | kept of its script                                           | from                                   |
|------------------|--------|--------------------------------------------------------------|----------------------------------------|
| Noto Sans SC     | zh, en | the 6763 hanzi and the symbols of GB 2312                    | noto-sans-sc                           |
| Noto Sans TC     | zh-TW  | the 5401 hanzi of Big5 level 1 and the symbols of Big5       | noto-sans-tc                           |
| Noto Sans JP     | ja     | kana, symbols and the 2965 kanji of JIS X 0208 level 1       | noto-sans-jp                           |
| Xinsheng Uyghur  | ug     | the block Arabic (Uyghur, Kazakh, Kyrgyz)                    | noto-sans-arabic, Latin of noto-sans   |
| Xinsheng Tibetan | bo     | the block Tibetan                                            | noto-serif-tibetan, Latin of noto-sans |

Every font holds Latin-1, what its source has of Latin Extended-A, general punctuation and a few signs, so that a line of one language never
needs a second font. Every font holds blank glyphs for the zero-width space and the word joiner, by which texts say where a line may break;
without them those characters would be sought in a system font. Hinting goes: the screens are drawn without it.

There is no sans face for Tibetan; Noto Serif Tibetan has strokes of nearly one width. Both merged fonts get lines as tall as the ink
of their own script needs: the sources reserve room for vowel signs and stacks that the languages do not write, twice what a button has. Measured
in bold: Uyghur letters reach from 896 to -616 (ې), Tibetan syllables from 1182 (ཛོ) to -758 (ལྗུ); Sanskrit stacks may reach lower.

The licence of Noto Sans SC, TC and JP reserves the font name "Source", which is not used here. The others reserve none; the merged ones have
a name of their own because they are no longer what their sources are.
"""

import sys
import tempfile
from pathlib import Path

from fontTools import merge, subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph

LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x180)]
GENERAL_PUNCTUATION = [*range(0x2010, 0x2028), *range(0x2030, 0x203F)]
WIDE_PUNCTUATION = [*range(0x3000, 0x3020), *range(0xFF01, 0xFF5F), *range(0xFFE0, 0xFFE7)]
SIGNS = [ord(c) for c in "≈≠≤≥×÷±−℃№™←↑→↓●○■□▲△▼▽★☆〇€￥"]
ZERO_WIDTH = [0x200B, 0x2060]
# Joiners and the marks of direction: needed where Latin stands in a line that runs from right to left.
DIRECTION = [0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
DOTTED_CIRCLE = 0x25CC

# What shapes a script: joining forms, ligatures, stacks and where marks sit.
SHAPING = ["ccmp", "locl", "isol", "init", "medi", "fina", "rlig", "liga", "calt", "abvs", "blws", "abvm", "blwm", "mark", "mkmk", "curs",
           "dist", "kern"]


def coded(codec: str, rows: range, cells: range):
    """The characters of a two-byte character set, in code order."""
    for row in rows:
        for cell in cells:
            try:
                yield ord(bytes((row, cell)).decode(codec))
            except UnicodeDecodeError:
                continue


def gb2312():
    return coded("gb2312", range(0xA1, 0xF8), range(0xA1, 0xFF))


def big5_level_1():
    return coded("big5", range(0xA1, 0xC7), range(0x40, 0xFF))


def jis_level_1():
    return coded("euc_jp", range(0xA1, 0xD0), range(0xA1, 0xFF))


WIDE = [*LATIN, *GENERAL_PUNCTUATION, *WIDE_PUNCTUATION, *SIGNS]
# family: (package, name of the source's files, characters)
CUT = {
    "Noto Sans SC": ("noto-sans-sc", "NotoSansSC", {*WIDE, *gb2312()}),
    "Noto Sans TC": ("noto-sans-tc", "NotoSansTC", {*WIDE, *big5_level_1()}),
    "Noto Sans JP": ("noto-sans-jp", "NotoSansJP", {*WIDE, *jis_level_1()}),
}
# family: (package, name of the source's files, characters, ascender and descender)
MERGED = {
    "Xinsheng Uyghur": ("noto-sans-arabic", "NotoSansArabic", {*range(0x600, 0x700), DOTTED_CIRCLE}, (1000, -620)),
    "Xinsheng Tibetan": ("noto-serif-tibetan", "NotoSerifTibetan", {*range(0xF00, 0xFDB), DOTTED_CIRCLE}, (1190, -770)),
}
LATIN_SOURCE = ("noto-sans", "NotoSans")
USE_HARFBUZZ_REPACKER = "fontTools.ttLib.tables.otBase:USE_HARFBUZZ_REPACKER"
WEIGHTS = {"Regular": "400Regular", "Bold": "700Bold"}


def source_file(sources: Path, package: str, name: str, weight: str) -> Path:
    return sources / package / WEIGHTS[weight] / f"{name}_{WEIGHTS[weight]}.ttf"


def cut(source: Path, wanted: set, features: list) -> TTFont:
    options = subset.Options()
    options.hinting = False
    options.layout_features = features
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
    options.notdef_outline = True
    options.drop_tables += ["DSIG", "vhea", "vmtx", "VORG", "BASE"]
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    return font


def add_blank(font: TTFont, name: str, codes: list) -> None:
    font.setGlyphOrder([*font.getGlyphOrder(), name])
    font["glyf"][name] = Glyph()
    font["hmtx"][name] = (0, 0)
    for table in font["cmap"].tables:
        if table.isUnicode() and table.format != 14:
            table.cmap.update({code: name for code in codes})


def join(script: TTFont, latin: TTFont) -> TTFont:
    """One font of two that share no character."""
    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for number, font in enumerate((script, latin)):
            font.recalcTimestamp = False
            # Neither is wanted any more, and their contents cannot be joined.
            for table in ("STAT", "gasp", "prep"):
                if table in font:
                    del font[table]
            parts.append(f"{folder}/{number}.ttf")
            font.save(parts[-1])
        joined = merge.Merger().merge(parts)
    joined.recalcTimestamp = False
    joined["head"].modified = joined["head"].created = script["head"].modified
    return joined


def rename(font: TTFont, family: str, weight: str, copyrights: list) -> None:
    names = font["name"]
    licence, licence_url = names.getDebugName(13), names.getDebugName(14)
    postscript = f"{family.replace(' ', '')}-{weight}"
    names.names = []
    texts = {0: "; ".join(copyrights), 1: family, 2: weight, 3: f"1.000;{postscript}", 4: f"{family} {weight}", 5: "Version 1.000",
             6: postscript, 13: licence, 14: licence_url}
    for number, text in texts.items():
        names.setName(text, number, 3, 1, 0x409)


def set_line(font: TTFont, ascender: int, descender: int) -> None:
    """The same height of a line by every way of asking for it."""
    hhea, os2 = font["hhea"], font["OS/2"]
    hhea.ascent, hhea.descent, hhea.lineGap = ascender, descender, 0
    os2.sTypoAscender, os2.sTypoDescender, os2.sTypoLineGap = ascender, descender, 0
    os2.usWinAscent, os2.usWinDescent = ascender, -descender


def make_cut(sources: Path, family: str, weight: str) -> tuple[TTFont, set]:
    package, name, wanted = CUT[family]
    font = cut(source_file(sources, package, name, weight), wanted, ["kern", "locl", "mark", "mkmk", "ccmp"])
    add_blank(font, "zerowidth", ZERO_WIDTH)
    return font, wanted


def make_merged(sources: Path, family: str, weight: str) -> tuple[TTFont, set]:
    package, name, own, line = MERGED[family]
    other = {*LATIN, *GENERAL_PUNCTUATION, *SIGNS}
    script = cut(source_file(sources, package, name, weight), own, SHAPING)
    latin = cut(source_file(sources, *LATIN_SOURCE, weight), other - own, ["kern", "mark", "mkmk", "ccmp"])
    copyrights = [font["name"].getDebugName(0) for font in (script, latin)]
    font = join(script, latin)
    rename(font, family, weight, copyrights)
    set_line(font, *line)
    add_blank(font, "zerowidth", [*ZERO_WIDTH, *(code for code in DIRECTION if code not in font.getBestCmap())])
    return font, own | other


def main() -> None:
    families = [*CUT, *MERGED]
    if len(sys.argv) < 2 or any(family not in families for family in sys.argv[2:]):
        sys.exit(f"{__doc__}\nFamilies: {', '.join(families)}")
    sources, here = Path(sys.argv[1]), Path(__file__).parent
    for family in sys.argv[2:] or families:
        for weight in WEIGHTS:
            make = make_cut if family in CUT else make_merged
            font, wanted = make(sources, family, weight)
            target = here / f"{family.replace(' ', '')}-{weight}.ttf"
            # Whether uharfbuzz is installed makes no difference then.
            font.cfg[USE_HARFBUZZ_REPACKER] = False
            font.save(target, reorderTables=None)
            missing = sorted(wanted - set(font.getBestCmap()))
            print(f"{target.name}: {target.stat().st_size} bytes, {len(font.getBestCmap())} characters")
            print("  not in the source:", " ".join(f"{c:04X}" for c in missing) or "none")


if __name__ == "__main__":
    main()
