//! Counterfactuals in words, ready to be shown or sent.

use kangmai_base::Fen;
use serde::Serialize;

use super::{Change, Condition, Counterfactuals, FactChange, MOST_CONDITIONS, Missing, Otherwise, Way};
use crate::explain::{Sight, colon, figures, names_of, rule_of};
use crate::predicate::{AsOf, Literal, Test};
use crate::trace::{Outcome, Step, Trace};
use crate::words::{Arg, Word};
use crate::{InstitutionGrade, InstitutionTier, LabelSet, Language, Policy, Setting};

/// All counterfactuals of a bill in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldCounterfactuals {
    /// What the person bears as it is.
    pub own_share: Fen,
    /// What would help, most first.
    pub better: Vec<ToldOtherwise>,
    /// What would have cost the person more.
    pub worse: Vec<ToldOtherwise>,
    /// What the layers that did not apply lack.
    pub missing: Vec<ToldMissing>,
}

/// One fact changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldOtherwise {
    /// The name of the fact.
    pub fact: &'static str,
    /// What would be otherwise, as a half-sentence.
    pub what: String,
    /// The same with what the person would bear.
    pub sentence: String,
    /// What the person would bear.
    pub own_share: Fen,
    /// By how much less that is; below nothing if more.
    pub saves: Fen,
    /// The layers that pay another amount.
    pub layers: Vec<LayerDifference>,
    /// The rule that makes the difference.
    pub rule: String,
    /// Where it stands written.
    pub source: Option<String>,
    /// The words that it rests on.
    pub quote: Option<String>,
}

/// A layer that would pay another amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerDifference {
    /// The benefit's code name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it pays.
    pub pays: Fen,
    /// What it would pay.
    pub would_pay: Fen,
    /// Both in words.
    pub sentence: String,
}

/// What a layer that did not apply lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldMissing {
    /// The benefit's code name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The ways to qualify; one without conditions where too much is otherwise.
    pub ways: Vec<ToldWay>,
    /// Where the condition stands written.
    pub source: Option<String>,
}

/// Facts that, all otherwise, would make the layer apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldWay {
    /// What would have to be otherwise.
    pub conditions: Vec<ToldCondition>,
    /// What the layer would pay; none: nobody can act on it.
    pub pays: Option<Fen>,
    /// What the person would bear then.
    pub own_share: Option<Fen>,
    /// By how much less that is.
    pub saves: Option<Fen>,
    /// What would come of it, in words.
    pub sentence: String,
}

/// One fact that is not as the rule wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldCondition {
    /// The name of the fact.
    pub fact: &'static str,
    /// What the rule wants.
    pub needed: String,
    /// What was found; as much of it as the reader may see.
    pub found: String,
    /// Whether a person or a desk can do something about it.
    pub can_act: bool,
    /// What is needed and what was found, in words.
    pub sentence: String,
}

impl ToldCounterfactuals {
    /// All of it as lines of text.
    pub fn write_text(&self, language: Language, out: &mut String) {
        let head = |word: Word, out: &mut String| {
            out.push('\n');
            word.write(language, out, &[]);
        };
        for (word, all) in [(Word::OtherwiseHead, &self.better), (Word::OtherwiseWorseHead, &self.worse)] {
            if !all.is_empty() {
                head(word, out);
            }
            for one in all {
                out.push_str("\n  ");
                out.push_str(&one.sentence);
                for more in
                    one.layers.iter().map(|layer| &layer.sentence).chain([&one.rule]).chain(&one.source)
                {
                    out.push_str("\n    ");
                    out.push_str(more);
                }
            }
        }
        if !self.missing.is_empty() {
            head(Word::MissingHead, out);
        }
        for missing in &self.missing {
            out.push_str("\n  ");
            out.push_str(&missing.name);
            for way in &missing.ways {
                for sentence in way.conditions.iter().map(|one| &one.sentence).chain([&way.sentence]) {
                    out.push_str("\n    ");
                    out.push_str(sentence);
                }
            }
        }
    }
}

impl Policy {
    /// The counterfactuals of `trace` in words, for a reader who sees so much.
    pub fn tell_counterfactuals(
        &self,
        trace: &Trace,
        found: &Counterfactuals,
        language: Language,
        sight: Sight,
    ) -> ToldCounterfactuals {
        let shown = |one: &&Otherwise| sight.labels || !matches!(one.change, Change::Labels(..));
        let told = found.otherwise.iter().filter(shown).map(|one| self.otherwise(trace, one, language));
        let (better, mut worse): (Vec<_>, Vec<_>) = told.partition(|one| one.saves > Fen::ZERO);
        worse.reverse();
        let missing = found.missing.iter().filter_map(|one| self.missing(trace, one, language, sight));
        ToldCounterfactuals { own_share: trace.own_share, better, worse, missing: missing.collect() }
    }

