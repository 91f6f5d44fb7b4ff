//! Which tables PostgreSQL itself walls by place, and which it does not. A table is in one of both lists; a test reads the
//! database and fails on any other.

use kangmai_database::{Wall, Walled};

const HOME: Wall = Wall::Column("home");
const PLACE: Wall = Wall::Column("place");

/// Tables of which a transaction sees only the rows of its places.
pub const WALLED: &[Walled] = &[
    ("household", PLACE),
    ("person", HOME),
    ("person_label", HOME),
    ("person_name_key", HOME),
    ("identity_candidate", Wall::Row("one", "person", "id")),
    ("fact", PLACE),
    ("parked_fact", PLACE),
    ("work_case", PLACE),
    ("rights_request", Wall::Row("person", "person", "id")),
    ("erasure", PLACE),
    ("diagnosis", HOME),
    ("diagnosis_struck", HOME),
    ("plan", HOME),
    ("plan_change", HOME),
    ("plan_decision", HOME),
    ("follow_up", HOME),
    ("follow_up_visit", HOME),
    ("agreement", HOME),
    ("agreement_due", HOME),
    ("agreement_paper", HOME),
    ("agreement_team", PLACE),
    ("agreement_team_member", Wall::Row("team", "agreement_team", "id")),
    ("referral", HOME),
    ("referral_wanted", HOME),
    ("hand_over", HOME),
    ("warning", HOME),
    ("bill", HOME),
    ("bill_payment", Wall::Row("bill", "bill", "id")),
    ("bill_sum", HOME),
    ("payer_sum", HOME),
    ("opening", HOME),
    ("admission", HOME),
    ("posting", HOME),
    ("touched_year", HOME),
    ("late_bill", HOME),
    ("own_payment", HOME),
    ("own_share", HOME),
    ("own_share_due", HOME),
    ("own_share_asked", Wall::Row("bill", "bill", "id")),
    ("write_off", HOME),
    ("suspension", HOME),
    ("claim", PLACE),
    ("claim_line", Wall::Row("claim", "claim", "id")),
    ("day_reconciliation", PLACE),
    ("day_line", Wall::Row("reconciliation", "day_reconciliation", "id")),
    ("what_if_bill", HOME),
    ("what_if_run", PLACE),
    ("what_if_person", HOME),
    ("what_if_household", HOME),
];

/// Tables to which the role of a server adds, and of which it changes and takes away nothing.
pub const ONLY_ADDED_TO: &[&str] = kangmai_access::AUDIT_ONLY_ADDED_TO;

/// Tables without a wall: what is asked before anybody is signed in, what holds for places above as well, and what is sealed
/// or belongs to no person.
pub const OPEN: &[&str] = &[
    "account",
    "applied_migration",
    "audit_link",
    "audit_row",
    "audit_waiting",
    // Who asked stands elsewhere than the person; the pages ask for one or the other place.
    "break_glass",
    "break_glass_try",
    "client",
    "client_key",
    "closed_year",
    "delegation",
    // A hub holds its own places alone, and these tables stand at a hub.
    "hub_link",
    "hub_out",
    "hub_staff",
    "hub_stale",
    "hub_told",
    "identity",
    "institution",
    "institution_capability",
    // Phones belong to accounts; what they sent stands in the record, and here by hashes alone.
    "phone",
    "phone_fact",
    "phone_text",
    "place_sequence",
    "policy_draft",
    "policy_draft_file",
    "policy_draft_mutant",
    "policy_draft_step",
    "policy_publication",
    "policy_publication_file",
    "policy_release",
    "policy_release_file",
    "policy_text",
    "recovery_code",
    // Reach beyond one's place is what a relation is for.
    "relation",
    "request",
    "seal_key",
    "seal_step",
    "second_factor",
    "session",
    "set_up_code",
];
