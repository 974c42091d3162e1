//! Named classes: Perl's, POSIX's, and the Unicode properties that Go knows by name.

use super::{charset::CharSet, class::Case};

/// General categories and their long names, without regard to case, spaces, `_` and `-`.
const CATEGORIES: &str = "\
    casedletter cc cf closepunctuation cntrl co combiningmark connectorpunctuation control currencysymbol \
    dashpunctuation decimalnumber digit enclosingmark finalpunctuation format initialpunctuation l lc letter \
    letternumber lineseparator ll lm lo lowercaseletter lt lu m mark mathsymbol me modifierletter modifiersymbol \
    n nd nl no number openpunctuation otherletter othernumber otherpunctuation othersymbol p paragraphseparator \
    pc pd pe pf pi po privateuse ps punct punctuation s sc separator sk sm so spaceseparator symbol \
    titlecaseletter uppercaseletter z zl zp zs";

/// Scripts by full name. Go finds no script whose name has an underscore or an inner capital.
const SCRIPTS: &str = "\
    adlam ahom arabic armenian avestan balinese bamum batak bengali bhaiksuki bopomofo brahmi braille buginese \
    buhid carian chakma cham cherokee chorasmian common coptic cuneiform cypriot cyrillic deseret devanagari \
    dogra duployan elbasan elymaic ethiopic georgian glagolitic gothic grantha greek gujarati gurmukhi han \
    hangul hanunoo hatran hebrew hiragana inherited javanese kaithi kannada katakana kawi kharoshthi khmer \
    khojki khudawadi lao latin lepcha limbu lisu lycian lydian mahajani makasar malayalam mandaic manichaean \
    marchen medefaidrin miao modi mongolian mro multani myanmar nabataean nandinagari newa nko nushu ogham oriya \
    osage osmanya palmyrene phoenician rejang runic samaritan saurashtra sharada shavian siddham sinhala sogdian \
    soyombo sundanese syriac tagalog tagbanwa takri tamil tangsa tangut telugu thaana thai tibetan tifinagh \
    tirhuta toto ugaritic vai vithkuqi wancho yezidi yi";

const DIGIT: &[(u32, u32)] = &[(0x30, 0x39)];
const SPACE: &[(u32, u32)] = &[(0x9, 0xA), (0xC, 0xD), (0x20, 0x20)];
const WORD: &[(u32, u32)] = &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)];

/// The class of a letter behind a backslash, and whether it is negated.
pub(super) fn perl(letter: char) -> Option<(CharSet, bool)> {
    let ranges = match letter.to_ascii_lowercase() {
        'd' => DIGIT,
        's' => SPACE,
        'w' => WORD,
        _ => return None,
    };
    Some((CharSet::of(ranges), letter.is_ascii_uppercase()))
}

/// The class of a name between `[:` and `:]`.
pub(super) fn posix(name: &str) -> Option<CharSet> {
    let ranges: &[(u32, u32)] = match name {
        "alnum" => &[(0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)],
        "alpha" => &[(0x41, 0x5A), (0x61, 0x7A)],
        "ascii" => &[(0, 0x7F)],
        "blank" => &[(0x9, 0x9), (0x20, 0x20)],
        "cntrl" => &[(0, 0x1F), (0x7F, 0x7F)],
        "digit" => DIGIT,
        "graph" => &[(0x21, 0x7E)],
        "lower" => &[(0x61, 0x7A)],
        "print" => &[(0x20, 0x7E)],
        "punct" => &[(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)],
        "space" => &[(0x9, 0xD), (0x20, 0x20)],
        "upper" => &[(0x41, 0x5A)],
        "word" => WORD,
        "xdigit" => &[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)],
        _ => return None,
    };
    Some(CharSet::of(ranges))
}

/// The class of a name in `\p{…}`.
pub(super) fn property(name: &str, case: Case) -> Option<CharSet> {
    let name: String = name
        .chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let name = name.as_str();
    let set = match name {
        "any" => CharSet::everything(),
        "assigned" => CharSet::query(UNASSIGNED)?.negated(),
        "ascii" => CharSet::of(&[(0, 0x7F)]),
        "cn" | "unassigned" => CharSet::query(UNASSIGNED)?,
        "c" | "other" => CharSet::query(r"[\p{gc=c}\P{age=15.0}]")?,
        // Unicode moved one character between the two since.
        "mn" | "nonspacingmark" => CharSet::query(r"[[\p{gc=mn}\x{1171E}]&&\p{age=15.0}]")?,
        "mc" | "spacingmark" => CharSet::query(r"[[\p{gc=mc}--\x{1171E}]&&\p{age=15.0}]")?,
        "cs" | "surrogate" => CharSet::of(&[(0xD800, 0xDFFF)]),
        _ if lists(CATEGORIES, name) => {
            CharSet::query(&format!(r"[\p{{gc={name}}}&&\p{{age=15.0}}]"))?
        }
        _ if lists(SCRIPTS, name) => {
            CharSet::query(&format!(r"[\p{{sc={name}}}&&\p{{age=15.0}}]"))?
        }
        _ => return None,
    };
    // Go has no folding table for cased letters as a whole.
    let folds = case == Case::Folded && !matches!(name, "lc" | "casedletter");
    Some(if folds { set.folded() } else { set })
}

fn lists(names: &str, name: &str) -> bool {
    names.split_ascii_whitespace().any(|listed| listed == name)
}

/// What Unicode 15.0, Go's version, leaves unassigned.
const UNASSIGNED: &str = r"[\p{gc=cn}\P{age=15.0}]";
