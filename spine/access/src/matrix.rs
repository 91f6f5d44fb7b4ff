//! The matrix of roles and purposes.

use kangmai_places::InstitutionTier;
use serde::{Deserialize, Serialize};

/// What somebody is, for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 村医
    VillageDoctor,
    /// 乡镇卫生院公卫科, 家医团队
    TownshipOfficer,
    /// 医院结算窗口
    CountyDesk,
    /// 县医保局
    InsuranceClerk,
    /// 县卫健局
    HealthBureau,
    /// 农业农村局, 民政局, 驻村干部
    Cadre,
    /// 审计, 督导
    Auditor,
    /// 系统管理员: accounts and configuration, no personal data.
    Administrator,
    /// 安全管理员: sign-ins, locks, how often the glass was broken; no personal data.
    SecurityOfficer,
    /// 县市级专家: somebody of a hospital above in a family-doctor team. No place is theirs: they reach whom their team has signed.
    Expert,
    /// The program itself: commands and reconcilers. Nobody signs in as it.
    System,
}

/// What a page or an interface is for. Each declares exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The home page and one's own settings.
    Home,
    /// Search, household and person pages.
    FindPeople,
    /// The clinical timeline of one person.
    ReadRecord,
    /// Import of registers, institutions and diagnoses; deciding who is the same person; parked facts.
    KeepRegister,
    /// Recording a diagnosis by hand, correcting or withdrawing one.
    RecordDiagnoses,
    /// Lists of who is in which plan.
    ReadPlans,
    /// Lists of who is managed and whose visit is due.
    ReadFollowUps,
    /// Writing a visit down, or that nobody was seen; taking somebody into the management of a disease, or out of it.
    RecordVisits,
    /// Who has an agreement with a family-doctor team, one agreement, what is due of it, and the person's plan.
    ReadAgreements,
    /// Signing, renewing and ending agreements, writing down what was done, keeping plans.
    KeepAgreements,
    /// Referrals: of whom one reaches, and of one's own institution.
    ReadReferrals,
    /// Referring up and down, and answering for one's own institution.
    KeepReferrals,
    /// The teams of a township and who is in them.
    ReadTeams,
    /// Making teams and changing who is in them.
    KeepTeams,
    /// Who lives elsewhere than registered and whose care was handed over, and what was done there.
    ReadHandOvers,
    /// Asking that another township take somebody's care over, answering, ending it.
    KeepHandOvers,
    /// Bills and statements.
    ReadBills,
    /// Settling at a desk, admission without deposit.
    SettleBills,
    /// Import of bills and their lines; a desk brings its own institution's.
    ImportBills,
    /// Opening amounts, closing an insurance year, bills that come after it, settling again in retrospect.
    KeepLedger,
    /// Day-end reconciliation between a hospital and the ledger: sending a day, explaining a difference.
    ReconcileDays,
    /// What is owed after treatment before payment: lists, one debt, receipts.
    ReadPayments,
    /// Asking that a debt be written off; passing on an appeal.
    AskWriteOffs,
    /// The county's decisions on write-offs, suspensions and claims of institutions.
    DecidePayLater,
    /// The list of warnings and one warning.
    ReadWarnings,
    /// Home check and village review of a warning.
    CheckWarnings,
    /// The township's first check of a warning.
    ReviewWarnings,
    /// The county's decision on a warning.
    DecideWarnings,
    /// Figures of a place; each opens its list as far as the reader may see it.
    ReadFigures,
    /// What law holds here today.
    ReadPolicy,
    /// What a change of policy would have cost, over the bills of a year.
    TryPolicy,
    /// Drafts of a new release of one's own place.
    EditPolicy,
    /// Reading drafts; approving those of somebody else, or sending them back.
    ApprovePolicy,
    /// Who read what.
    ReadAudit,
    /// Accounts.
    ManageAccounts,
    /// Sign-ins, locking accounts, how often the glass was broken.
    GuardAccounts,
    /// Erasing a person whom no law asks to keep, at the request that somebody else wrote down.
    ErasePeople,
    /// Asking for one person out of reach, with a reason.
    AskBreakGlass,
    /// Saying whether that was justified.
    ReviewBreakGlass,
}

