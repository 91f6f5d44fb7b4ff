//! The views of this programme and all that is read of them; the only files with SQL.

mod admission;
mod bill;
pub mod claim;
mod closing;
pub mod day;
mod deviation;
mod held;
mod joined;
pub mod pay_later;
mod person;
mod posting;
mod projection;
mod request;
mod sum;
mod touched;
mod year;

pub use admission::{
    AdmissionFilter, AdmissionRow, admission, admissions, admissions_of, count_admissions, open_admissions,
};
pub use bill::{
    Bill, BillFilter, BillRow, BillState, Known, bill, bill_rows, bills_of_household, bills_of_person,
    bills_of_person_within, body_of, body_of_fact, count_bills, each_bill, known_bill, payments, receipt_of,
    source_of, unsettled,
};
pub use closing::{
    CLOSINGS, LateBill, YearState, YearSum, closed_year, count_late, is_handed_in, late_bill, late_bills,
    waiting_in_year, year_sums,
};
pub use deviation::{CLEAR_TEXT, SEALED, StayRow, stays_with_diagnosis};
pub(crate) use held::held;
pub use joined::{
    JoinedYear, MOST_JOINED, Openings, alone_between, itemised_joined, joined_year, joined_year_with,
    waiting_joined,
};
pub use person::{MatchedPerson, people_with_number};
pub use posting::{
    PostingFilter, PostingRow, PostingSum, count_postings, posting_sums, postings, postings_of,
};
pub use projection::BILLS;
pub(crate) use projection::cause_of_cancelling;
pub(crate) use projection::{PERSON_KIND, payer_kind_key};
pub use request::{
    Answered, Attempt, Begun, LONGEST_KEY, RequestKey, RequestState, answer_request, ask_request,
    begin_request, digest_of, give_up_request,
};
pub use sum::{BillSum, PayerSum, bill_sum, payer_sums};
pub use touched::{TOUCHED_YEARS, TouchedYear, count_touched, touched_years};
pub use year::{
    BorneOf, PersonYear, YearBill, borne_between, borne_in_year, opening_fact, people_of_year, person_year,
    waiting_years, years_between,
};
