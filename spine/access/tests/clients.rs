//! Clients of the interface and their keys: on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::BTreeSet;

use kangmai_access::{
    Actor, Client, KEY_LASTS_DAYS, KEY_OVERLAP_DAYS, MIGRATIONS, NewClient, Purpose, Reach, Role,
    client_of_key, client_within, create_client, list_audit, list_clients, note_key_seen, reach,
    revoke_client, rotate_key,
};
use kangmai_base::{Clock, Day, DivisionCode, FixedClock, Id, Ids, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{DatabaseError, Migrations, Transaction};
use kangmai_places::{Institution, InstitutionBody, InstitutionGrade, InstitutionKind, InstitutionTier};

const ALL: &[Migrations] = &[kangmai_places::MIGRATIONS, MIGRATIONS];
const DAY: i64 = 86_400;

struct Given {
    fresh: FreshDatabase,
    clock: FixedClock,
    ids: std::sync::Arc<SeededIds>,
    hospital: Uuid,
}

fn place(code: &str) -> DivisionCode {
    code.parse().expect("a code")
}

fn administrator_of(at: &str) -> Actor {
    Actor { role: Role::Administrator, place: place(at), ..Actor::system() }
}

fn reach_of(actor: &Actor) -> Reach {
    reach(actor, Purpose::ManageAccounts).expect("an administrator")
}

fn given_a_hospital(fresh: FreshDatabase) -> Given {
    let clock = FixedClock::on(Day::from_ymd(2026, 3, 5).expect("a day"));
    let ids = std::sync::Arc::new(SeededIds::new(11));
    fresh.database.migrate(ALL, clock.now()).expect("migrated");
    let hospital = ids.mint(clock.now());
    let institution = Institution {
        id: Id::from_uuid(hospital),
        place: place("411721001000"),
        body: InstitutionBody {
            code: "H1".to_owned(),
            name: "示例县医院".to_owned(),
            tier: InstitutionTier::County,
            grade: InstitutionGrade::Second,
            kind: InstitutionKind::Hospital,
            capabilities: BTreeSet::new(),
            phone: None,
            opened: None,
            closed: None,
        },
    };
    let given = Given { fresh, clock, ids, hospital };
    given.write(move |tx| kangmai_places::put_institutions(tx, &[institution]));
    given
}

impl Given {
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> T {
        self.fresh.database.write_blocking(work).expect("database")
    }

    fn creates(&self, by: &Actor, name: &str, at: &str) -> Result<(Id<Client>, String), &'static str> {
        let id = Id::from_uuid(self.ids.mint(self.clock.now()));
        let new = NewClient { id, name: name.to_owned(), institution: self.hospital, place: place(at) };
        let (by, ids, now) = (by.clone(), std::sync::Arc::clone(&self.ids), self.clock.now());
        let made = self.write(move |tx| create_client(tx, &by, &reach_of(&by), &new, &*ids, now));
        made.map(|key| (id, key)).map_err(|refusal| refusal.key)
    }

    fn rotates(&self, by: &Actor, id: Id<Client>) -> Result<String, &'static str> {
        let (by, ids, now) = (by.clone(), std::sync::Arc::clone(&self.ids), self.clock.now());
        let made = self.write(move |tx| rotate_key(tx, &by, &reach_of(&by), id, &*ids, now));
        made.map_err(|refusal| refusal.key)
    }

    fn revokes(&self, by: &Actor, id: Id<Client>) -> Result<(), &'static str> {
        let (by, audit_id, now) = (by.clone(), self.ids.mint(self.clock.now()), self.clock.now());
        let done = self.write(move |tx| revoke_client(tx, &by, &reach_of(&by), id, audit_id, now));
        done.map_err(|refusal| refusal.key)
    }

    fn opens(&self, key: &str) -> bool {
        self.actor(key).is_some()
    }

    fn actor(&self, key: &str) -> Option<(Actor, bool)> {
        let (key, now) = (key.to_owned(), self.clock.now());
        let holder = self.write(move |tx| client_of_key(tx, &key, now));
        holder.map(|holder| (holder.actor, holder.seen_is_old))
    }

    fn client(&self, by: &Actor, id: Id<Client>) -> Option<Client> {
        let by = by.clone();
        self.write(move |tx| client_within(tx, &reach_of(&by), id))
    }
}

fn on_both(test: impl Fn(Given)) {
    for fresh in FreshDatabase::all().expect("databases") {
        test(given_a_hospital(fresh));
    }
}