use Purpose::{
    ApprovePolicy, AskBreakGlass, AskWriteOffs, CheckWarnings, DecidePayLater, DecideWarnings, EditPolicy,
    ErasePeople, FindPeople, GuardAccounts, Home, ImportBills, KeepAgreements, KeepHandOvers, KeepLedger,
    KeepReferrals, KeepRegister, KeepTeams, ManageAccounts, ReadAgreements, ReadAudit, ReadBills,
    ReadFigures, ReadFollowUps, ReadHandOvers, ReadPayments, ReadPlans, ReadPolicy, ReadRecord,
    ReadReferrals, ReadTeams, ReadWarnings, ReconcileDays, RecordDiagnoses, RecordVisits, ReviewBreakGlass,
    ReviewWarnings, SettleBills, TryPolicy,
};

impl Purpose {
    /// All purposes.
    pub const ALL: [Purpose; 39] = [
        Home,
        FindPeople,
        ReadRecord,
        KeepRegister,
        RecordDiagnoses,
        ReadPlans,
        ReadFollowUps,
        RecordVisits,
        ReadAgreements,
        KeepAgreements,
        ReadReferrals,
        KeepReferrals,
        ReadTeams,
        KeepTeams,
        ReadHandOvers,
        KeepHandOvers,
        ReadBills,
        SettleBills,
        ImportBills,
        KeepLedger,
        ReconcileDays,
        ReadPayments,
        AskWriteOffs,
        DecidePayLater,
        ReadWarnings,
        CheckWarnings,
        ReviewWarnings,
        DecideWarnings,
        ReadFigures,
        ReadPolicy,
        TryPolicy,
        EditPolicy,
        ApprovePolicy,
        ReadAudit,
        ManageAccounts,
        GuardAccounts,
        ErasePeople,
        AskBreakGlass,
        ReviewBreakGlass,
    ];
}

/// What a township centre is for.
const TOWNSHIP_OFFICER: &[Purpose] = &[
    Home,
    FindPeople,
    ReadRecord,
    KeepRegister,
    RecordDiagnoses,
    ReadPlans,
    ReadFollowUps,
    RecordVisits,
    ReadAgreements,
    KeepAgreements,
    ReadReferrals,
    KeepReferrals,
    ReadTeams,
    KeepTeams,
    ReadHandOvers,
    KeepHandOvers,
    ReadPayments,
    AskWriteOffs,
    ReadWarnings,
    CheckWarnings,
    ReviewWarnings,
    ReadFigures,
    ReadPolicy,
    AskBreakGlass,
];

/// What the county health bureau is for.
const HEALTH_BUREAU: &[Purpose] = &[
    Home,
    FindPeople,
    ReadRecord,
    KeepRegister,
    RecordDiagnoses,
    ReadPlans,
    ReadFollowUps,
    ReadAgreements,
    ReadReferrals,
    ReadTeams,
    ReadHandOvers,
    ReadBills,
    ReadPayments,
    DecidePayLater,
    ReadWarnings,
    CheckWarnings,
    ReviewWarnings,
    DecideWarnings,
    ReadFigures,
    ReadPolicy,
    TryPolicy,
    ApprovePolicy,
    ErasePeople,
    AskBreakGlass,
    ReviewBreakGlass,
];

impl Role {
    /// The roles that an account can have.
    pub const ALL: [Role; 10] = [
        Role::VillageDoctor,
        Role::TownshipOfficer,
        Role::CountyDesk,
        Role::InsuranceClerk,
        Role::HealthBureau,
        Role::Cadre,
        Role::Auditor,
        Role::Administrator,
        Role::SecurityOfficer,
        Role::Expert,
    ];