    fn otherwise(&self, trace: &Trace, one: &Otherwise, language: Language) -> ToldOtherwise {
        let steps = trace.steps().iter().zip(one.trace.steps());
        let layers = self.layers.iter().zip(steps).filter(|(_, (step, other))| step.pays != other.pays);
        let layers = layers.map(|(layer, (step, other))| {
            let name = layer.benefit.name.get(language);
            let values = [
                ("name", Arg::Text(name)),
                ("pays", Arg::Money(step.pays)),
                ("would", Arg::Money(other.pays)),
            ];
            LayerDifference {
                id: layer.benefit.id.clone(),
                name: name.to_owned(),
                pays: step.pays,
                would_pay: other.pays,
                sentence: said(Word::OtherwiseLayer, language, &values),
            }
        });
        let (rule, source, quote) = self.rule_between(trace, one, language);
        let (what, saves) = (self.change_in_words(trace, one.change, language), one.saves(trace));
        let (word, difference) =
            if saves > Fen::ZERO { (Word::OtherwiseBetter, saves) } else { (Word::OtherwiseWorse, -saves) };
        let values = [
            ("what", Arg::Text(&what)),
            ("own", Arg::Money(one.trace.own_share)),
            ("difference", Arg::Money(difference)),
        ];
        ToldOtherwise {
            fact: one.change.name(),
            sentence: said(word, language, &values),
            what,
            own_share: one.trace.own_share,
            saves,
            layers: layers.collect(),
            rule,
            source,
            quote,
        }
    }

    /// The rule that makes the difference, its source and its words.
    fn rule_between(
        &self,
        trace: &Trace,
        one: &Otherwise,
        language: Language,
    ) -> (String, Option<String>, Option<String>) {
        let (Some(layer), Some(step), Some(other)) =
            (self.layers.get(one.by), trace.steps().get(one.by), one.trace.steps().get(one.by))
        else {
            return (String::new(), None, None);
        };
        let decides = if other.outcome.applied() { other } else { step };
        let mut rule = layer.benefit.name.get(language).to_owned();
        if other.outcome == Outcome::NotEntitled {
            // What it would no longer meet.
            let part = layer.benefit.applies.parts().nth(usize::from(other.failed)).unwrap_or_default();
            rule.push_str(colon(language));
            self.write_part(part, &one.trace, language, &mut rule);
            let (source, quote) = rule_of(layer, other, language);
            return (rule, source, quote);
        }
        if let Some((version, profile)) = figures(layer, decides) {
            rule.push_str(colon(language));
            let differs = step.ratio_rules ^ other.ratio_rules;
            let ratio = version.ratio_rules.iter().enumerate().find(|(bit, _)| differs & (1 << bit) != 0);
            let number = [decides, step, other].into_iter().map(|step| step.deductible_rule);
            let deductible = (step.deductible_rule != other.deductible_rule && step.profile == other.profile)
                .then(|| {
                    number
                        .filter(|number| *number != Step::NO_RULE)
                        .find_map(|number| version.deductible_rules.get(usize::from(number)))
                })
                .flatten();
            let name = ratio.map(|(_, rule)| &rule.name).or(deductible.map(|rule| &rule.name));
            rule.push_str(name.unwrap_or(&profile.name).get(language));
        }
        let (source, quote) = rule_of(layer, decides, language);
        (rule, source, quote)
    }

    fn change_in_words(&self, trace: &Trace, change: Change, language: Language) -> String {
        let mut out = String::new();
        match change {
            Change::Referral(true) => Word::OtherwiseReferred.write(language, &mut out, &[]),
            Change::Referral(false) => Word::OtherwiseNotReferred.write(language, &mut out, &[]),
            Change::Discharge(day) => {
                Word::OtherwiseDischarge.write(language, &mut out, &[("day", Arg::Day(day))]);
            }
            Change::Institution(tier, grade) => {
                let tier = names_of(InstitutionTier::ALL, tier.bit(), language);
                let grade = names_of(InstitutionGrade::ALL, grade.bit(), language);
                let values = [("tier", Arg::Text(&tier)), ("grade", Arg::Text(&grade))];
                Word::OtherwiseInstitution.write(language, &mut out, &values);
            }
            Change::Insured(true) => Word::OtherwiseInsured.write(language, &mut out, &[]),
            Change::Insured(false) => Word::OtherwiseUninsured.write(language, &mut out, &[]),
            Change::Setting(setting) => {
                let name = names_of(Setting::ALL, setting.bit(), language);
                Word::OtherwiseSetting.write(language, &mut out, &[("list", Arg::Text(&name))]);
            }
            Change::Labels(set, as_of) => {
                let day = match as_of {
                    AsOf::Admission => trace.facts.admission,
                    AsOf::Discharge => trace.facts.discharge,
                };
                let names = self.any_label(set, language);
                let values = [("list", Arg::Text(&names)), ("day", Arg::Day(day))];
                Word::OtherwiseLabel.write(language, &mut out, &values);
            }
        }
        out
    }