#[test]
fn a_key_acts_as_the_desk_of_its_institution() {
    on_both(|given| {
        let by = administrator_of("411721");
        let (id, key) = given.creates(&by, " 县医院 HIS ", "411721").expect("made");
        assert_eq!(key.len(), "kmk_".len() + 64, "256 bits in hex");
        let (actor, seen_is_old) = given.actor(&key).expect("it opens");
        assert_eq!((actor.role, actor.place), (Role::CountyDesk, place("411721")));
        assert_eq!((actor.institution, actor.name.as_str()), (Some(given.hospital), "县医院 HIS"));
        assert_eq!(actor.account.uuid(), id.uuid());
        assert!(seen_is_old);
        for wrong in ["", "kmk_", &key[..key.len() - 1], &key.to_uppercase(), &format!("{key}0")] {
            assert!(!given.opens(wrong), "{wrong:?}");
        }
        // Of the key only its hash is kept.
        let client = given.client(&by, id).expect("it is there");
        assert_eq!(client.keys.len(), 1);
        assert_eq!(client.keys[0].hint, key[..10]);
        assert_eq!((client.seen_at(), client.institution_name.as_str()), (None, "示例县医院"));
        let (used, now) = (key.clone(), given.clock.now());
        given.write(move |tx| note_key_seen(tx, &used, now));
        assert_eq!(given.client(&by, id).expect("it is there").seen_at(), Some(given.clock.now()));
        for (seconds, is_old) in [(59, false), (1, true)] {
            given.clock.advance(seconds);
            assert_eq!(given.actor(&key).expect("it opens").1, is_old, "{seconds}");
        }
    });
}

#[test]
fn two_keys_are_valid_while_one_is_changed_for_the_other() {
    on_both(|given| {
        let by = administrator_of("411721");
        let (id, first) = given.creates(&by, "HIS", "411721").expect("made");
        given.clock.advance(1);
        let second = given.rotates(&by, id).expect("changed");
        assert!(given.opens(&first) && given.opens(&second) && first != second);
        // A third one ends the first at once: never more than two.
        given.clock.advance(1);
        let third = given.rotates(&by, id).expect("changed");
        assert!(!given.opens(&first) && given.opens(&second) && given.opens(&third));
        given.clock.advance(KEY_OVERLAP_DAYS * DAY - 1);
        assert!(given.opens(&second), "a second before its end");
        given.clock.advance(1);
        assert!(!given.opens(&second) && given.opens(&third));
        given.clock.advance((KEY_LASTS_DAYS - KEY_OVERLAP_DAYS) * DAY - 1);
        assert!(given.opens(&third), "a second before its end");
        given.clock.advance(1);
        assert!(!given.opens(&third));
        // All have ended: a new one is made all the same.
        let fourth = given.rotates(&by, id).expect("changed");
        assert!(given.opens(&fourth));
    });
}

#[test]
fn a_revoked_client_opens_nothing_at_once_and_for_ever() {
    on_both(|given| {
        let by = administrator_of("411721");
        let (id, first) = given.creates(&by, "HIS", "411721").expect("made");
        given.clock.advance(1);
        let second = given.rotates(&by, id).expect("changed");
        given.revokes(&by, id).expect("revoked");
        assert!(!given.opens(&first) && !given.opens(&second));
        assert_eq!(given.revokes(&by, id), Err("access.client.not_found"));
        assert_eq!(given.rotates(&by, id), Err("access.client.not_found"));
        let auditor = Actor { role: Role::Auditor, ..administrator_of("411721") };
        let reach = reach(&auditor, Purpose::ReadAudit).expect("an auditor");
        let rows = given.write(move |tx| list_audit(tx, &reach, 0, 10));
        let actions: BTreeSet<&str> = rows.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(actions, BTreeSet::from(["client_created", "client_key", "client_revoked"]));
    });
}

#[test]
fn an_administrator_manages_clients_of_their_own_place_only() {
    on_both(|given| {
        let (here, elsewhere) = (administrator_of("411721"), administrator_of("411722"));
        let (id, key) = given.creates(&here, "HIS", "411721").expect("made");
        assert_eq!(given.creates(&here, "HIS", "41"), Err("access.account.place_out_of_reach"));
        assert_eq!(given.creates(&elsewhere, "HIS", "411722"), Err("access.client.no_institution"));
        assert_eq!(given.creates(&here, "  ", "411721"), Err("access.client.name_unfit"));
        assert_eq!(given.creates(&here, &"字".repeat(65), "411721"), Err("access.client.name_unfit"));
        assert!(given.creates(&here, &"字".repeat(64), "411721").is_ok());
        assert_eq!(given.client(&elsewhere, id), None);
        assert_eq!(given.rotates(&elsewhere, id), Err("access.client.not_found"));
        assert_eq!(given.revokes(&elsewhere, id), Err("access.client.not_found"));
        assert!(given.opens(&key));
        let listed = |by: &Actor, purpose: Purpose| {
            let reach = reach(by, purpose).expect("may");
            given.write(move |tx| list_clients(tx, &reach, 0, 10)).len()
        };
        assert_eq!(listed(&here, Purpose::ManageAccounts), 2);
        assert_eq!(listed(&elsewhere, Purpose::ManageAccounts), 0);
        assert_eq!(listed(&here, Purpose::ReadPolicy), 0, "another purpose lists nobody");
    });
}