    /// The name in files, addresses and on the command line; the key of its word is `access.role.` and this.
    pub const fn key(self) -> &'static str {
        match self {
            Role::VillageDoctor => "village_doctor",
            Role::TownshipOfficer => "township_officer",
            Role::CountyDesk => "county_desk",
            Role::InsuranceClerk => "insurance_clerk",
            Role::HealthBureau => "health_bureau",
            Role::Cadre => "cadre",
            Role::Auditor => "auditor",
            Role::Administrator => "administrator",
            Role::SecurityOfficer => "security_officer",
            Role::Expert => "expert",
            Role::System => "system",
        }
    }

    /// The role that `key` names.
    pub fn from_key(key: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.key() == key)
    }

    /// What the role is for.
    const fn purposes(self) -> &'static [Purpose] {
        match self {
            Role::VillageDoctor => &[
                Home,
                FindPeople,
                ReadRecord,
                RecordDiagnoses,
                ReadPlans,
                ReadFollowUps,
                RecordVisits,
                ReadAgreements,
                KeepAgreements,
                ReadReferrals,
                KeepReferrals,
                ReadTeams,
                ReadHandOvers,
                ReadWarnings,
                CheckWarnings,
                ReadFigures,
                ReadPolicy,
                AskBreakGlass,
            ],
            Role::TownshipOfficer => TOWNSHIP_OFFICER,
            Role::CountyDesk => &[
                Home,
                FindPeople,
                ReadBills,
                SettleBills,
                ImportBills,
                ReconcileDays,
                ReadPayments,
                AskWriteOffs,
                ReadReferrals,
                KeepReferrals,
                ReadPolicy,
            ],
            Role::InsuranceClerk => &[
                Home,
                FindPeople,
                ReadBills,
                ImportBills,
                KeepLedger,
                ReconcileDays,
                ReadPayments,
                ReadWarnings,
                ReadFigures,
                ReadPolicy,
                TryPolicy,
                EditPolicy,
                ApprovePolicy,
            ],
            Role::HealthBureau => HEALTH_BUREAU,
            Role::Cadre => {
                &[Home, FindPeople, ReadWarnings, CheckWarnings, DecideWarnings, ReadFigures, ReadPolicy]
            }
            Role::Auditor => &[Home, ReadBills, ReadPayments, ReadFigures, ReadPolicy, ReadAudit],
            Role::Administrator => &[Home, ReadPolicy, ManageAccounts],
            Role::SecurityOfficer => &[Home, ReadPolicy, GuardAccounts],
            Role::Expert => {
                &[Home, FindPeople, ReadRecord, ReadAgreements, ReadReferrals, KeepReferrals, ReadPolicy]
            }
            Role::System => &Purpose::ALL,
        }
    }

    /// Whether the role has the purpose.
    pub(crate) fn may(self, purpose: Purpose) -> bool {
        self.purposes().contains(&purpose)
    }

    /// Administrator, auditor and security officer watch over each other and over everybody else: no account goes from one of
    /// them to another role or back, so that nobody looks at their own earlier doings.
    pub(crate) const fn keeps_watch(self) -> bool {
        matches!(self, Role::Administrator | Role::Auditor | Role::SecurityOfficer)
    }

    /// Works for one institution: what belongs to others is out of its reach, wherever the people live.
    pub const fn is_of_an_institution(self) -> bool {
        matches!(self, Role::CountyDesk)
    }

    /// May work for one institution: its doctor, who answers what is referred to it.
    pub const fn may_be_of_an_institution(self) -> bool {
        matches!(self, Role::CountyDesk | Role::Expert)
    }

    /// The tiers whose institutions at their place such an account works for, the lowest first: a township's officer for the
    /// centre and the villages' clinics, a village's doctor for the clinic.
    pub(crate) const fn tiers(self) -> &'static [InstitutionTier] {
        match self {
            Role::VillageDoctor => &[InstitutionTier::Village],
            Role::TownshipOfficer => &[InstitutionTier::Village, InstitutionTier::Township],
            _ => &[],
        }
    }

    /// Reaches nobody by place: whoever such an account sees, it sees by a relation.
    pub const fn reaches_by_relation(self) -> bool {
        matches!(self, Role::Expert)
    }

    /// Takes part in care, so may see diagnoses of level 5 on a person's page (GB/T 39725-2020).
    pub(crate) const fn treats(self) -> bool {
        matches!(self, Role::VillageDoctor | Role::TownshipOfficer | Role::Expert | Role::System)
    }

    /// A cadre sees risk and tasks, an insurance clerk money; neither sees diagnoses in the record.
    pub(crate) const fn sees_diagnoses(self) -> bool {
        matches!(
            self,
            Role::VillageDoctor
                | Role::TownshipOfficer
                | Role::CountyDesk
                | Role::HealthBureau
                | Role::Expert
                | Role::System
        )
    }

    /// Sees what care cost.
    pub(crate) const fn sees_money(self) -> bool {
        !matches!(self, Role::Administrator | Role::SecurityOfficer)
    }

    /// Needs to reach people.
    pub(crate) const fn sees_contact(self) -> bool {
        !matches!(self, Role::Administrator | Role::Auditor | Role::SecurityOfficer)
    }
}
