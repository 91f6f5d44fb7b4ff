//! What each page and interface answers to whom, as a table (`access/routes.txt`) that is written by hand and held against
//! the routes: a new route without a line fails a test, and so does a change of purpose that nobody wrote down.

use kangmai_access::Role;

const TABLE: &str = include_str!("access/routes.txt");

/// Whose what stands behind an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nobody's.
    Open,
    /// A place's: found from there and from above.
    Place,
    /// A place's, and among desks one institution's.
    Desk,
    /// A team's: found from its place, from above it, and by who works below.
    Team,
    /// Of who made it.
    Own,
    /// Of the institution whose key is shown.
    Key,
    /// Of the account whose phone shows its key.
    Phone,
}

/// From where somebody asks for what belongs to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stance {
    /// The role's place itself.
    Own,
    /// The place above it.
    Parent,
    /// A place beside it, in the same county.
    Sibling,
    /// Another county.
    OtherCounty,
    /// The same place, at the desk of another institution.
    OtherInstitution,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// GET or POST.
    pub method: &'static str,
    /// With `{names}`.
    pub path: &'static str,
    /// Whose it is.
    pub scope: Scope,
    /// To which roles it opens.
    pub roles: Vec<Role>,
    /// Whether personal data may stand in its answer, so that looking at it leaves a line.
    pub about_persons: bool,
}

impl Row {
    /// Whether somebody of `role` who asks from there finds what belongs to the role's place.
    pub fn opens(&self, role: Role, from: Stance) -> bool {
        let found = match self.scope {
            Scope::Open => true,
            // An expert finds whom a team has signed and who was referred to the hospital, from wherever the account is; nobody
            // else's team has, and no other hospital.
            Scope::Place | Scope::Desk if role == Role::Expert => from == Stance::Own,
            Scope::Team if role == Role::VillageDoctor => from != Stance::OtherCounty,
            Scope::Place | Scope::Team => {
                matches!(from, Stance::Own | Stance::Parent | Stance::OtherInstitution)
            }
            Scope::Desk => matches!(from, Stance::Own | Stance::Parent),
            Scope::Own => from == Stance::Own,
            Scope::Key | Scope::Phone => false,
        };
        found && self.roles.contains(&role)
    }

    /// Whether `path`, without its query, is one of this line's: each `{name}` stands for any part.
    pub fn is_of(&self, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        let (mut own, mut asked) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), asked.next()) {
                (None, None) => return true,
                (Some(own), Some(asked)) if own == asked || own.starts_with('{') => {}
                _ => return false,
            }
        }
    }

    /// How many parts of the path are names.
    pub fn names(&self) -> usize {
        self.path.matches('{').count()
    }
}

fn role_of(letter: char) -> Role {
    match letter {
        'V' => Role::VillageDoctor,
        'T' => Role::TownshipOfficer,
        'D' => Role::CountyDesk,
        'I' => Role::InsuranceClerk,
        'H' => Role::HealthBureau,
        'C' => Role::Cadre,
        'A' => Role::Auditor,
        'M' => Role::Administrator,
        'S' => Role::SecurityOfficer,
        'E' => Role::Expert,
        other => panic!("the table has no role {other}"),
    }
}

/// The table.
pub fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(row).collect()
}

fn row(line: &'static str) -> Row {
    let parts: Vec<&str> = line.split_whitespace().collect();
    let (parts, about_persons) = match parts.split_last() {
        Some((&"nobody", parts)) => (parts, false),
        _ => (&parts[..], true),
    };
    let [method, path, scope, roles] = parts[..] else { panic!("a line of the table: {line}") };
    let scope = match scope {
        "open" => Scope::Open,
        "place" => Scope::Place,
        "desk" => Scope::Desk,
        "team" => Scope::Team,
        "own" => Scope::Own,
        "key" => Scope::Key,
        "phone" => Scope::Phone,
        other => panic!("the table has no scope {other}"),
    };
    Row { method, path, scope, roles: roles.trim_matches('-').chars().map(role_of).collect(), about_persons }
}

/// The line that an address is of; where several fit, the one with the fewest names.
pub fn row_of<'r>(rows: &'r [Row], method: &str, path: &str) -> Option<&'r Row> {
    let fitting = rows.iter().filter(|row| row.method == method && row.is_of(path));
    fitting.min_by_key(|row| row.names())
}
