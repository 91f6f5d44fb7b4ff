//! What every handler, import and command stands on.

use std::path::PathBuf;
use std::sync::Arc;

use kangmai_base::{Clock, Day, DivisionCode, DivisionLevel, Ids, Uuid};
use kangmai_database::{Database, OnBehalf};
use kangmai_policy::Release;
use kangmai_record::Record;
use kangmai_seal::KeyRing;
use kangmai_web::Words;

use crate::law::LawInForce;
use crate::{FigureBook, Gate, GateRules, Programme};

/// The running program. Cheap to clone; read its parts by name.
#[derive(Clone)]
pub struct App {
    /// The packs in force when this one was made by [`App::current`]: a request, a run or a command has one law from its
    /// beginning to its end.
    pub policies: Arc<Release>,
    /// The number of the publication that these are; 0: the packs that the program came with.
    pub publication: i64,
    /// The packs that the program came with.
    pub shipped: Arc<Release>,
    /// The database, as far as whoever is served may see it.
    pub database: Database,
    parts: Arc<AppParts>,
    book: Arc<FigureBook>,
    gate: Arc<Gate>,
    law: Arc<LawInForce>,
}

/// The parts of an [`App`].
pub struct AppParts {
    /// The database.
    pub database: Database,
    /// The record with the projections of all programmes.
    pub record: Record,
    /// The policy packs that the program came with.
    pub policies: Arc<Release>,
    /// All words.
    pub words: Arc<Words>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New identifiers.
    pub ids: Arc<dyn Ids>,
    /// All programmes.
    pub programmes: &'static [Programme],
    /// What can be set from outside.
    pub settings: Settings,
}

/// What can be set from outside and concerns pages.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether the program is reached by https, so that cookies are marked so.
    pub secure: bool,
    /// A folder of this program alone, for files that come in.
    pub uploads: PathBuf,
    /// Whether the data is a demonstration: every page says so.
    pub demo: bool,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: AppParts) -> App {
        let shipped = Arc::clone(&parts.policies);
        App {
            policies: Arc::clone(&shipped),
            publication: 0,
            law: Arc::new(LawInForce::new(&shipped)),
            shipped,
            database: parts.database.clone(),
            parts: Arc::new(parts),
            book: Arc::default(),
            gate: Arc::new(Gate::new(GateRules::lenient())),
        }
    }

    /// The same with the law that the program holds now.
    #[must_use]
    pub fn current(&self) -> App {
        let (publication, policies) = self.law.held();
        App { policies, publication, ..self.clone() }
    }

    /// The same for one who is served: whatever is asked, a walled database shows nothing outside the county of `place`, or
    /// outside `place` where that is wider.
    #[must_use]
    pub fn within(&self, place: DivisionCode) -> App {
        let widest = match place.level() {
            Some(level) if level > DivisionLevel::County => place.at(DivisionLevel::County),
            _ => place,
        };
        App { database: self.database.within(widest.range()), ..self.clone() }
    }

    /// The same for one request: what is written to the audit trail says from where it came and what it asked.
    #[must_use]
    pub fn on_behalf(&self, of: &Arc<OnBehalf>) -> App {
        App { database: self.database.on_behalf(Arc::clone(of)), ..self.clone() }
    }

    pub(crate) fn law(&self) -> &LawInForce {
        &self.law
    }

    /// Figures that are kept.
    pub fn figure_book(&self) -> &FigureBook {
        &self.book
    }

    /// The keys that seal values at rest; a transaction has them itself: [`kangmai_database::Transaction::sealed`].
    pub fn keys(&self) -> Option<KeyRing> {
        self.database.keys()
    }

    /// The same behind a gate with these rules, as a server has it. Without this nobody is made to set up a second
    /// factor and nobody is counted.
    #[must_use]
    pub fn behind(self, rules: GateRules) -> App {
        App { gate: Arc::new(Gate::new(rules)), ..self }
    }

    /// What stands before all routes.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// A new identifier.
    pub fn mint(&self) -> Uuid {
        self.ids.mint(self.clock.now())
    }

    /// The present day in China.
    pub fn today(&self) -> Day {
        self.clock.today()
    }
}

impl std::ops::Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.parts
    }
}