    /// One label or another.
    fn any_label(&self, set: LabelSet, language: Language) -> String {
        let or = Word::OtherwiseOr.text(language);
        let names = self.vocabulary.labels_in(set).map(|label| label.name.get(language));
        names.collect::<Vec<_>>().join(&or)
    }

    fn missing(
        &self,
        trace: &Trace,
        missing: &Missing,
        language: Language,
        sight: Sight,
    ) -> Option<ToldMissing> {
        let layer = self.layers.get(missing.layer)?;
        let step = trace.steps().get(missing.layer)?;
        let ways = missing.ways.iter().map(|way| self.way(trace, (missing.layer, way), language, sight));
        let mut told: Vec<ToldWay> = Vec::new();
        for way in ways {
            // A reader who may not see what was found reads the same of several.
            if !told.contains(&way) {
                told.push(way);
            }
        }
        let mut ways = told;
        if ways.is_empty() {
            let values = [("count", Arg::Number(MOST_CONDITIONS as i64))];
            let sentence = said(Word::MissingTooMuch, language, &values);
            ways.push(ToldWay { conditions: Vec::new(), pays: None, own_share: None, saves: None, sentence });
        }
        Some(ToldMissing {
            id: layer.benefit.id.clone(),
            name: layer.benefit.name.get(language).to_owned(),
            ways,
            source: rule_of(layer, step, language).0,
        })
    }

    fn way(&self, trace: &Trace, (layer, way): (usize, &Way), language: Language, sight: Sight) -> ToldWay {
        let conditions = way.conditions.iter().map(|one| self.tell_condition(trace, one, language, sight));
        let then = way.trace.as_deref();
        let pays = then.and_then(|then| then.steps().get(layer)).map(|step| step.pays);
        let sentence = match then.zip(pays) {
            Some((then, pays)) => {
                let values = [("pays", Arg::Money(pays)), ("own", Arg::Money(then.own_share))];
                said(Word::MissingWouldPay, language, &values)
            }
            None => Word::MissingReasonOnly.text(language),
        };
        ToldWay {
            conditions: conditions.collect(),
            sentence,
            pays,
            own_share: then.map(|then| then.own_share),
            saves: then.map(|then| trace.own_share - then.own_share),
        }
    }

    fn tell_condition(
        &self,
        trace: &Trace,
        one: &Condition,
        language: Language,
        sight: Sight,
    ) -> ToldCondition {
        let (mut needed, mut found) = (String::new(), String::new());
        let literal = chosen(one);
        if literal.negated {
            Word::Not.write(language, &mut needed, &[]);
        }
        self.write_needed(&literal, Some(&trace.facts), language, &mut needed);
        self.write_actual(&literal, &trace.facts, (language, sight), &mut found);
        let values = [("needed", Arg::Text(&needed)), ("found", Arg::Text(&found))];
        let sentence = said(Word::MissingNeeds, language, &values);
        ToldCondition { fact: literal.test.fact(), sentence, needed, found, can_act: one.change.can_act() }
    }
}

fn said(word: Word, language: Language, values: &[(&str, Arg<'_>)]) -> String {
    let mut out = String::new();
    word.write(language, &mut out, values);
    out
}

/// The test of a condition, narrowed to what was chosen of its list.
fn chosen(one: &Condition) -> Literal {
    let test = match (one.needed.test, one.change) {
        _ if one.needed.negated => one.needed.test,
        (_, FactChange::Tier(tier)) => Test::Tier(tier.bit()),
        (_, FactChange::Grade(grade)) => Test::Grade(grade.bit()),
        (_, FactChange::Kind(kind)) => Test::Kind(kind.bit()),
        (_, FactChange::Referral(referral)) => Test::Referral(referral.bit()),
        (_, FactChange::Setting(setting)) => Test::Setting(setting.bit()),
        (Test::Designation(bits), FactChange::Designations(all)) => Test::Designation(bits & all),
        (test, _) => test,
    };
    Literal { test, ..one.needed }
}
