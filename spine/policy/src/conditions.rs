//! Conditions in words, as the law says them: of nobody in particular.

use crate::explain::semicolon;
use crate::words::Word;
use crate::{Language, Policy, Predicate};

impl Policy {
    /// For whom or when `condition` holds, such as `乡镇级；年龄不超过14岁`.
    pub fn condition(&self, condition: &Predicate, language: Language) -> String {
        if condition.is_always() {
            return Word::ForAll.text(language);
        }
        let mut out = String::new();
        for (position, part) in condition.parts().enumerate() {
            if position > 0 {
                out.push_str(semicolon(language));
            }
            for (position, literal) in part.iter().enumerate() {
                if position > 0 {
                    Word::Or.write(language, &mut out, &[]);
                }
                if literal.negated {
                    Word::Not.write(language, &mut out, &[]);
                }
                self.write_needed(literal, None, language, &mut out);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use crate::{Language, Release};

    #[test]
    fn the_conditions_of_the_shipped_packs_are_said_of_nobody_in_particular() {
        let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        let release = Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release");
        let policy = release.jurisdiction("cn/henan").expect("a pack").to_read();
        let basic = &policy.layers()[policy.layer_of("basic").expect("a layer")].benefit;
        let said = |condition, language| policy.condition(condition, language);
        assert_eq!(said(&basic.applies, Language::Zh), "参加基本医保；住院");
        let version = basic.version_on("2019-06-01".parse().expect("a day")).expect("a version");
        let rule = |index: usize, language| said(&version.deductible_rules[index].when, language);
        assert_eq!(rule(0, Language::Zh), "年龄不超过14岁");
        assert!(rule(1, Language::Zh).starts_with("本年此前住院1次及以上；"), "{}", rule(1, Language::Zh));
        assert!(rule(1, Language::En).starts_with("1 or more earlier stays of the year; "));
        for layer in policy.layers() {
            for version in &layer.benefit.versions {
                for profile in &version.profiles {
                    let said = policy.condition(&profile.when, Language::En);
                    assert!(!said.is_empty() && !said.contains("1970"), "{said}");
                }
            }
        }
    }
}
