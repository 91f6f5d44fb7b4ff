//! The first letters of pinyin: what people type to find a place or a person.

use std::sync::OnceLock;

/// A letter, a space, and all characters that begin with it; see `data/README.md`.
const TABLE: &str = include_str!("../../../data/pinyin-initials.txt");
/// The characters that the table holds.
const FIRST: u32 = 0x3400;
const LAST: u32 = 0x9FFF;

/// Characters that are read otherwise in names than the table says.
const IN_NAMES: [(char, u8); 9] = [
    ('长', b'c'),
    ('厦', b'x'),
    ('曾', b'z'),
    ('翟', b'z'),
    ('单', b's'),
    ('仇', b'q'),
    ('藏', b'z'),
    ('咀', b'z'),
    ('〇', b'l'),
];

/// Names of places with a reading of their own.
const PLACES: [(&str, &str); 22] = [
    ("重庆", "cq"),
    ("重阳", "cy"),
    ("泌阳", "by"),
    ("蚌埠", "bb"),
    ("番禺", "py"),
    ("铅山", "ys"),
    ("涡阳", "gy"),
    ("尉犁", "yl"),
    ("乐清", "yq"),
    ("浚县", "xx"),
    ("东阿", "de"),
    ("大埔", "db"),
    ("泊头", "bt"),
    ("黄陂", "hp"),
    ("解放", "jf"),
    ("华容", "hr"),
    ("燕山", "ys"),
    ("六安", "la"),
    ("牟平", "mp"),
    ("中牟", "zm"),
    ("渑池", "mc"),
    ("洪洞", "ht"),
];

/// Surnames of two characters with a reading of their own.
const DOUBLE_SURNAMES: [(&str, &str); 6] =
    [("尉迟", "yc"), ("万俟", "mq"), ("长孙", "zs"), ("单于", "cy"), ("澹台", "tt"), ("宰父", "zf")];

/// Surnames that are read otherwise than the same character elsewhere.
const SURNAMES: [(char, u8); 26] = [
    ('单', b's'),
    ('解', b'x'),
    ('仇', b'q'),
    ('曾', b'z'),
    ('查', b'z'),
    ('区', b'o'),
    ('尉', b'w'),
    ('翟', b'z'),
    ('朴', b'p'),
    ('盖', b'g'),
    ('乐', b'y'),
    ('种', b'c'),
    ('员', b'y'),
    ('召', b's'),
    ('覃', b'q'),
    ('秘', b'b'),
    ('折', b's'),
    ('祭', b'z'),
    ('乜', b'n'),
    ('洗', b'x'),
    ('繁', b'p'),
    ('逄', b'p'),
    ('缪', b'm'),
    ('藏', b'z'),
    ('石', b's'),
    ('黑', b'h'),
];

/// By character from [`FIRST`] on: its letter, or 0.
fn table() -> &'static [u8] {
    static LETTERS: OnceLock<Vec<u8>> = OnceLock::new();
    LETTERS.get_or_init(|| {
        let mut letters = vec![0; (LAST - FIRST + 1) as usize];
        for line in TABLE.lines() {
            let mut characters = line.chars();
            let letter = characters.next().map_or(0, |letter| letter as u8);
            for character in characters.skip(1) {
                if let Some(place) =
                    (character as u32).checked_sub(FIRST).and_then(|at| letters.get_mut(at as usize))
                {
                    *place = letter;
                }
            }
        }
        letters
    })
}

/// The letter of one character: its own if it is a letter or digit of ASCII, in lower case; none for signs and for
/// characters without a reading.
pub fn initial(character: char) -> Option<char> {
    if character.is_ascii_alphanumeric() {
        return Some(character.to_ascii_lowercase());
    }
    if let Some((_, letter)) = IN_NAMES.iter().find(|(special, _)| *special == character) {
        return Some(char::from(*letter));
    }
    let at = (character as u32).checked_sub(FIRST)?;
    table().get(at as usize).copied().filter(|letter| *letter != 0).map(char::from)
}

/// The initials of the name of a place: `驻马店市` is `zmds`, `重庆市` is `cqs`. Signs are left out.
pub fn initials(text: &str) -> String {
    let mut out = String::with_capacity(text.len() / 3 + 1);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let special = match character {
            '重' | '泌' | '蚌' | '番' | '铅' | '涡' | '尉' | '乐' | '浚' | '东' | '大' | '泊' | '黄'
            | '解' | '华' | '燕' | '六' | '牟' | '中' | '渑' | '洪' => {
                PLACES.iter().find(|(name, _)| rest.starts_with(name))
            }
            _ => None,
        };
        match special {
            Some((name, letters)) => {
                out.push_str(letters);
                rest = &rest[name.len()..];
            }
            None => {
                out.extend(initial(character));
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    out
}

/// The initials of a person's name, the surname read as a surname: `单雄信` is `sxx`, `尉迟恭` is `ycg`, `区小红` is `oxh`.
pub fn person_initials(name: &str) -> String {
    let name = name.trim();
    if let Some((surname, letters)) = DOUBLE_SURNAMES.iter().find(|(surname, _)| name.starts_with(surname)) {
        return format!("{letters}{}", plain(&name[surname.len()..]));
    }
    let mut characters = name.chars();
    let Some(first) = characters.next() else { return String::new() };
    match SURNAMES.iter().find(|(surname, _)| *surname == first) {
        Some((_, letter)) => format!("{}{}", char::from(*letter), plain(characters.as_str())),
        None => plain(name),
    }
}

fn plain(text: &str) -> String {
    text.chars().filter_map(initial).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_persons_are_read_as_people_say_them() {
        for (name, expected) in [
            ("驻马店市", "zmds"),
            ("西平县", "xpx"),
            ("重庆市", "cqs"),
            ("长春市", "ccs"),
            ("厦门市", "xms"),
            ("泌阳县", "byx"),
            ("B区·3号、", "bq3h"),
            ("", ""),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
        for (name, expected) in [
            ("单雄信", "sxx"),
            ("解小红", "xxh"),
            ("仇英", "qy"),
            ("曾国", "zg"),
            ("查良", "zl"),
            ("区小红", "oxh"),
            ("尉迟恭", "ycg"),
            ("尉小明", "wxm"),
            ("乐天", "yt"),
            ("买买提·阿布都热合曼", "mmtabdrhm"),
        ] {
            assert_eq!(person_initials(name), expected, "{name}");
        }
    }

    #[test]
    fn every_special_place_is_reached_and_right_in_length() {
        for (name, letters) in PLACES {
            assert_eq!(initials(name), letters, "{name}");
            assert_eq!(name.chars().count(), letters.len());
        }
    }

    #[test]
    fn knows_all_characters_of_gb_2312() {
        let mut unknown = Vec::new();
        for high in 0xB0..=0xF7_u32 {
            for low in 0xA1..=0xFE_u32 {
                if high == 0xD7 && low > 0xF9 {
                    continue;
                }
                let bytes = [high as u8, low as u8];
                let (text, _, bad) = encoding_rs::GBK.decode(&bytes);
                let character = text.chars().next().expect("a character");
                if !bad && initial(character).is_none() {
                    unknown.push(character);
                }
            }
        }
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
