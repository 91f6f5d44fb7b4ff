//! Writes the files as an office would hand them over: CSV with Chinese heads, UTF-8 with BOM as Excel saves it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use kangmai_base::{Day, Fen, Sex};

use super::care::{Bill, Illness, Institution};
use super::household::{Household, Labelled, Member};
use super::lines::Item;

struct Sheet(BufWriter<File>);

impl Sheet {
    fn begin(path: &Path, head: &[&str]) -> std::io::Result<Sheet> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        file.write_all("\u{feff}".as_bytes())?;
        let mut sheet = Sheet(file);
        sheet.row(head)?;
        Ok(sheet)
    }

    /// Our own words hold no quote and no line break; a comma would need quotes, so none is used.
    fn row(&mut self, cells: &[&str]) -> std::io::Result<()> {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.0.write_all(b",")?;
            }
            debug_assert!(!cell.contains([',', '"', '\n']), "{cell}");
            self.0.write_all(cell.as_bytes())?;
        }
        self.0.write_all(b"\r\n")
    }

    fn finish(mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

pub(super) fn institutions(path: &Path, all: &[Institution]) -> std::io::Result<()> {
    let mut sheet = Sheet::begin(
        path,
        &["机构编码", "机构名称", "所在地区划代码", "机构层级", "医院等级", "机构类别", "服务能力"],
    )?;
    for one in all {
        let place = one.place.to_string();
        sheet.row(&[&one.code, &one.name, &place, one.tier, one.grade, one.kind, one.capabilities])?;
    }
    sheet.finish()
}

/// The register.
pub(super) struct Register(Sheet);

impl Register {
    pub(super) fn begin(path: &Path) -> std::io::Result<Register> {
        let head = [
            "户编号",
            "与户主关系",
            "姓名",
            "证件号码",
            "性别",
            "出生日期",
            "民族",
            "户籍地区划代码",
            "家庭住址",
            "现住地",
            "联系电话",
            "参保状态",
            "人群类别",
            "认定日期",
            "退出日期",
            "认定依据",
            "死亡日期",
            "家庭年收入",
            "收入年份",
        ];
        Ok(Register(Sheet::begin(path, &head)?))
    }

    pub(super) fn row(&mut self, household: &Household, member: &Member) -> std::io::Result<()> {
        let joined = |part: &dyn Fn(&Labelled) -> String| {
            member.labels.iter().map(part).collect::<Vec<_>>().join("、")
        };
        let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let sex = if member.sex == Sex::Male { "男" } else { "女" };
        let ended = member.labels.iter().any(|label| label.to.is_some());
        let to = if ended { joined(&|label| day(label.to)) } else { String::new() };
        let living = member.living.map(|place| place.to_string()).unwrap_or_default();
        let ethnicity = if member.name.contains('·') { "维吾尔族" } else { "汉族" };
        self.0.row(&[
            &household.number,
            member.relation,
            &member.name,
            &member.id_number,
            sex,
            &member.birth.to_string(),
            ethnicity,
            &household.place.to_string(),
            &household.address,
            &living,
            member.phone.as_deref().unwrap_or_default(),
            member.enrolment,
            &joined(&|label| label.label.to_owned()),
            &joined(&|label| label.from.to_string()),
            &to,
            member.labels.first().map(|label| label.source).unwrap_or_default(),
            &day(member.died),
            &household.income.to_string(),
            "2025",
        ])
    }

    pub(super) fn finish(self) -> std::io::Result<()> {
        self.0.finish()
    }
}

/// The diagnoses.
pub(super) struct Diagnoses(Sheet);

impl Diagnoses {
    pub(super) fn begin(path: &Path) -> std::io::Result<Diagnoses> {
        let head = ["证件号码", "姓名", "诊断编码", "诊断名称", "确诊日期", "医疗机构", "耐多药"];
        Ok(Diagnoses(Sheet::begin(path, &head)?))
    }

    /// Somebody without papers is entered by hand: a file finds people by their number.
    pub(super) fn row(&mut self, member: &Member, illness: &Illness) -> std::io::Result<()> {
        if member.id_number.is_empty() {
            return Ok(());
        }
        let resistant = if illness.drug_resistant { "是" } else { "" };
        let since = illness.since.to_string();
        self.0.row(&[
            &member.id_number,
            &member.name,
            illness.code,
            illness.name,
            &since,
            "上蔡县示例人民医院",
            resistant,
        ])
    }

    pub(super) fn finish(self) -> std::io::Result<()> {
        self.0.finish()
    }
}

/// The bills.
pub(super) struct Bills {
    sheet: Sheet,
    written: u32,
}

impl Bills {
    pub(super) fn begin(path: &Path) -> std::io::Result<Bills> {
        let head = [
            "结算单号",
            "证件号码",
            "姓名",
            "医疗机构代码",
            "医疗机构名称",
            "入院日期",
            "出院日期",
            "就诊类型",
            "诊断编码",
            "诊断名称",
            "总费用",
            "合规费用",
            "是否转诊",
        ];
        Ok(Bills { sheet: Sheet::begin(path, &head)?, written: 0 })
    }

    /// Answers the bill's number; none if nobody can send a bill of somebody without a number.
    pub(super) fn row(&mut self, member: &Member, bill: &Bill) -> std::io::Result<Option<String>> {
        if member.id_number.is_empty() {
            return Ok(None);
        }
        self.written += 1;
        let number = format!("SL{:010}", self.written);
        self.sheet.row(&[
            &number,
            &member.id_number,
            &member.name,
            &bill.institution,
            &bill.institution_name,
            &bill.admitted.to_string(),
            &bill.discharged.to_string(),
            bill.setting,
            bill.code,
            bill.disease,
            &bill.total.to_string(),
            &bill.compliant.to_string(),
            if bill.referred { "是" } else { "否" },
        ])?;
        Ok(Some(number))
    }

    pub(super) fn finish(self) -> std::io::Result<()> {
        self.sheet.finish()
    }
}

/// The lines of bills.
pub(super) struct Lines(Sheet);

impl Lines {
    pub(super) fn begin(path: &Path) -> std::io::Result<Lines> {
        let head = [
            "结算单号",
            "医疗机构代码",
            "项目名称",
            "费用类别",
            "目录类别",
            "数量",
            "单价",
            "金额",
            "自付比例",
            "免除费用项",
        ];
        Ok(Lines(Sheet::begin(path, &head)?))
    }

    pub(super) fn row(&mut self, number: &str, bill: &Bill, item: &Item) -> std::io::Result<()> {
        self.0.row(&[
            number,
            &bill.institution,
            item.name,
            item.category,
            item.class,
            &item.quantity.to_string(),
            &item.price.to_string(),
            &Fen(item.price.0 * item.quantity).to_string(),
            item.own_share,
            item.fee,
        ])
    }

    pub(super) fn finish(self) -> std::io::Result<()> {
        self.0.finish()
    }
}
