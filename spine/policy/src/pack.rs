//! One directory of a release: a place, its benefits, and what it takes over from the place above.

use std::sync::Arc;

use kangmai_base::DivisionCode;

use crate::cases::{ChainCase, LayerCase};
use crate::fields::Fields;
use crate::source::Spot;
use crate::{Benefit, Bilingual, Source};

/// A rule that the engine cannot express: settlement stops on it until it is accepted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untranslatable {
    /// The name by which it is accepted.
    pub id: String,
    /// What the rule says, and what to do about it.
    pub text: Bilingual,
    /// Where from.
    pub source: Source,
}

/// Which benefits of the pack above go on to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inherits {
    /// All.
    All,
    /// These.
    These(Vec<String>),
}

/// One pack.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Code name.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// Its directory within the release.
    pub directory: String,
    /// The place: all codes under it.
    pub place: DivisionCode,
    /// What it takes over.
    pub inherits: Inherits,
    /// Which of the benefits taken over it states anew.
    pub overrides: Vec<String>,
    /// Its own benefits.
    pub benefits: Vec<Arc<Benefit>>,
    /// What it says for its readers.
    pub note: Option<Bilingual>,
    pub(crate) untranslatable: Vec<Untranslatable>,
    pub(crate) cases: Vec<ChainCase>,
    /// Cases of single layers that do not stand beside their benefit.
    pub(crate) layer_cases: Vec<(String, Vec<LayerCase>)>,
    pub(crate) spot: Spot,
}

impl Pack {
    pub(crate) fn read(fields: &Fields<'_>, directory: &str) -> Option<Pack> {
        let (id, name, place) = (fields.text("id"), fields.bilingual("name"), fields.place("division"));
        let note = fields.bilingual_maybe("note");
        let listed = fields.texts("inherits");
        let list = |texts: Vec<crate::fields::At<&str>>| -> Vec<String> {
            texts.iter().map(|text| text.value.to_owned()).collect()
        };
        let inherits = match listed.as_slice() {
            [only] if only.value == "all" => Inherits::All,
            [only] if only.value == "none" => Inherits::These(Vec::new()),
            _ => Inherits::These(list(listed)),
        };
        let overrides = list(fields.texts_maybe("overrides").unwrap_or_default());
        let read = |table: Fields<'_>| {
            let (id, text, source) = (table.text("id"), table.bilingual("text"), Source::read(&table));
            table.finish();
            Some(Untranslatable { id: id?.value.to_owned(), text: text?, source: source? })
        };
        let untranslatable = fields.tables("untranslatable").into_iter().filter_map(read).collect();
        fields.finish();
        Some(Pack {
            id: id?.value.to_owned(),
            name: name?,
            directory: directory.to_owned(),
            place: place?.value,
            inherits,
            overrides,
            benefits: Vec::new(),
            note,
            untranslatable,
            cases: Vec::new(),
            layer_cases: Vec::new(),
            spot: fields.spot(),
        })
    }
}
